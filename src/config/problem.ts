/**
 * config: one thing that is wrong with the configuration, said so that it can be mended; never with a secret in it.
 */
import { Failure } from '../model/errors.js';
import { redact } from '../model/redact.js';

export interface Problem {
  /** The file, the environment variable, `--set`, or `defaults`. */
  readonly source: string;
  /** Dotted; empty for the whole file. */
  readonly key: string;
  /** The value as a person sees it; secrets and the insides of objects are left out. */
  readonly found: string;
  readonly expected: string;
}

/** `/etc/b.json: conditions.maxDatabaseLoad is 120, expected a number from 0 to 100`. */
const sentence = ({ source, key, found, expected }: Problem): string =>
  key && expected.startsWith('no such key')
    ? `${source}: ${key} is ${found}, but there is ${expected}`
    : `${source}: ${key ? `${key} is ${found}` : found}, expected ${expected}`;

const listed = 100;

/** Everything that is wrong, at once: exit 10, one line a problem (at most 100 of them). */
export class ConfigurationFailure extends Failure {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[], hint?: string) {
    const lines = problems.slice(0, listed).map(sentence);
    if (problems.length > listed) lines.push(`and ${problems.length - listed} more`);
    super('configuration', lines.join('\n'), hint === undefined ? {} : { hint });
    this.problems = problems;
  }
}

/** Throws for a whole file that cannot be used. */
export function refuse(source: string, found: string, expected: string): never {
  throw new ConfigurationFailure([{ source, key: '', found, expected }]);
}

const secretName = /pass|pwd|secret|token|credential|identity/i;

/** A value in a few characters, for a message. The key's name tells whether it may be shown. */
export function shown(value: unknown, key = ''): string {
  if (value === undefined) return 'missing';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'an object';
  if (typeof value === 'string' && secretName.test(key)) return '"***"';
  const text = typeof value === 'string' ? JSON.stringify(redact(value.slice(0, 200))) : `${value as number}`;
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}
