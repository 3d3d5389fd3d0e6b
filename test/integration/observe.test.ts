/** test: what a backup does to its database: it is watched, spared on demand, and gives way to who waits for it. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cloneDatabase, sql, type TestDatabase } from '../fixtures/database.js';
import { lab, type Lab } from '../fixtures/lab.js';
import { shim, shimDirectory, type ShimDirectory } from '../fixtures/shims.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await cloneDatabase('shop');
});
afterAll(() => database.drop());

async function within(shims: ShimDirectory, settings: object, deed: (project: Lab) => Promise<void>, names = ['shop']): Promise<void> {
  const databases = Object.fromEntries(names.map((name) => [name, { url: database.url }]));
  const project = lab(databases, { clientDirectory: shims.directory, ...settings });
  try {
    await deed(project);
  } finally {
    project.cleanup();
    shims.remove();
  }
}

const sessions = () =>
  sql(database.url, `SELECT pid FROM pg_stat_activity WHERE datname = '${database.name}' AND application_name LIKE 'backup-automation:%'`);

/** Of the dump, on the table that the test alters: without it yet, it stands in nobody's way. Clones of one template share the numbers of tables. */
const lock = () =>
  sql(
    database.url,
    `SELECT DISTINCT 1 FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE relation = 'customers'::regclass AND granted
      AND datname = current_database() AND application_name LIKE 'backup-automation:%'`,
  );

test('a dump gives way to a session that waits for it, also when its watch was ended meanwhile, and is tried again', async () => {
  await within(shimDirectory({ pg_dump: shim.silent }), { maxBlocking: 1 }, async (project) => {
    const running = project.json(['execute']);
    await expect.poll(lock, { timeout: 45_000 }).not.toBe('');
    const ended = `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = '${database.name}' AND application_name = 'backup-automation watch'`;
    expect((await sql(database.url, ended)).trim()).toBe('1');
    // ends when the dump's session is gone
    await sql(database.url, 'ALTER TABLE customers ADD COLUMN courtesy int; ALTER TABLE customers DROP COLUMN courtesy');
    const { exitCode, document } = await running;
    expect({ exitCode, ...document.error }).toMatchObject({ exitCode: 20, code: 'gave-way', class: 'busy' });
    expect(document.error.message).toMatch(/pid \d+, .* has waited \d+ s/);
    expect(document.events[0]?.impact?.longestBlocked).toBeGreaterThanOrEqual(1000);
    const { document: later } = await project.json(['events', '--status', 'pending']);
    expect(later.events).toMatchObject([{ type: 'retry', attempt: 2 }]);
    expect(later.events[0]).not.toHaveProperty('impact');
    expect(project.stored().filter((name) => name.includes('partial'))).toEqual([]);
  });
});

const canConfine = availableParallelism() > 1 && spawnSync('taskset', ['-V']).status === 0;

test.skipIf(!canConfine)(
  'gentle: all that runs here and its sessions on the server keep to one core, behind others, for one database after the other',
  async () => {
    const seen = join(process.env['TMPDIR'] ?? '/tmp', `backup-automation-cores-${process.pid}`);
    const slow = (real: string) =>
      `#!/bin/sh\ncase "$1" in --version|-V) exec '${real}' "$@";; esac\n{ grep -h Cpus_allowed_list /proc/self/status /proc/$PPID/status; nice; ps -o ni= -p $PPID; } >'${seen}'\nsleep 3\nexec '${real}' "$@"\n`;
    const confined = async (project: Lab) => {
      const running = project.json(['execute']);
      const cores = async () => {
        const pids = (await sessions()).split('\n').filter(Boolean);
        return pids.map((pid) => /^Cpus_allowed_list:\s*(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
      };
      await expect.poll(cores, { timeout: 45_000 }).toEqual([expect.stringMatching(/^\d+$/)]);
      const { exitCode, document } = await running;
      expect(exitCode).toBe(0);
      const said = document.events.map(({ impact }) => impact?.gentle);
      expect(said).toEqual([expect.stringMatching(/^confined to core \d+: the dump and its sessions$/), said[0]]);
      // the core and the priority of the dump, and of what started it
      expect(existsSync(seen) && readFileSync(seen, 'utf8')).toMatch(/:\s*(\d+)\n.*:\s*\1\n19\n\s*19\n$/);
    };
    await within(shimDirectory({ pg_dump: slow }), { gentle: 'on' }, confined, ['shop', 'again']);
  },
);

test('auto leaves a quiet database alone, off says so', async () => {
  for (const [gentle, said] of [
    ['auto', 'not confined: the database was quiet'],
    ['off', 'not confined: gentle is off'],
  ] as const)
    await within(shimDirectory({}), { gentle }, async (project) => {
      const { document } = await project.json(['execute']);
      expect(document.events[0]?.impact).toMatchObject({ before: null, longestBlocked: 0, core: null, gentle: said });
    });
});
