/**
 * test: words in the configuration and on the command line that a shell, a path or a program could take for more than words (rows I of
 * docs/reliability.md).
 */
import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { memberName } from '../../src/engines/pg_dump/members.js';
import { cloneDatabase, databaseUrl, noProgramOfOurs, sql, type TestDatabase } from '../fixtures/database.js';
import { lab, type Lab } from '../fixtures/lab.js';
import { noStrace } from './inject.js';

/** Every program that may ever be started by these commands. */
const allowed = new Set(
  (
    'node strace setpriv flock df zstd gzip age pg_dump pg_dumpall pg_restore initdb postgres createdb psql rm cat env locale sh ' +
    // and of the cage of a proof
    'unshare mount mkdir readlink ln pivot_root umount sleep tar taskset'
  ).split(' '),
);
/** The one script of ours, in which no word comes from outside. */
const ofCage = /"-c", "set -eu\\nPATH=\$PATH:\/usr\/sbin/;
/** initdb and pg_dumpall start their companions by a shell, by absolute paths of their own, and ask for the locales. */
const ofPostgres = /"sh", "-c", "(?:\\"\/[^;$`]*\/(?:postgres|pg_dump)\\" -[^;$`]*|locale -a)"\]/;

let shop: TestDatabase;
let canary: string;
let metacharacters: string;
beforeAll(async () => {
  canary = join('/tmp', `canary-input-${process.pid}`);
  metacharacters = `x'"; touch ${canary}; $(touch ${canary}) \`touch ${canary}\` | touch ${canary} & \\`;
  shop = await cloneDatabase('empty', `${metacharacters.slice(0, 20)}${process.pid}`);
  await sql(
    shop.url,
    `CREATE SCHEMA "${metacharacters.replaceAll('"', '""').slice(0, 50)}"; CREATE TABLE "$(touch ${canary})" AS SELECT 1 n; CREATE ROLE "\`touch ${canary}\`"; ALTER TABLE "$(touch ${canary})" OWNER TO "\`touch ${canary}\`"; COMMENT ON TABLE "$(touch ${canary})" IS '; touch ${canary}';`,
  );
});
afterAll(async () => {
  await shop.drop();
  await sql(databaseUrl('postgres'), `DROP ROLE IF EXISTS "\`touch ${canary}\`"`);
});

/** What was started, without the arguments; `sh` not where PostgreSQL's own use it. */
async function programsOf(project: Lab, args: readonly string[]): Promise<{ exitCode: number | null; said: string; started: string[] }> {
  const trace = join(project.directory, 'trace');
  const under = ['strace', '-f', '--seccomp-bpf', '-qq', '-s', '4096', '-e', 'trace=execve', '-o', trace];
  const { exitCode, stdout, stderr } = await project.run(args, { under });
  const lines = readFileSync(trace, 'utf8')
    .split('\n')
    .filter((line) => /execve\(.* = 0$/.test(line));
  const started = lines
    .filter((line) => !(/execve\("\/(?:usr\/)?bin\/sh"/.test(line) && (ofPostgres.test(line) || ofCage.test(line))))
    .map((line) => basename(/execve\("([^"]*)"/.exec(line)?.[1] ?? ''));
  return { exitCode, said: stdout + stderr, started };
}

describe('I5: shell metacharacters in every string', () => {
  const untraceable = noStrace ?? noProgramOfOurs();
  it.skipIf(untraceable !== null)(
    `start no program but ours${untraceable === null ? '' : ` (${untraceable})`}`,
    async () => {
      const storages = { local: { kind: 'local', path: `./b $(touch ${canary}) '"; touch` } };
      const databases = {
        shop: { url: shop.url },
        all: { url: databaseUrl('postgres'), databases: [shop.name.replaceAll(/[[\]*?]/g, '?')], exclude: [metacharacters] },
      };
      const project = lab(databases, {
        storages,
        log: { format: 'text', file: `./log ; touch ${canary}` },
        stateDirectory: `./state \`touch ${canary}\``,
      });
      const used = new Set<string>();
      const commands: [readonly string[], number][] = [
        [['execute'], 0],
        [['verify', 'latest', '--database', 'shop'], 0],
        [['verify', 'latest', '--level', 'archive', '--database', memberName('all', shop.name)], 0],
        [['restore', 'latest', '--database', 'shop', '--output', './out $(touch pwned); `touch pwned`'], 0],
        [['restore', 'latest', '--database', 'shop', '--to', shop.url], 23],
        [['restore', 'latest', '--database', 'shop', '--to', shop.url, '--force-target', metacharacters], 23],
        [['execute', metacharacters], 2],
        [['execute', '--database', metacharacters], 2],
        [['verify', metacharacters], 2],
        [['backups', 'show', metacharacters], 2],
        [['events', 'show', metacharacters], 2],
        [['execute', '--set', `timezone=${metacharacters}`], 10],
        [['execute', '--config', metacharacters], 10],
      ];
      for (const [args, expected] of commands) {
        const { exitCode, said, started } = await programsOf(project, args);
        expect({ args, exitCode, said: exitCode === expected ? '' : said }).toEqual({ args, exitCode: expected, said: '' });
        expect({ args, foreign: started.filter((name) => !allowed.has(name) || name === 'sh') }).toEqual({ args, foreign: [] });
        for (const name of started) used.add(name);
      }
      // the trace saw what it should see
      for (const name of ['pg_dump', 'pg_dumpall', 'pg_restore', 'initdb', 'postgres', 'flock']) expect([...used]).toContain(name);
      expect([existsSync(canary), existsSync(join(project.directory, 'pwned'))]).toEqual([false, false]);
      project.cleanup();
    },
    120_000,
  );

  it('are refused where a name becomes a part of a path', async () => {
    const names = ['../../etc', '/etc/passwd', '..', '.', 'a/b', 'A', 'x'.repeat(64), 'ａ', 'a b', 'a\u0000b', '-x', '$(id)'];
    for (const part of ['databases', 'storages', 'schedules'] as const) {
      const entry = { databases: { host: 'x' }, storages: { kind: 'local', path: './b' }, schedules: { cron: '0 2 * * *' } }[part];
      const project = lab({ shop: { url: shop.url } }, { [part]: Object.fromEntries(names.map((name) => [name, entry])) });
      const { exitCode, stdout, stderr } = await project.run(['config', 'validate', '--json']);
      expect(exitCode).toBe(10);
      for (const name of names)
        expect({ part, name, found: (stdout + stderr).includes(JSON.stringify(name).slice(1, -1)) }).toEqual({ part, name, found: true });
      project.cleanup();
    }
  });
});
