/**
 * config: the rules that no single key can keep alone, and what is valid but not built yet; pure.
 */
import type { Retention } from '../model/settings/settings.js';
import { databaseEntries, compressionLevels, knownNames, quorums, someOfEach, storagePlaces, templates } from './rules/entries.js';
import type { Finding, Rule } from './rules/rule.js';
import { encryptions, noLiteralSecrets, placeholder } from './rules/secrets.js';
import { times, zones } from './rules/times.js';
import type { Config } from './schema.js';

const rules: readonly Rule[] = [
  someOfEach,
  databaseEntries,
  storagePlaces,
  quorums,
  knownNames,
  times,
  zones,
  compressionLevels,
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
