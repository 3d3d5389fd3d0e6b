/**
 * config: the rules that no single key can keep alone, and what is valid but not built yet; pure.
 */
import { resolve } from 'node:path';
import { Cron } from 'croner';
import { channels, type ChannelMember } from '../channels/index.js';
import { placeholders, unknownPlaceholders } from '../model/alert/template.js';
import { isRecipient } from '../model/backup/age-key.js';
import { blackoutProblem } from '../model/moment/blackout.js';
import { plainRulePlan } from '../model/moment/calendar/rule-plan.js';
import { didYouMean } from '../model/settings/nearest.js';
import { carriesPassword, isReference } from '../model/settings/reference.js';
import type { Compression, Encryption, Retention } from '../model/settings/settings.js';
import { leaves, type Path } from './layers.js';
import type { Config } from './schema.js';

export interface Finding {
  readonly path: Path;
  readonly expected: string;
  /** Where the value itself must not be shown, or says too little. */
  readonly found?: string;
}

type Rule = (config: Config) => Finding[];

const gzipLevels: Rule = (config) => {
  const all: [Path, Compression | undefined][] = [[['compression'], config.compression]];
  for (const [name, schedule] of Object.entries(config.schedules)) all.push([['schedules', name, 'compression'], schedule.compression]);
  return all
    .filter(([, compression]) => compression?.algorithm === 'gzip' && compression.level > 9)
    .map(([path]) => ({ path: [...path, 'level'], expected: 'at most 9 for gzip' }));
};

const knownNames: Rule = (config) =>
  Object.entries(config.schedules).flatMap(([name, schedule]) =>
    (['databases', 'storages'] as const).flatMap((section) => {
      const known = Object.keys(config[section]);
      const used = schedule[section] ?? [];
      return used.flatMap((entry, index) => {
        const path = ['schedules', name, section, String(index)];
        if (!known.includes(entry)) return [{ path, expected: `the name of an entry of \`${section}\`${didYouMean(entry, known)}` }];
        return used.indexOf(entry) < index ? [{ path, expected: 'each name once' }] : [];
      });
    }),
  );

/** Why croner does not take the expression; null when it does. Five fields: seconds have no place here. */
function cronProblem(expression: string): string | null {
  const fields = 'a cron expression of five fields, e.g. "0 2 * * *"';
  try {
    const cron = new Cron(expression, { paused: true, mode: '5-part', utcOffset: 0 });
    return cron.nextRun(new Date(0)) ? null : `${fields}, that is ever due`;
  } catch (error) {
    return `${fields} (${(error instanceof Error ? error.message : String(error)).replace(/^CronPattern: /, '').slice(0, 120)})`;
  }
}

/** Why a rule of days can not be; null when it can. */
function ruleProblem(rule: string, at: string): string | null {
  try {
    const [first] = plainRulePlan(rule, at).after(0);
    return first === undefined ? 'a rule that names a day' : null;
  } catch (error) {
    return `a rule of whole days, e.g. "FREQ=WEEKLY;BYDAY=MO,TH" (${(error as Error).message})`;
  }
}

/** What says when a schedule runs: each of it, and that it is said once. */
const times: Rule = (config) =>
  Object.entries(config.schedules).flatMap(([name, { cron, calendar, triggers, blackout = [] }]) => {
    const found: Finding[] = [];
    const add = (path: Path, expected: string | null) => expected && found.push({ path: ['schedules', name, ...path], expected });
    if (cron === undefined && !calendar && !triggers) add(['cron'], 'a cron expression, `calendar` or `triggers`');
    if (cron !== undefined && calendar) add(['calendar'], 'either `cron` or this');
    if (cron !== undefined) add(['cron'], cronProblem(cron));
    if (calendar && (calendar.rule === undefined) === (calendar.file === undefined)) add(['calendar'], 'either `rule` or `file` in it');
    if (calendar?.rule !== undefined) add(['calendar', 'rule'], ruleProblem(calendar.rule, calendar.at));
    for (const [index, entry] of blackout.entries()) add(['blackout', String(index)], blackoutProblem(entry));
    return found;
  });

function isZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

const zones: Rule = (config) => {
  const all: [Path, string | undefined][] = [[['timezone'], config.timezone]];
  for (const [name, { timezone }] of Object.entries(config.schedules)) all.push([['schedules', name, 'timezone'], timezone]);
  return all
    .filter(([, zone]) => zone !== undefined && !isZone(zone))
    .map(([path]) => ({ path, expected: 'a time zone of the IANA list that this machine knows, e.g. "Europe/Berlin"' }));
};

const someOfEach: Rule = (config) =>
  (['databases', 'storages'] as const)
    .filter((section) => Object.keys(config[section]).length === 0)
    .map((section) => ({ path: [section], expected: 'at least one entry' }));

const databaseEntries: Rule = (config) =>
  Object.entries(config.databases).flatMap(([name, entry]) => {
    const found: Finding[] = [];
    const add = (key: keyof typeof entry, expected: string) => found.push({ path: ['databases', name, key], expected });
    if (name.includes('--'))
      found.push({ path: ['databases', name], found: 'a name with "--"', expected: 'that to the members of clusters' });
    for (const key of ['service', 'host', 'hostaddr', 'port', 'user', 'database'] as const)
      if (entry.url !== undefined && entry[key] !== undefined) add(key, 'either `url` or this');
    if (entry.password !== undefined && entry.passwordFile !== undefined) add('passwordFile', 'either `password` or this');
    if (entry.exclude && !entry.databases) add('exclude', '`databases` with globs beside it');
    if (entry.url !== undefined && !isReference(entry.url) && !/^postgres(ql)?:\/\//.test(entry.url))
      found.push({ path: ['databases', name, 'url'], found: 'something else', expected: 'postgresql://... or a reference to it' });
    const ports = String(entry.port ?? '').split(',');
    if (ports.some((port) => Number(port) > 65_535)) add('port', 'ports up to 65535');
    if (ports.length > 1 && ports.length !== (entry.host ?? entry.hostaddr ?? '').split(',').length) add('port', 'one port, or one a host');
    return found;
  });

const storagePaths: Rule = (config) => {
  const seen = new Map<string, string>();
  return Object.entries(config.storages).flatMap(([name, storage]) => {
    const other = seen.get(resolve('/', storage.path));
    seen.set(resolve('/', storage.path), name);
    return other === undefined ? [] : [{ path: ['storages', name, 'path'], expected: `another folder than that of "${other}"` }];
  });
};

/** More copies than there are storages can never be. */
const quorums: Rule = (config) => {
  const all = Object.keys(config.storages).length;
  const own = Object.entries(config.schedules).flatMap(([name, { quorum = config.quorum, storages }]): Finding[] => {
    const most = storages?.length ?? all;
    if (quorum <= most || (config.quorum > all && quorum === config.quorum)) return [];
    return quorum === config.quorum
      ? [{ path: ['schedules', name, 'storages'], expected: `at least ${quorum} entries, as many as \`quorum\` asks for` }]
      : [{ path: ['schedules', name, 'quorum'], expected: `at most ${most}, the number of its storages` }];
  });
  return config.quorum > all ? [{ path: ['quorum'], expected: `at most ${all}, the number of storages` }, ...own] : own;
};

const readable = (text: string): string => (/^AGE-SECRET-KEY-/i.test(text) ? 'a private key' : text.slice(0, 80));

/** As examples write a key: it is no error before something is to be sealed to it. */
const placeholder = 'age1...';

function encryptionFindings(path: Path, { recipients, recipientsFile, passphrase }: Encryption): Finding[] {
  const found: Finding[] = [];
  if (recipients === undefined && recipientsFile === undefined && passphrase === undefined)
    found.push({ path, expected: '`recipients`, `recipientsFile` or `passphrase`; null for none' });
  if (recipients?.length === 0) found.push({ path: [...path, 'recipients'], expected: 'at least one public age key' });
  if (passphrase !== undefined && (recipients ?? recipientsFile) !== undefined)
    found.push({ path: [...path, 'passphrase'], found: 'a passphrase beside keys', expected: 'either keys or this' });
  for (const [index, recipient] of (recipients ?? []).entries())
    if (!isRecipient(recipient) && recipient !== placeholder)
      found.push({
        path: [...path, 'recipients', String(index)],
        found: JSON.stringify(readable(recipient)),
        expected: 'a public age key, "age1..." of 62 characters with a right checksum',
      });
  return found;
}

const encryptions: Rule = (config) => {
  const all: [Path, Encryption | null | undefined][] = [[['encryption'], config.encryption]];
  for (const [name, { encryption }] of Object.entries(config.schedules)) all.push([['schedules', name, 'encryption'], encryption]);
  const { identity } = config.verify;
  const literal = identity !== undefined && !isReference(identity);
  const asReference = 'a reference to private age keys, e.g. "file:/root/age.key"';
  return [
    ...all.flatMap(([path, encryption]) => (encryption ? encryptionFindings(path, encryption) : [])),
    ...(literal ? [{ path: ['verify', 'identity'], found: 'something else', expected: asReference }] : []),
  ];
};

/** A placeholder that stands for nothing would be sent as it is. */
const templates: Rule = (config) =>
  Object.entries(config.alerts).flatMap(([name, { template }]) =>
    (['subject', 'body'] as const).flatMap((key) =>
      unknownPlaceholders(template?.[key] ?? '').map((word) => ({
        path: ['alerts', name, 'template', key],
        found: `{{${word.slice(0, 80)}}}`,
        expected: `one of ${placeholders.map((one) => `{{${one}}}`).join(', ')}`,
      })),
    ),
  );

const asReference = 'a reference to the secret, "env:NAME", "file:PATH" or "command:...", never the secret itself';
const secretKeys = /^(password|passphrase|token|secret|apiKey)$/i;

/** A key that the channel calls secret, or a header whose name tells. */
function isChannelSecret(config: Config, [section, name = '', key = '', header]: Path): boolean {
  const entry = config.alerts[name];
  if (section !== 'alerts' || !entry) return false;
  const { secrets }: ChannelMember = channels[entry.kind];
  return header === undefined ? secrets.includes(key) : key === 'headers' && /auth|token|key|secret|cookie/i.test(header);
}

const noLiteralSecrets: Rule = (config) =>
  [
    ...leaves({
      databases: config.databases,
      alerts: config.alerts,
      verify: config.verify,
      encryption: config.encryption,
      schedules: config.schedules,
      storages: config.storages,
    }),
  ].flatMap(([path, value]) => {
    const key = path.at(-1) ?? '';
    if (typeof value !== 'string' || isReference(value)) return [];
    if (secretKeys.test(key) || isChannelSecret(config, path)) return [{ path, found: 'a literal secret', expected: asReference }];
    return /^(url|server)$/.test(key) && carriesPassword(value) ? [{ path, found: 'a URL with a password', expected: asReference }] : [];
  });

const rules: readonly Rule[] = [
  someOfEach,
  databaseEntries,
  storagePaths,
  quorums,
  knownNames,
  times,
  zones,
  gzipLevels,
  encryptions,
  templates,
  noLiteralSecrets,
];

/** Everything that the schema lets pass and that still cannot be. */
export const findings = (config: Config): Finding[] => rules.flatMap((rule) => rule(config));

const longestWait = 24;
const saysWhatToKeep = (retention: Retention): boolean => Object.keys(retention).some((key) => key.startsWith('keep'));

/** What is valid but has no effect yet, or will surprise: a sentence each. */
export function notBuiltYet({ config }: { config: Config }): string[] {
  const schedules = Object.values(config.schedules);
  const lastWaitDays = (config.retryDelay * 2 ** (config.maxRetries - 1)) / 1440;
  const said: [when: boolean, sentence: string][] = [
    [
      [config.encryption, ...schedules.map(({ encryption }) => encryption)].some((one) => one?.recipients?.includes(placeholder)),
      `encryption: "${placeholder}" stands for a public key and is none; \`execute\` refuses rather than store clear text`,
    ],
    [
      [config.retention, ...schedules.map(({ retention }) => retention)].some((one) => one && !saysWhatToKeep(one)),
      'retention: one says nothing but a minimum, so by it no backup is ever removed',
    ],
    [
      schedules.some(({ triggers }) => triggers?.notify !== undefined),
      'triggers: `notify` is heard by `serve --schedule` alone; for cron let the deployment touch `triggers.file`',
    ],
    [lastWaitDays > longestWait, `maxRetries: the last retry would wait ${Math.round(lastWaitDays)} days; waits are cut at ${longestWait}`],
  ];
  return said.filter(([when]) => when).map(([, sentence]) => sentence);
}
