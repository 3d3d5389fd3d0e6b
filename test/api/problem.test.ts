/** test: what others are told of an error: their own mistakes in full, ours not at all. */
import { expect, test } from 'vitest';
import { problemOf } from '../../src/api/problem.js';
import { Failure } from '../../src/model/errors.js';

test('K13: what is wrong behind the server is in its log alone', () => {
  const message = 'db1.internal:5432 refused the user backup';
  for (const code of ['connection', 'storage', 'ledger', 'internal', 'engine'] as const) {
    const problem = problemOf(new Failure(code, message, { hint: 'look at db1.internal' }));
    expect(problem.status).toBeGreaterThanOrEqual(500);
    expect(JSON.stringify(problem)).not.toContain('db1');
  }
  expect(JSON.stringify(problemOf(new Error(message)))).not.toContain('db1');
});

test('K13: what a caller did wrong is told, without paths of this machine', () => {
  const problem = problemOf(new Failure('not-found', 'there is no backup in /srv/backups/shop', { hint: 'see /srv/backups' }));
  expect(problem).toMatchObject({ status: 404, detail: 'there is no backup in …', hint: 'see …' });
});
