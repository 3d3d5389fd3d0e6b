/**
 * config: lays the layers over each other, asks the schema and the rules, and collects every problem before it refuses anything.
 */
import { dirname, isAbsolute, resolve } from 'node:path';
import type * as z from 'zod';
import { didYouMean } from '../model/settings/nearest.js';
import { readCalendars } from './calendars.js';
import { readEnvironment } from './environment.js';
import { keysAt, nodeAt, words } from './expected.js';
import type { Given, Surroundings } from './file.js';
import { adopt, isTree, Layers, leaves, parseValue, valueAt, type Origin, type Path, type Source } from './layers.js';
import { ConfigurationFailure, shown, type Problem } from './problem.js';
import { findings } from './rules.js';
import { configSchema, defaultSections, type Config } from './schema.js';

export interface LoadedConfig {
  readonly config: Config;
  /** Where each leaf comes from, by its dotted key. */
  readonly origins: Readonly<Record<string, Origin>>;
  readonly file: string | null;
  /** The file's folder, else the working directory: what relative paths are relative to. */
  readonly base: string;
}

function addFlags(layers: Layers, set: readonly string[], problems: Problem[]): void {
  const complain = (key: string, found: string, expected: string) => problems.push({ source: '--set', key, found, expected });
  for (const entry of set) {
    const [, key = '', text = ''] = /^([^=]*)=(.*)$/s.exec(entry) ?? [];
    const path = key.split('.');
    if (path.some((part) => part === '') || path.length > 16)
      complain(entry.split('=')[0]?.slice(0, 80) ?? '', 'not written so', 'KEY=VALUE');
    else {
      const before = problems.length;
      adopt(Object.fromEntries(path.map((part) => [part, null])), '--set', problems);
      const value = adopt(parseValue(text), '--set', problems, path);
      if (problems.length > before) continue;
      if (!layers.assign(path, value, { origin: 'flag', source: '--set' }))
        complain(key, 'inside a value that is no object', 'a key of an object');
    }
  }
}

/** The layers from the least to the most powerful. */
function layered(source: Source | null, given: Given, { env }: Surroundings, problems: Problem[]): Layers {
  const layers = new Layers();
  for (const [key, value] of Object.entries(source?.values ?? {}))
    layers.assign([key], value, { origin: 'file', source: source?.file ?? '' });
  for (const [section, make] of Object.entries(defaultSections)) {
    if (layers.root[section] !== undefined) continue;
    const fromUrl = section === 'databases' && env['DATABASE_URL'];
    const mark = fromUrl ? { origin: 'environment', source: 'DATABASE_URL' } : { origin: 'default', source: 'defaults' };
    layers.assign([section], adopt(make(env), 'defaults', []), mark as { origin: Origin; source: string });
  }
  const environment = readEnvironment(env);
  problems.push(...environment.problems);
  for (const { name, key, value } of environment.values) layers.assign(key.split('.'), value, { origin: 'environment', source: name });
  addFlags(layers, given.set, problems);
  return layers;
}

interface Misfit {
  readonly path: Path;
  readonly expected: string;
  readonly found?: string;
}

/** The value of a mistyped `password` is a secret as well, and so may be any of a channel. */
function noSuchKey(path: Path): Misfit {
  const key = path.at(-1) ?? '';
  const expected = `no such key${didYouMean(key, keysAt(path.slice(0, -1)))}`;
  const secret = path[0] === 'alerts' || didYouMean(key, ['password', 'passphrase', 'secret', 'token']);
  return secret ? { path, expected, found: '"***"' } : { path, expected };
}

function misfits(issue: z.core.$ZodIssue): Misfit[] {
  const path = issue.path.map(String);
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => noSuchKey([...path, key]));
  if (issue.code === 'invalid_union') {
    const inside = issue.errors.find((branch) => branch.some((inner) => inner.path.length > 0 || inner.code === 'unrecognized_keys'));
    if (inside) return inside.flatMap((inner) => misfits({ ...inner, path: [...issue.path, ...inner.path] }));
  }
  const message = issue.code === 'invalid_key' ? (issue.issues[0]?.message ?? '') : issue.message;
  const own = /^expected (.*)$/s.exec(message)?.[1];
  if (issue.code === 'invalid_key') return [{ path, expected: own ?? 'a name', found: 'a name that cannot be used' }];
  const node = nodeAt(path);
  return [{ path, expected: own ?? (node ? words(node) : issue.message) }];
}

/** One a key: a number too large for a whole number is so twice. */
const once = (all: readonly Misfit[]): Misfit[] => [...new Map(all.map((misfit) => [misfit.path.join('.'), misfit])).values()];

/** The values without what does not fit, so that the rules can be asked about the rest; null when that makes no sense. */
function salvage(root: unknown, bad: readonly Misfit[]): Config | null {
  if (bad.some(({ path }) => path.length < 2 && path[0] !== undefined && path[0] in defaultSections)) return null;
  const copy = adopt(root, '', []);
  for (const { path } of bad) {
    const parent = valueAt(copy, path.slice(0, -1));
    if (isTree(parent)) delete parent[path.at(-1) ?? ''];
  }
  const result = configSchema.safeParse(copy);
  return result.success ? result.data : null;
}

const pathKeys = new Set([
  'stateDirectory',
  'clientDirectory',
  'path',
  'folder',
  'passwordFile',
  'recipientsFile',
  'sslrootcert',
  'sslcert',
  'sslkey',
  'ca',
]);

const isPath = (path: Path): boolean =>
  pathKeys.has(path.at(-1) ?? '') || /^((log|schedules\.[^.]+\.(calendar|triggers))\.file|api\.tls\.(cert|key))$/.test(path.join('.'));

/** Makes every path in the configuration absolute, `file:` references too. */
function settlePaths(config: Config, layers: Layers, base: string, cwd: string): void {
  for (const [path, value] of leaves(config)) {
    if (typeof value !== 'string') continue;
    const [, scheme = '', rest = ''] = /^(file:\s*)?(.*)$/s.exec(value) ?? [];
    if (!(scheme || isPath(path)) || isAbsolute(rest) || rest === '' || (path.at(-1) === 'sslrootcert' && rest === 'system')) continue;
    const parent = valueAt(config, path.slice(0, -1));
    const absolute = resolve(layers.origin(path) === 'flag' ? cwd : base, rest);
    if (isTree(parent)) parent[path.at(-1) ?? ''] = scheme ? `file:${absolute}` : absolute;
  }
}

const reported = 1000;

/** Everything in one configuration, or a ConfigurationFailure with all that is wrong. */
export function resolveConfig(source: Source | null, given: Given, surroundings: Surroundings): LoadedConfig {
  const problems: Problem[] = [...(source?.problems ?? [])];
  const layers = layered(source, given, surroundings, problems);
  const parsed = configSchema.safeParse(layers.root);
  const bad = parsed.success ? [] : once(parsed.error.issues.slice(0, reported).flatMap(misfits));
  const config = parsed.success ? parsed.data : salvage(layers.root, bad);
  const known = new Set(bad.map(({ path }) => path.join('.')));
  const further: Misfit[] = config ? findings(config).filter(({ path }) => !known.has(path.join('.'))) : [];
  for (const { path, expected, found } of [...bad, ...further].slice(0, reported)) {
    const key = path.join('.').slice(0, 200);
    const owner = layers.source(path) ?? source?.file ?? 'defaults';
    problems.push({ source: owner, key, found: found ?? shown(valueAt(layers.root, path), path.at(-1)), expected });
  }
  const base = source ? dirname(source.file) : surroundings.cwd;
  if (config) {
    settlePaths(config, layers, base, surroundings.cwd);
    problems.push(...readCalendars(config));
  }
  if (problems.length > 0 || !config) throw new ConfigurationFailure(problems);
  const origins = Object.fromEntries([...leaves(config)].map(([path]) => [path.join('.'), layers.origin(path)]));
  return { config, origins, file: source?.file ?? null, base };
}
