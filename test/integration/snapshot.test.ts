/**
 * test: the fingerprint is of the very snapshot that was dumped, whatever is written, emptied, changed or dropped meanwhile.
 */
import { spawn } from 'node:child_process';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { catalog } from '../../src/core/catalog/catalog.js';
import { execute } from '../../src/core/execute.js';
import { verifyBackup } from '../../src/core/verify.js';
import { count } from '../fixtures/counts.js';
import { cloneDatabase, databaseUrl, program, sql, type TestDatabase } from '../fixtures/database.js';
import { byHand, inProcess, lab } from '../fixtures/lab.js';
import { shim, shimDirectory } from '../fixtures/shims.js';
import { until } from '../faults/processes.js';

const rounds = count(10, 40);
let database: TestDatabase;
beforeAll(async () => {
  database = await cloneDatabase('shop');
});
afterAll(() => database.drop());

function* forever(script: string): Generator<string> {
  for (;;) yield `${script}\n`;
}

/** psql that repeats a script until it is stopped; errors are part of it. */
function writer(script: string): () => Promise<void> {
  const child = spawn(program('psql'), ['-X', '-q', '-d', database.url], { stdio: ['pipe', 'ignore', 'ignore'] });
  child.stdin.on('error', () => {});
  Readable.from(forever(script)).pipe(child.stdin);
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  return () => {
    child.kill('SIGKILL');
    return ended;
  };
}

const inserts = `BEGIN; INSERT INTO visits SELECT '2024-07-01Z', '/', gen_random_uuid() FROM generate_series(1, 5); INSERT INTO vouchers VALUES (gen_random_uuid(), 1);
  INSERT INTO manuals SELECT max(product_id) + 1, lo_from_bytea(0, 'x') FROM manuals HAVING max(product_id) < 40; COMMIT;
  DELETE FROM visits WHERE visitor IN (SELECT visitor FROM visits LIMIT 5); DELETE FROM vouchers WHERE code IN (SELECT code FROM vouchers LIMIT 1);`;
// now and then: what queues for a table just between our lock and pg_dump's keeps both waiting, and that backup fails as busy
const changes = `SELECT pg_sleep(1 + random()); TRUNCATE vouchers; INSERT INTO vouchers SELECT gen_random_uuid(), 1 FROM generate_series(1, 50);
  ALTER TABLE vouchers ADD COLUMN more int DEFAULT (random() * 10)::int; ALTER TABLE vouchers DROP COLUMN more; ALTER TABLE visits_2025 ALTER page TYPE varchar; ALTER TABLE visits_2025 ALTER page TYPE text;
  CREATE TABLE passing AS SELECT generate_series(1, 30) n; DROP TABLE passing;`;

describe('while others write', () => {
  it.each([
    ['rows are inserted and deleted', [inserts, inserts], rounds],
    ['tables are truncated, changed, made and dropped', [inserts, changes], 1],
  ])('%s: what is called completed restores equal', async (_what, scripts, least) => {
    const project = lab(
      { shop: { url: database.url } },
      { autoRetry: false, lockWaitTimeout: 1, retention: { keepLast: 1000 }, verify: { server: databaseUrl('postgres') } },
    );
    const context = await inProcess(project);
    const stops = scripts.map(writer);
    let failures = 0;
    const found: { ok: boolean; detail: string }[] = [];
    try {
      for (let round = 0; round < rounds; round += 1) {
        const { events } = await execute(context, byHand);
        if (events[0]?.status !== 'completed') failures += 1;
      }
    } finally {
      for (const stop of stops) await stop();
    }
    const { backups, problems } = await catalog(context);
    for (const backup of backups) found.push(await verifyBackup(context, backup, 'restore'));
    expect(problems).toEqual([]);
    expect(found.filter(({ ok }) => !ok)).toEqual([]);
    expect(found.length + failures).toBe(rounds);
    expect(found.length).toBeGreaterThanOrEqual(least);
    project.cleanup();
  });

  it('every table is locked before the dump, so an ALTER TABLE that waits for it does not make the backup fail', async () => {
    const shims = shimDirectory({ pg_dump: shim.held });
    const project = lab({ shop: { url: database.url } }, { autoRetry: false, lockWaitTimeout: 1, clientDirectory: shims.directory });
    const running = execute(await inProcess(project), byHand);
    const locked = `SELECT coalesce(string_agg(c, ','), '') FROM (SELECT count(DISTINCT relation)::text c FROM pg_locks JOIN pg_stat_activity USING (pid)
      JOIN pg_class ON pg_class.oid = relation WHERE application_name LIKE 'backup-automation:%' AND datname = current_database() AND relkind = 'r'
      AND relnamespace::regnamespace::text !~ '^(pg_|inf)' GROUP BY pid HAVING count(*) > 1) x`;
    const tables = await sql(
      database.url,
      "SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relnamespace::regnamespace::text !~ '^(pg_|inf)'",
    );
    await until('all tables are locked', async () => (await sql(database.url, locked)) === `${tables},${tables}`);
    const altering = sql(database.url, 'ALTER TABLE order_lines ADD COLUMN note text');
    const waiting = 'SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE NOT granted AND datname = current_database()';
    await until('someone waits', async () => (await sql(database.url, waiting)) !== '0');
    shims.release();
    expect((await running).events).toMatchObject([{ status: 'completed' }]);
    await altering;
    shims.remove();
    project.cleanup();
  });
});
