/**
 * test: stories, text files of what is typed and what is seen. See main-path.txt for one; README of the format:
 *
 *     What the story is about.
 *     needs: shop as DATABASE_URL       a database of its own: `shop` with data, or `empty`; its URL in the variable
 *     needs: closed window              CLOSED_START and CLOSED_END, times of day between which it is not now
 *     needs: password server as DB_URL  a server of its own on loopback; the password is "right-and-secret"
 *     env: NAME=VALUE
 *     file: NAME                        the lines below it, indented, are its content
 *
 *     $ backup-automation events        typed in a shell, in a folder of the story's own; $VARIABLES stand as they do there
 *     ? 2                               the exit code, when it is not 0
 *     no events                         seen on stdout and stderr; [..] stands for any text, a line of [...] for any lines;
 *                                       columns may be as wide as they are
 */
import { spawnSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { startCluster } from '../../src/system/postgres/cluster.js';
import { temporaryProject } from '../fixtures/cli.js';
import { cloneDatabase, program, serverPrograms, sql } from '../fixtures/database.js';

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
/** Columns may be as wide as they are. */
const narrowed = (line: string) => line.replace(/ {2,}/g, '  ').trimEnd();
const lineMatches = (expected: string, actual: string) =>
  new RegExp(`^${narrowed(expected).split('[..]').map(escaped).join('.*')}$`).test(narrowed(actual));

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

interface Provided {
  readonly env: Readonly<Record<string, string>>;
  remove(): Promise<void>;
}

async function passwordServer(name: string): Promise<Provided> {
  const cluster = await startCluster({ programs: await serverPrograms(), tcp: true });
  await sql(cluster.url('postgres'), "CREATE ROLE guest SUPERUSER LOGIN PASSWORD 'right-and-secret'");
  const url = `postgresql://guest:right-and-secret@127.0.0.1:${cluster.port}/postgres`;
  return { env: { [name]: url }, remove: () => cluster.stop() };
}

async function provide(need: string): Promise<Provided> {
  if (need === 'closed window') return { env: { CLOSED_START: hoursFromNow(2), CLOSED_END: hoursFromNow(3) }, remove: async () => {} };
  const [, what, name] = /^(shop|empty|password server) as ([A-Z_]+)$/.exec(need) ?? [];
  if (what === undefined || name === undefined) throw new Error(`a story cannot need "${need}"`);
  if (what === 'password server') return passwordServer(name);
  const database = await cloneDatabase(what as 'shop' | 'empty');
  return { env: { [name]: database.url }, remove: () => database.drop() };
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
        env: { ...env, PATH: `${join(project.directory, 'bin')}:${env['PATH']}:${dirname(program('psql'))}` },
        encoding: 'utf8',
        timeout: 120_000,
      });
      const shown = stdout.replaceAll(project.directory, '<folder>').trimEnd();
      return { exitCode: status, lines: shown === '' ? [] : shown.split('\n') };
    },
    async clear() {
      for (const one of provided) await one.remove();
      project.cleanup();
    },
  };
}
