/** test: which client suits which server. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { chooseClient, chooseServer, type Installed } from '../../../src/model/backup/client-choice.js';
import { Failure } from '../../../src/model/errors.js';

const installed = (major: number, directory = `/usr/lib/postgresql/${major}/bin`): Installed => ({
  directory,
  major,
  version: `${major}.3`,
  file: (name) => `${directory}/${name}`,
});

function failureOf(action: () => unknown): Failure {
  try {
    action();
  } catch (error) {
    if (error instanceof Failure) return error;
  }
  throw new Error('it did not fail');
}

test.each([
  [[13, 15, 17], 14, 15],
  [[17, 15, 13], 15, 15],
  [[17], 9, 17],
])('of %j for a server %i it takes %i', (majors, server, expected) => {
  const all = majors.map((major) => installed(major));
  expect(chooseClient(all, server).major).toBe(expected);
  expect(chooseServer(all, server).major).toBe(expected);
});

test('the first found wins among equals', () => {
  expect(chooseClient([installed(17), installed(16, '/on/path'), installed(16)], 15).directory).toBe('/on/path');
});

test('is the lowest that is not older, in any order', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 9, max: 30 })), fc.integer({ min: 9, max: 30 }), (majors, server) => {
      const fitting = majors.filter((major) => major >= server);
      fc.pre(fitting.length > 0);
      return (
        chooseClient(
          majors.map((major) => installed(major)),
          server,
        ).major === Math.min(...fitting)
      );
    }),
  );
});

test('older clients are refused with both versions and the package', () => {
  const failure = failureOf(() => chooseClient([installed(13), installed(15)], 17));
  expect(failure).toMatchObject({ code: 'client-too-old', exit: 20, class: 'permanent' });
  expect(failure.message).toMatch(/PostgreSQL 17.*pg_dump 15\.3/);
  expect(failure.hint).toContain('apt-get install postgresql-client-17');
});

test('no client at all, and why what is there cannot be used', () => {
  const failure = failureOf(() => chooseClient([], 16, ['/opt/pg_dump is not executable']));
  expect(failure.code).toBe('client-missing');
  expect(failure.message).toContain('/opt/pg_dump is not executable');
  expect(failure.hint).toContain('postgresql-client-16');
});

test('no server programs of the version', () => {
  expect(failureOf(() => chooseServer([installed(15)], 16))).toMatchObject({ code: 'server-missing', exit: 22 });
  expect(failureOf(() => chooseServer([], 16)).hint).toContain('apt-get install postgresql`');
});
