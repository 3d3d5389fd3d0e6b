/**
 * config: lays flag over environment over file over default, key by key, and remembers who said what; it judges no value.
 */
import type { Problem } from './problem.js';
import { shown } from './problem.js';

export type Origin = 'flag' | 'environment' | 'file' | 'default';
export type Path = readonly string[];
export type Tree = Record<string, unknown>;

/** A file's values, not yet judged. */
export interface Source {
  readonly file: string;
  readonly values: Tree;
  /** What was left out of `values` because no value could be made of it. */
  readonly problems: readonly Problem[];
}

/** Who set a leaf: the origin, and its name for a person (file, variable, `--set`). */
export interface Mark {
  readonly origin: Origin;
  readonly source: string;
}

export const isTree = (value: unknown): value is Tree => typeof value === 'object' && value !== null && !Array.isArray(value);

/** An object without prototype, so that no key of it means anything. */
export const tree = (): Tree => Object.create(null) as Tree;

/** Scalars, lists and empty objects with their paths. */
export function* leaves(value: unknown, path: Path = []): Generator<readonly [Path, unknown]> {
  if (!isTree(value) || Object.keys(value).length === 0) yield [path, value];
  else for (const key of Object.keys(value)) yield* leaves(value[key], [...path, key]);
}

/** JSON where it parses, else the text itself. */
export function parseValue(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

/** What stands at a path; undefined when nothing does. */
export function valueAt(value: unknown, path: Path): unknown {
  let here = value;
  for (const key of path) here = isTree(here) && Object.hasOwn(here, key) ? here[key] : Array.isArray(here) ? here[Number(key)] : undefined;
  return here;
}

const forbidden = new Set(['__proto__', 'constructor', 'prototype']);
const deepest = 16;
const most = 50_000;

/**
 * A copy without prototypes, of values from outside (YAML's aliases, a program's objects). Too deep, too many, or a key that could
 * reach a prototype: a problem, and the place is left out. The short form of `compression`, its algorithm alone, is written out.
 */
export function adopt(value: unknown, source: string, problems: Problem[], at: Path = []): unknown {
  let count = 0;
  const complain = (path: Path, found: string, expected: string) => {
    problems.push({ source, key: path.join('.').slice(0, 200), found, expected });
    return undefined;
  };
  const copy = (given: unknown, path: Path): unknown => {
    count += 1;
    if (count > most) return count === most + 1 ? complain([], `more than ${most} values`, 'fewer') : undefined;
    if (given instanceof Date) return given.toISOString();
    if (typeof given === 'string' && path.at(-1) === 'compression') return Object.assign(tree(), { algorithm: given });
    if (typeof given !== 'object' || given === null) return given;
    if (path.length >= deepest) return complain(path.slice(0, 8), 'nested too deep', `at most ${deepest} levels`);
    if (Array.isArray(given)) return given.map((item, index) => copy(item, [...path, String(index)]));
    const result = tree();
    for (const [key, item] of Object.entries(given)) {
      if (count > most) break;
      if (forbidden.has(key)) complain([...path, key], shown(item, key), 'no such key');
      else result[key] = copy(item, [...path, key]);
    }
    return result;
  };
  return copy(value, at);
}

function* nodes(value: unknown, path: Path): Generator<Path> {
  yield path;
  if (isTree(value)) for (const key of Object.keys(value)) yield* nodes(value[key], [...path, key]);
}

/** The values of all layers, and who set each of them by its dotted key. */
export class Layers {
  readonly root: Tree = tree();
  readonly #marks = new Map<string, Mark>();

  /** Puts a value over what is there. False when a part of the path is no object. */
  assign(path: Path, value: unknown, mark: Mark): boolean {
    let here = this.root;
    for (const [depth, key] of path.slice(0, -1).entries()) {
      if (here[key] === undefined) {
        here[key] = tree();
        this.#marks.set(path.slice(0, depth + 1).join('.'), mark);
      }
      const next = here[key];
      if (!isTree(next)) return false;
      here = next;
    }
    const last = path.at(-1) ?? '';
    if (here[last] !== undefined) for (const old of nodes(here[last], path)) this.#marks.delete(old.join('.'));
    here[last] = value;
    for (const node of nodes(value, path)) this.#marks.set(node.join('.'), mark);
    return true;
  }

  /** Who set the leaf at this path. */
  origin(path: Path): Origin {
    return this.#marks.get(path.join('.'))?.origin ?? 'default';
  }

  /** Whom to blame for what stands, or is missing, at this path. */
  source(path: Path): string | undefined {
    for (let length = path.length; length > 0; length -= 1) {
      const mark = this.#marks.get(path.slice(0, length).join('.'));
      if (mark) return mark.source;
    }
    return undefined;
  }
}
