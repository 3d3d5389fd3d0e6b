/**
 * config: changes keys of a JSON configuration file and leaves every other character of it alone; all or nothing.
 */
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { Failure } from '../model/errors.js';
import { resolveConfig } from './check.js';
import { ConfigurationFailure, type Problem } from './problem.js';
import { jsonSchema, sampleText, schemaFile } from './describe.js';
import { variables } from './environment.js';
import { findFile, moduleName, places, readText, type Given, type Surroundings } from './file.js';
import { readJson, type JsonNode } from './json.js';
import { parseValue, tree, valueAt, type Path, type Tree } from './layers.js';
import { sourceOfText } from './load.js';
import { defaultSections } from './schema.js';

export interface Update {
  readonly key: string;
  readonly value: unknown;
  /** What held before by file or default; null when nothing did. */
  readonly previous: unknown;
  readonly file: string;
  /** Why the new value does not take effect now; empty when it does. */
  readonly warnings: readonly string[];
}

/** The step of indentation in the text, two spaces when it shows none. */
const indentOf = (text: string): string => /\n([ \t]+)"/.exec(text)?.[1] ?? '  ';

const indented = (value: unknown, unit: string, depth: number): string =>
  JSON.stringify(value, null, unit).replaceAll('\n', `\n${unit.repeat(depth)}`);

/** The text with a member added behind the object's last, in the object's own style: on one line or on many. */
function insert(text: string, object: JsonNode, key: string, value: unknown, unit: string, depth: number): string {
  const last = [...(object.members?.values() ?? [])].at(-1);
  const wide = text.slice(object.start, object.end).includes('\n') || !last;
  const member = `${JSON.stringify(key)}: ${indented(value, unit, depth + 1)}`;
  const line = `\n${unit.repeat(depth + 1)}`;
  if (last) return `${text.slice(0, last.end)},${wide ? line : ' '}${member}${text.slice(last.end)}`;
  return `${text.slice(0, object.start)}{${line}${member}\n${unit.repeat(depth)}}${text.slice(object.end)}`;
}

/** The text with `value` at `path`; everything else stays as it was. Throws JsonError when the text is no JSON. */
export function setInText(text: string, path: Path, value: unknown): string {
  const unit = indentOf(text);
  let node = readJson(text);
  for (const [depth, key] of path.entries()) {
    if (!node.members) throw new Failure('configuration', `${path.slice(0, depth).join('.')} is no object, so it has no ${key}`);
    const next = node.members.get(key);
    if (!next) {
      const rest = path.slice(depth + 1).reduceRight<unknown>((inner, part) => Object.assign(tree(), { [part]: inner }), value);
      return insert(text, node, key, rest, unit, depth);
    }
    node = next;
  }
  return text.slice(0, node.start) + indented(value, unit, path.length - 1) + text.slice(node.end);
}

/** Writes beside the file, makes it durable, and puts it in the file's place, with the same mode and owner. */
function replaceFile(file: string, text: string): void {
  const old = existsSync(file) ? statSync(file) : undefined;
  const partial = join(dirname(file), `.${basename(file)}.${randomBytes(6).toString('hex')}.partial`);
  let descriptor: number | null = null;
  try {
    descriptor = openSync(partial, 'wx', 0o600);
    writeSync(descriptor, text);
    fchmodSync(descriptor, old ? old.mode & 0o7777 : 0o644);
    if (old && process.geteuid?.() === 0) fchownSync(descriptor, old.uid, old.gid);
    fsyncSync(descriptor);
    renameSync(partial, file);
  } catch (error) {
    if (descriptor !== null) rmSync(partial, { force: true });
    throw new Failure('configuration', `${file} cannot be written: ${(error as Error).message}`, { cause: error });
  } finally {
    if (descriptor !== null) closeSync(descriptor);
  }
  const folder = openSync(dirname(file), 'r');
  fsyncSync(folder);
  closeSync(folder);
}

/** A key inside a section that the file leaves to its default: the whole default section comes into the file with it. */
function withSection(values: Tree, path: Path, value: unknown, env: NodeJS.ProcessEnv): [Path, unknown] {
  const [section = '', ...inside] = path;
  const make = Object.entries(defaultSections).find(([name]) => name === section)?.[1];
  if (!make || inside.length === 0 || values[section] !== undefined) return [path, value];
  return [[section], JSON.parse(setInText(JSON.stringify(make(env)), inside, value))];
}

const defaultOf = (key: string, alone: Surroundings): unknown => valueAt(resolveConfig(null, { set: [] }, alone).config, key.split('.'));

function overrides(key: string, env: NodeJS.ProcessEnv): string[] {
  const setting = variables.filter(([name, sets]) => env[name] && (sets === key || sets.startsWith(`${key}.`)));
  return setting.map(([name, sets]) => `${name} in the environment overrides ${sets}: ${env[name] ?? ''} holds`);
}

/** What is wrong with the new value is not in the file, and will not come there. */
function judge(resolve: () => unknown, keys: readonly string[]): void {
  try {
    resolve();
  } catch (error) {
    if (!(error instanceof ConfigurationFailure)) throw error;
    const ours = (problem: Problem) => keys.some((key) => problem.key === key || problem.key.startsWith(`${key}.`));
    const problems = error.problems.map((problem) => (ours(problem) ? { ...problem, source: 'config update' } : problem));
    throw new ConfigurationFailure(problems, 'nothing was written');
  }
}

function editable(given: Given, surroundings: Surroundings): string {
  const file = findFile(given, surroundings) ?? join(surroundings.cwd, places[0]);
  if (!file.endsWith('.json'))
    throw new Failure('configuration', `${file} is no JSON file, and only those are changed by this command`, { hint: 'edit it by hand' });
  return existsSync(file) ? realpathSync(file) : file;
}

type Change = readonly [key: string, value: unknown];

interface Changed {
  readonly file: string;
  readonly updates: readonly Pick<Update, 'key' | 'value' | 'previous'>[];
  readonly warnings: readonly string[];
}

/**
 * Sets dotted keys in the file that holds, or in a new one in the working directory: all of them, or none. The whole result is checked
 * first. Throws ConfigurationFailure, and then nothing was written.
 */
export function updateKeys(changes: readonly Change[], given: Given, surroundings: Surroundings): Changed {
  const file = editable(given, surroundings);
  const exists = existsSync(file);
  const old = exists ? readText(file) : '{}\n';
  const before = sourceOfText(file, old);
  const inPackage = basename(file) === 'package.json' ? [moduleName] : [];
  const fresh = changes.reduce((text, [key, value]) => {
    const [path, whole] = withSection(sourceOfText(file, text).values, key.split('.'), value, surroundings.env);
    return setInText(text, [...inPackage, ...path], whole);
  }, old);
  // what the environment or a flag says now must neither mend nor spoil the file
  const alone: Surroundings = { env: { DATABASE_URL: surroundings.env['DATABASE_URL'] }, cwd: surroundings.cwd };
  judge(
    () => resolveConfig(sourceOfText(file, fresh), { set: [] }, alone),
    changes.map(([key]) => key),
  );
  const updates = changes.map(([key, value]) => {
    const previous = valueAt(before.values, key.split('.')) ?? defaultOf(key, alone);
    return { key, value, previous: previous ?? null };
  });
  if (fresh !== old || !exists) replaceFile(file, fresh);
  return { file, updates, warnings: changes.flatMap(([key]) => overrides(key, surroundings.env)) };
}

/** One key. The value is JSON where it parses, else text. */
export function updateConfig(key: string, text: string, given: Given, surroundings: Surroundings): Update {
  const value = parseValue(text);
  const { file, warnings, updates } = updateKeys([[key, value]], given, surroundings);
  return { key, value, previous: updates[0]?.previous ?? null, file, warnings };
}

/**
 * Writes a file to begin with, and its schema beside it for the editor. Returns the file.
 * Throws `configuration` when there is one already.
 */
export function initConfig(given: Given, { cwd }: Surroundings): string {
  const file = given.config === undefined ? join(cwd, places[0]) : resolve(cwd, given.config);
  if (existsSync(file))
    throw new Failure('configuration', `${file} exists already`, { hint: 'change it with `backup-automation config update`' });
  const schema = join(dirname(file), schemaFile);
  if (!existsSync(schema)) replaceFile(schema, `${JSON.stringify(jsonSchema(), null, 2)}\n`);
  replaceFile(file, sampleText());
  return file;
}
