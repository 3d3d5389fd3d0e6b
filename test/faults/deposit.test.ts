/**
 * test: B4, B6: the disk takes what is written and loses it when it is made durable; EIO when a file is written or closed.
 */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startCli, type CliResult } from '../fixtures/cli.js';
import { count } from '../fixtures/counts.js';
import { cloneDatabase, sql, type TestDatabase } from '../fixtures/database.js';
import { shimDirectory } from '../fixtures/shims.js';
import { mountThinVolume, noMount, noStrace, watched } from './inject.js';
import { until } from './processes.js';
import { afterwards, openRig } from './rig.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await cloneDatabase('shop');
});
afterAll(() => database.drop());

const errorOf = ({ stdout }: CliResult) => (JSON.parse(stdout) as { error: { code: string; message: string } }).error;

describe.skipIf(noMount ?? noStrace)(`a thin disk (${noMount ?? noStrace ?? 'mounted'})`, () => {
  test(
    'B4: what was written is lost when it is made durable: the attempt is void, the file is synced once, the next attempt makes a new one',
    async ({ task }) => {
      const noise =
        "SELECT g, (SELECT string_agg(md5(g::text || i), '') FROM generate_series(1, 31250) i) AS noise FROM generate_series(1, 40) g";
      await sql(database.url, `CREATE TABLE noise AS ${noise}`);
      const rounds = count(1, 10);
      const violations: string[] = [];
      const errnos = new Set<string>();
      for (let round = 0; round < rounds; round += 1) {
        const disk = mountThinVolume();
        const rig = openRig(database, { store: disk.path, settings: { compression: 'none' } });
        try {
          for (const attempt of [1, 2]) {
            const { lines, ...under } = watched(['fsync'], join(rig.directory, `trace${attempt}`));
            const said = await rig.execute({ ...under, under: under.under?.toSpliced(1, 0, '-y') ?? [] });
            expect(said).toMatchObject({ exitCode: 21 });
            const { code, message } = errorOf(said);
            expect(['storage', 'no-space']).toContain(code);
            errnos.add(/EIO|ENOSPC/.exec(message)?.[0] ?? message);
            const synced = lines().flatMap((line) => /fsync\(\d+<([^>]*database\.dump)[^>]*>\) += -1/.exec(line)?.[1] ?? []);
            if (synced.length !== 1) violations.push(`attempt ${attempt}: ${synced.length} failed syncs of the archive`);
            const again = lines().filter((line) => synced.some((path) => line.includes(`<${path}`)));
            if (again.length !== 1) violations.push(`attempt ${attempt}: the archive was synced ${again.length} times`);
            const left = existsSync(join(disk.path, 'shop')) ? readdirSync(join(disk.path, 'shop')) : [];
            if (left.length > 0) violations.push(`attempt ${attempt} left ${left.join(', ')}`);
          }
          disk.grow();
          violations.push(...(await afterwards(rig)));
        } finally {
          disk.umount();
          rig.cleanup();
        }
      }
      await sql(database.url, 'DROP TABLE noise');
      const figures = [...errnos].toSorted().join(', ');
      task.meta.score = { row: 'B4', what: 'written and then lost', n: 2 * rounds, violations, figures };
      expect(violations).toEqual([]);
      expect(figures).toMatch(/^(EIO|ENOSPC|EIO, ENOSPC)$/);
    },
    count(120_000, 900_000),
  );
});

/** Starts a backup that waits before its first byte until a trap for the archive's file is set from outside; on one thread, since strace counts for each. */
async function trapped(rig: ReturnType<typeof openRig>, fault: string): Promise<CliResult> {
  const gate = join(rig.directory, 'gate');
  const wait = (real: string) =>
    `#!/bin/sh\ncase "$1" in --version|-V|--help) exec '${real}' "$@";; esac\nwhile ! [ -e '${gate}' ]; do sleep 0.05; done\nexec '${real}' "$@"\n`;
  const shims = shimDirectory({ pg_dump: wait });
  const args = ['execute', '--force', '--json', '--set', `clientDirectory=${shims.directory}`, '--set', 'compression=none'];
  try {
    const { child, done } = startCli(args, { cwd: rig.directory, env: { ...rig.env, UV_THREADPOOL_SIZE: '1' } });
    const partial = () => readdirSync(join(rig.store, 'shop')).find((name) => name.endsWith('.partial'));
    const archive = () => join(rig.store, 'shop', partial() ?? '', 'database.dump');
    await until('the archive is open', () => partial() !== undefined && existsSync(archive()));
    const call = fault.split(':')[0] ?? '';
    const expressions = ['-e', `trace=${call}`, '-e', `inject=${fault}`, '-P', archive()];
    const trap = spawn('strace', ['-f', '-p', String(child.pid), '-o', join(rig.directory, 'trap'), ...expressions], { stdio: 'ignore' });
    const sprung = new Promise((resolve) => trap.on('close', resolve));
    await until('the trap is set', () => /TracerPid:\s+[1-9]/.test(readFileSync(`/proc/${child.pid}/status`, 'utf8')));
    writeFileSync(gate, '');
    const said = await done;
    await sprung;
    expect(readFileSync(join(rig.directory, 'trap'), 'utf8')).toContain('(INJECTED)');
    return said;
  } finally {
    shims.remove();
  }
}

test.skipIf(noStrace)(
  `B6: EIO on write and close: failed, with the errno, without a path; nothing is ever cut short${noStrace ? ` (${noStrace})` : ''}`,
  { timeout: count(120_000, 900_000) },
  async ({ task }) => {
    const rounds = count(1, 5);
    const faults = ['write:error=EIO:when=2', 'close:error=EIO:when=1', ...(count(0, 1) ? ['write:error=EIO:when=1'] : [])];
    const rig = openRig(database);
    const violations: string[] = [];
    try {
      const trace = watched(['ftruncate', 'truncate'], join(rig.directory, 'trace'));
      expect(await rig.execute({ under: trace.under?.toSpliced(1, 0, '-y') ?? [], env: { ...trace.env } })).toMatchObject({ exitCode: 0 });
      if (trace.lines().some((line) => line.includes(rig.directory))) violations.push('something was cut short');
      for (let round = 0; round < rounds; round += 1)
        for (const fault of faults) {
          const said = await trapped(rig, fault);
          expect(said, fault).toMatchObject({ exitCode: 21 });
          expect(errorOf(said), fault).toMatchObject({ code: 'storage', message: expect.stringContaining('EIO') as string });
          // the storage's folder is named once, and what the system says has no path
          expect(errorOf(said).message.replace(`storage "local" (${rig.store}): `, '')).not.toContain(rig.directory);
          if (readdirSync(join(rig.store, 'shop')).length !== 1) violations.push(`${fault}: something is left`);
          rmSync(join(rig.directory, 'gate'));
        }
      violations.push(...(await afterwards(rig)));
    } finally {
      rig.cleanup();
    }
    task.meta.score = { row: 'B6', what: 'EIO on write and close; ftruncate is never called', n: rounds * faults.length, violations };
    expect(violations).toEqual([]);
  },
);
