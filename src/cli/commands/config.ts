/**
 * cli: `config`, what holds and where it comes from; it shows references, never what they name.
 */
import type { Command } from 'commander';
import type { LoadedConfig } from '../../config/load.js';
import { addCommand, run, type Help } from '../command.js';
import { say, width, type GlobalOptions, type Outcome } from '../render.js';

const exits = { 2: 'no such key', 10: 'the configuration is wrong' };

/** Secrets that slipped into a value are hidden; nothing else changes. */
async function hidden<T>(value: T): Promise<T> {
  const { redact } = await import('../../model/redact.js');
  return JSON.parse(JSON.stringify(value), (_, item: unknown) => (typeof item === 'string' ? redact(item) : item)) as T;
}

const load = async (options: GlobalOptions): Promise<LoadedConfig> => {
  const { here, loadConfig } = await import('../../config/load.js');
  return loadConfig(options, here());
};

const written = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

async function show(options: GlobalOptions): Promise<Outcome> {
  const { config, origins, file } = await load(options);
  const { leaves } = await import('../../config/layers.js');
  const { table } = await import('../show/table.js');
  const configuration = await hidden(config);
  return {
    document: { configuration, origins, file },
    text: (paint) => {
      const rows = [...leaves(configuration)].map(([path, value]) => [
        path.join('.'),
        origins[path.join('.')] ?? 'default',
        written(value),
      ]);
      const from = file ?? 'no file, defaults hold';
      return `${paint.dim(from)}\n${table(['KEY', 'ORIGIN', 'VALUE'], rows, { width: width(), paint })}`;
    },
  };
}

async function get(options: GlobalOptions, key: string): Promise<Outcome> {
  const { config, origins } = await load(options);
  const { valueAt } = await import('../../config/layers.js');
  const { keyExists } = await import('../../config/expected.js');
  const path = key.split('.');
  const found = valueAt(config, path);
  if (found === undefined && !keyExists(path)) {
    const { nearest } = await import('../../model/settings/nearest.js');
    const { Failure } = await import('../../model/errors.js');
    const names = Object.keys(origins).flatMap((name) => name.split('.').map((_, depth, parts) => parts.slice(0, depth + 1).join('.')));
    throw new Failure('not-found', `there is no key "${key}"`, { hint: `nearest: ${nearest(key, [...new Set(names)]).join(', ')}` });
  }
  const value = await hidden(found ?? null);
  const inside = Object.keys(origins).filter((name) => name === key || name.startsWith(`${key}.`));
  const ranked = (['flag', 'environment', 'file'] as const).find((origin) => inside.some((name) => origins[name] === origin));
  return { document: { key, value, origin: ranked ?? 'default' }, text: () => (value === null ? '' : written(value)) };
}

/** The names below a key, one a line: for the completion of a shell. */
async function names(options: GlobalOptions, key: string): Promise<Outcome> {
  const { config } = await load(options);
  const { valueAt } = await import('../../config/layers.js');
  const found = Object.keys(valueAt(config, [key]) ?? {});
  return { document: { names: found }, text: () => found.join('\n') };
}

async function update(options: GlobalOptions, key: string, value: string): Promise<Outcome> {
  const { here } = await import('../../config/load.js');
  const { updateConfig } = await import('../../config/update.js');
  const { warnings, ...document } = await hidden(updateConfig(key, value, options, here()));
  const [{ openAccess }, { actor }] = await Promise.all([import('../../wire/access.js'), import('../actor.js')]);
  await (await openAccess(options)).ledger.appendFact({ record: 'configuration', key, ...actor() });
  for (const warning of warnings) say(`warning: ${warning}`, options);
  return {
    document: { ...document, warnings },
    text: () => `${key}: ${written(document.previous)} -> ${written(document.value)} in ${document.file}`,
  };
}

async function validate(options: GlobalOptions): Promise<Outcome> {
  const { check } = await import('../../wire/check.js');
  const { errors, warnings } = await check(options);
  const { ConfigurationFailure } = await import('../../config/problem.js');
  const lines = warnings.map((warning) => `warning: ${warning}`);
  return {
    document: { ok: errors.length === 0, errors, warnings },
    text: () => [...lines, ...(errors.length === 0 ? ['the configuration is valid'] : [])].join('\n'),
    failure:
      errors.length === 0
        ? undefined
        : new ConfigurationFailure(errors, 'mend what is named; `backup-automation config schema` has every key'),
  };
}

async function init(options: GlobalOptions): Promise<Outcome> {
  const { here } = await import('../../config/load.js');
  const { initConfig } = await import('../../config/update.js');
  const file = initConfig(options, here());
  return { document: { file }, text: () => `wrote ${file}; look at it with \`backup-automation config\`` };
}

async function schema(): Promise<Outcome> {
  const { jsonSchema } = await import('../../config/describe.js');
  const document = jsonSchema();
  return { document, text: () => JSON.stringify(document, null, 2) };
}

async function reference(): Promise<Outcome> {
  const { referencePage } = await import('../../config/describe.js');
  return { document: { page: referencePage() }, text: referencePage };
}

/** What is typed for each subcommand; two examples each. */
const help = {
  show: {
    examples: [
      ['config', 'every value, and which of flag, environment, file and default it comes from'],
      ['config --set maxRetries=5 --json', 'the same as one JSON document, with a value for this run'],
    ],
    exits: { 10: exits[10] },
  },
  get: {
    examples: [
      ['config get conditions.maxDatabaseLoad', 'one value'],
      ['config get backupWindow --json', 'a part of the configuration, with its origin'],
    ],
    exits,
  },
  update: {
    examples: [
      ['config update maxRetries 5', 'changes the file, or creates it'],
      ['config update conditions.maxDatabaseLoad 70', 'a key inside another'],
    ],
    exits: { 10: 'the result would be wrong, nothing was written' },
  },
  validate: {
    examples: [
      ['config validate', 'everything that is wrong, and what will surprise: times that a clock change skips, ...'],
      ['config validate --config /etc/backup-automation.json --json', 'another file, for a program'],
    ],
    exits: { 10: exits[10] },
  },
  init: {
    examples: [
      ['config init', 'writes backup-automation.config.json here, with its schema for the editor'],
      ['config init --config /etc/backup-automation.json', 'writes it there'],
    ],
    exits: { 10: 'there is one already, or it cannot be written' },
  },
  schema: {
    examples: [
      ['config schema', 'the JSON Schema of the file'],
      ['config schema > backup-automation.schema.json', 'for "$schema" in the file, so that the editor helps'],
    ],
    exits: {},
  },
} satisfies Record<string, Help>;

/** `config` and its subcommands. */
export function configCommand(program: Command): void {
  const config = addCommand(program, 'config', 'show the configuration, and change it', help.show).action(run(show));
  addCommand(config, 'show', 'every value, as without a word', {
    ...help.show,
    examples: help.show.examples.map(([typed, what]) => [typed.replace('config', 'config show'), what] as const),
  }).action(run(show));
  addCommand(config, 'get <key>', 'one value, by its dotted key', help.get).action(run(get));
  addCommand(config, 'update <key> <value>', 'set a key in the JSON file', help.update).action(run(update));
  addCommand(config, 'validate', 'check everything, change nothing', help.validate).action(run(validate));
  addCommand(config, 'init', 'write a file to begin with', help.init).action(run(init));
  addCommand(config, 'schema', 'print the JSON Schema of the file', help.schema).action(run(schema));
  config.command('names <key>', { hidden: true }).action(run(names));
  config.command('reference', { hidden: true }).action(run(reference));
}
