/** test: how long a channel that does not take an alert is left alone. */
import { expect, test } from 'vitest';
import { backOff } from '../../../src/model/alert/owed.js';

test('a channel is tried again after 1, 2, 4 ... minutes, and never later than after an hour', () => {
  expect([1, 2, 3, 6, 7, 8, 50, 5000].map((tries) => backOff(tries) / 60_000)).toEqual([1, 2, 4, 32, 60, 60, 60, 60]);
});
