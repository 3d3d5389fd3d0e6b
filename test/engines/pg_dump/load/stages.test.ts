/**
 * test: which end of a pg_restore that is newer than its server is a good one.
 */
import { expect, it } from 'vitest';
import { loadStages } from '../../../../src/engines/pg_dump/load/stages.js';
import type { LoadRequest } from '../../../../src/model/roles/engine/load.js';

const client = { directory: '/pg', major: 17, version: '17.6', file: (name: string) => `/pg/${name}` };
const request = { noOwner: false } as LoadRequest;
const way = { clean: false, atomic: false, jobs: 2 };
const stages = (serverMajor: number, atomic = false) =>
  loadStages({ client, databaseName: 'x', serverMajor, env: {} }, request, { ...way, atomic }, []);

const complaint = `pg_restore: error: could not execute query: ERROR:  unrecognized configuration parameter "transaction_timeout"
Command was: SET transaction_timeout = 0;`;
const german = complaint.replace(/ERROR.*/, 'FEHLER:  unbekannter Konfigurationsparameter »transaction_timeout«');
const mixed = `pg_restore: error: pg_restore: error: could not execute query: ERROR:  unrecognized configuration parameter "transaction_timeout"could not execute query: ERROR:  unrecognized configuration parameter "transaction_timeout"

Command was: SET transaction_timeout = 0;Command was: SET transaction_timeout = 0;
`;
const last = 'pg_restore: warning: errors ignored on restore: 2';
const other = 'pg_restore: error: could not execute query: ERROR:  role "x" does not exist\nCommand was: ALTER TABLE t OWNER TO x;';

it.each([
  [true, `${complaint}\n${last}`],
  [true, `${complaint}\n${complaint}\n${last}`],
  [true, `${german}\n${last}`],
  [true, `${mixed}${complaint}\n${last}`],
  [false, `${complaint}\n${other}\n${last}`],
  [false, `${other}\n${complaint}\n${last}`],
  [false, `${complaint.replace(/Command was: .*/, 'Command was: CREATE FUNCTION f() ... SET transaction_timeout = 0;')}\n${last}`],
  [false, `${complaint}\npg_restore: error: a worker process died unexpectedly`],
  [false, complaint],
  [false, ''],
])('%s for %j', (good, stderr) => {
  const [stage] = stages(15);
  if (stage?.kind !== 'program') throw new Error('no program');
  expect(stage.isGood?.({ file: 'pg_restore', exitCode: 1, signal: null, stderr })).toBe(good);
  expect(stage.isGood?.({ file: 'pg_restore', exitCode: 2, signal: null, stderr })).toBe(false);
});

it('is asked of no other pair of versions, and one transaction goes by psql only there', () => {
  expect(stages(17).map((stage) => 'isGood' in stage)).toEqual([false]);
  expect(stages(17, true)).toHaveLength(1);
  expect(stages(15, true).map(({ kind }) => kind)).toEqual(['program', 'transform', 'program']);
});

it('what else was wrong is told without that', async () => {
  const [stage] = stages(15);
  if (stage?.kind !== 'program') throw new Error('no program');
  const failure = await stage.explain({ file: 'pg_restore', exitCode: 1, signal: null, stderr: `${complaint}\n${other}\n${last}` });
  expect(failure.message).toBe('pg_restore reported 1 error: could not execute query: ERROR:  role "x" does not exist');
});
