/**
 * test: stories, text files of what is typed and what is seen. See main-path.txt for one; README of the format:
 *
 *     What the story is about.
 *     needs: shop as DATABASE_URL       a database of its own: `shop` with data, or `empty`; its URL in the variable
 *     needs: closed window              CLOSED_START and CLOSED_END, times of day between which it is not now
 *     env: NAME=VALUE
 *     file: NAME                        the lines below it, indented, are its content
 *
 *     $ backup-automation events        typed in a shell, in a folder of the story's own; $VARIABLES stand as they do there
 *     ? 2                               the exit code, when it is not 0
 *     no events                         seen on stdout and stderr; [..] stands for any text, a line of [...] for any lines
 */
import { spawnSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { cloneDatabase, type TestDatabase } from '../fixtures/database.js';
import { temporaryProject } from '../fixtures/cli.js';

export interface Step {
  readonly line: number;
  readonly typed: string;
  readonly exitCode: number;
  readonly seen: readonly string[];
}

export interface Story {
  readonly title: string;
  readonly needs: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly files: Readonly<Record<string, string>>;
  readonly steps: readonly Step[];
}

/** What stands after `key: ` on each such line. */
const values = (lines: readonly string[], key: string) =>
  lines.filter((line) => line.startsWith(`${key}: `)).map((line) => line.slice(key.length + 2));

function filesOf(head: readonly string[]): Record<string, string> {
  const files: Record<string, string> = {};
  for (const [index, line] of head.entries()) {
    if (!line.startsWith('file: ')) continue;
    const rest = head.slice(index + 1);
    const end = rest.findIndex((one) => !one.startsWith('  '));
    files[line.slice(6)] = rest.slice(0, end < 0 ? undefined : end).map((one) => `${one.slice(2)}\n`).join(''); // prettier-ignore
  }
  return files;
}

export function parseStory(text: string): Story {
  const lines = text.trimEnd().split('\n');
  const starts = lines.flatMap((line, index) => (line.startsWith('$ ') ? [index] : []));
  const head = lines.slice(0, starts[0]);
  const steps = starts.map((start, index) => {
    const body = lines.slice(start + 1, starts[index + 1]);
    const exit = body[0]?.startsWith('? ') ? Number(body.shift()?.slice(2)) : 0;
    while (body.at(-1) === '') body.pop();
    return { line: start + 1, typed: lines[start]?.slice(2) ?? '', exitCode: exit, seen: body };
  });
  const env = Object.fromEntries(values(head, 'env').map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]));
  return { title: head[0] ?? '', needs: values(head, 'needs'), env, files: filesOf(head), steps };
}

const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
const lineMatches = (expected: string, actual: string) => new RegExp(`^${expected.split('[..]').map(escaped).join('.*')}$`).test(actual);

/** Whether what was seen is what was expected, line by line. */
export function matches(expected: readonly string[], actual: readonly string[]): boolean {
  const [first, ...rest] = expected;
  if (first === undefined) return actual.length === 0;
  if (first === '[...]') return actual.some((_, index) => matches(rest, actual.slice(index))) || matches(rest, []);
  return actual[0] !== undefined && lineMatches(first, actual[0]) && matches(rest, actual.slice(1));
}

export interface Told {
  readonly exitCode: number | null;
  readonly lines: readonly string[];
}

export interface Stage {
  type(typed: string): Told;
  clear(): Promise<void>;
}

/** `HH:mm` in UTC, so many hours from now. */
const hoursFromNow = (hours: number) => new Date(Date.now() + hours * 3_600_000).toISOString().slice(11, 16);

async function provide(need: string): Promise<{ env: Record<string, string>; database?: TestDatabase }> {
  if (need === 'closed window') return { env: { CLOSED_START: hoursFromNow(2), CLOSED_END: hoursFromNow(3) } };
  const [, template, name] = /^(shop|empty) as ([A-Z_]+)$/.exec(need) ?? [];
  if ((template !== 'shop' && template !== 'empty') || name === undefined) throw new Error(`a story cannot need "${need}"`);
  const database = await cloneDatabase(template);
  return { env: { [name]: database.url }, database };
}

/** A folder, the databases, and a shell that knows `backup-automation`. */
export async function setStage(story: Story): Promise<Stage> {
  const project = temporaryProject();
  const provided = await Promise.all(story.needs.map(provide));
  const env = Object.assign({ ...project.env }, ...provided.map((one) => one.env), story.env) as Record<string, string>;
  const bin = join(import.meta.dirname, '../../bin/backup-automation.js');
  chmodSync(project.file('bin/backup-automation', `#!/bin/sh\nexec '${process.execPath}' '${bin}' "$@"\n`), 0o755);
  for (const [name, content] of Object.entries(story.files)) project.file(name, content);
  return {
    type(typed) {
      const { status, stdout } = spawnSync('bash', ['-c', `exec 2>&1\n${typed}`], {
        cwd: project.directory,
        env: { ...env, PATH: `${join(project.directory, 'bin')}:${env['PATH']}` },
        encoding: 'utf8',
        timeout: 120_000,
      });
      const shown = stdout.replaceAll(project.directory, '<folder>').trimEnd();
      return { exitCode: status, lines: shown === '' ? [] : shown.split('\n') };
    },
    async clear() {
      for (const { database } of provided) await database?.drop();
      project.cleanup();
    },
  };
}
