/**
 * config: from command line, environment and file to one checked configuration. The only room beside `system` that is given the
 * environment. Light at the top: `locateState` is on the path of commands that must start at once, so the schema comes in lazily.
 */
import { basename, dirname, extname, isAbsolute, resolve } from 'node:path';
import type { LoadedConfig } from './check.js';
import { findFile, moduleName, readText, type Given, type Surroundings } from './file.js';
import { JsonError, readJson } from './json.js';
import { adopt, isTree, parseValue, type Source } from './layers.js';
import { ConfigurationFailure, refuse, shown, type Problem } from './problem.js';

export type { LoadedConfig } from './check.js';

/** Where this process stands: what every command gives to the functions of this file. */
export const here = (): Surroundings => ({ env: process.env, cwd: process.cwd() });

function parseJson(file: string, text: string): unknown {
  try {
    return readJson(text).value;
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    return refuse(file, `line ${error.line}, column ${error.column}: ${error.message}`, 'JSON');
  }
}

/**
 * cosmiconfig's loaders for YAML and programs. Its search is not used: it passes over a file that it may not read, which would
 * silently back up by the defaults, it follows `$import`, and it runs the .js files of a home directory.
 */
async function parseOther(file: string, text: string): Promise<unknown> {
  const { defaultLoaders } = await import('cosmiconfig');
  const kind = extname(file);
  if (kind !== '.yaml' && kind !== '.yml' && kind !== '.js' && kind !== '.mjs')
    return refuse(file, `"${kind}" is no kind of configuration file`, '.json, .yaml, .yml, .js or .mjs');
  try {
    const loader = kind === '.mjs' ? defaultLoaders['.js'] : defaultLoaders[kind];
    return (await loader(file, text)) ?? {};
  } catch (error) {
    const [, message = ''] = /^(?:YAML Error in .*:\n)?([^\n]*)/.exec((error as Error).message) ?? [];
    const { line } = (error as { mark?: { line?: number } }).mark ?? {};
    return refuse(
      file,
      `${line === undefined ? '' : `line ${line + 1}: `}${message}`,
      kind.startsWith('.y') ? 'YAML' : 'a program that runs',
    );
  }
}

function sourceOfValue(file: string, parsed: unknown): Source {
  const whole = basename(file) === 'package.json' && isTree(parsed) ? parsed[moduleName] : parsed;
  const problems: Problem[] = [];
  const values = adopt(whole, file, problems);
  if (!isTree(values)) return refuse(file, 'the file holds no object', 'an object with keys');
  delete values['$schema'];
  return { file, values, problems };
}

/** The values in the text of a JSON file. */
export const sourceOfText = (file: string, text: string): Source => sourceOfValue(file, parseJson(file, text));

/** The values of a file. Throws ConfigurationFailure when it cannot be trusted or read at all. */
async function readSource(file: string): Promise<Source> {
  const text = readText(file);
  return extname(file) === '.json' ? sourceOfText(file, text) : sourceOfValue(file, await parseOther(file, text));
}

async function sourceOf(given: Given, surroundings: Surroundings): Promise<Source | null> {
  const file = findFile(given, surroundings);
  return file === null ? null : readSource(file);
}

/**
 * The configuration, all defaults filled in and all paths absolute. Throws ConfigurationFailure (exit 10) with every problem at once,
 * each with its source, key, value found and value expected.
 */
export async function loadConfig(given: Given, surroundings: Surroundings): Promise<LoadedConfig> {
  const { resolveConfig } = await import('./check.js');
  return resolveConfig(await sourceOf(given, surroundings), given, surroundings);
}

export interface Verdict {
  readonly errors: readonly Problem[];
  /** What is valid but will surprise, or is not built yet; a sentence each. */
  readonly warnings: readonly string[];
}

/** The same without throwing: what `config validate` says. */
export async function checkConfig(given: Given, surroundings: Surroundings, now: Date): Promise<Verdict> {
  try {
    const loaded = await loadConfig(given, surroundings);
    const [{ notBuiltYet }, { timeWarnings }] = await Promise.all([import('./rules.js'), import('./times.js')]);
    return { errors: [], warnings: [...notBuiltYet(loaded), ...timeWarnings(loaded.config, now)] };
  } catch (error) {
    if (error instanceof ConfigurationFailure) return { errors: error.problems, warnings: [] };
    throw error;
  }
}

/** The default of the schema, which is not loaded for it. */
const defaultStateDirectory = './.backup-automation';

/**
 * The absolute state directory by the same precedence, without judging any other key: all that listings need to know.
 */
export async function locateState(given: Given, surroundings: Surroundings): Promise<string> {
  const key = 'stateDirectory';
  const flag = given.set.findLast((entry) => entry.startsWith(`${key}=`));
  const source = flag === undefined ? await sourceOf(given, surroundings) : null;
  const found = flag === undefined ? (source?.values[key] ?? defaultStateDirectory) : parseValue(flag.slice(key.length + 1));
  if (typeof found !== 'string' || found === '') return refuse(source?.file ?? '--set', `${key} is ${shown(found)}`, 'a folder');
  return isAbsolute(found) ? found : resolve(source ? dirname(source.file) : surroundings.cwd, found);
}
