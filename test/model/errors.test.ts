import { describe, expect, test } from 'vitest';
import { asFailure, Failure, failures, type FailureCode } from '../../src/model/errors.js';

const codes = Object.keys(failures) as FailureCode[];

describe('the table', () => {
  test.each(codes)('%s has an exit code of the contract and a hint', (code) => {
    expect([1, 2, 3, 10, 20, 21, 22, 23, 74, 75, 130]).toContain(failures[code].exit);
    expect(failures[code].hint).toMatch(/^\S.*[^.\s]$/);
  });

  test('what cannot succeed by repeating is not said to pass', () => {
    const never: FailureCode[] = [
      'configuration',
      'authentication',
      'no-database',
      'client-too-old',
      'client-missing',
      'verification',
      'usage',
    ];
    for (const code of never) expect([code, failures[code].class]).toEqual([code, 'permanent']);
    expect(failures['no-space'].class).toBe('resource');
  });
});

describe('a Failure', () => {
  test('carries its row of the table', () => {
    const failure = new Failure('storage', 'local: no such folder');
    expect(failure).toMatchObject({
      code: 'storage',
      class: 'transient',
      exit: 21,
      hint: failures.storage.hint,
      message: 'local: no such folder',
    });
    expect(JSON.parse(JSON.stringify(failure))).toEqual({
      code: 'storage',
      class: 'transient',
      hint: failures.storage.hint,
      message: 'local: no such folder',
    });
  });

  test('may know better than its row', () => {
    const cause = new Error('deep');
    expect(new Failure('interrupted', 'm', { exit: 143, hint: 'h', class: 'busy', cause })).toMatchObject({
      exit: 143,
      hint: 'h',
      class: 'busy',
      cause,
    });
  });
});

describe('any thrown value as a Failure', () => {
  test('itself, when it is one', () => {
    const failure = new Failure('usage', 'm');
    expect(asFailure(failure, 'storage')).toBe(failure);
  });

  test.each([
    [new TypeError('odd'), 'odd'],
    ['odd', 'odd'],
    [42, '42'],
  ])('%s', (thrown, message) => {
    expect(asFailure(thrown)).toMatchObject({ code: 'internal', exit: 1, message, cause: thrown });
    expect(asFailure(thrown, 'engine')).toMatchObject({ code: 'engine', exit: 20, message });
  });
});
