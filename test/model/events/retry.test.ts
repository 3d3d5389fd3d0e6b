/** model/retry: which failures are worth another try, and when. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decideRetry, retryDelay } from '../../../src/model/events/retry.js';

const settings = { autoRetry: true, maxRetries: 3, retryDelay: 30 };
const now = new Date('2026-03-02T03:00:00Z');
const minutes = 60_000;

describe('retryDelay', () => {
  it('doubles from retryDelay, plus 0 to 10 %', () => {
    expect([1, 2, 3].map((k) => retryDelay(settings, k, 0) / minutes)).toEqual([30, 60, 120]);
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 1000 }),
        fc.integer({ min: 1, max: 10 }),
        fc.double({ min: 0, max: 0.999_999, noNaN: true }),
        (delay, k, random) => {
          const found = retryDelay({ retryDelay: delay }, k, random);
          const least = delay * minutes * 2 ** (k - 1);
          expect(found).toBeGreaterThanOrEqual(Math.floor(least));
          expect(found).toBeLessThanOrEqual(Math.ceil(least * 1.1));
        },
      ),
    );
  });

  it('stays a date for the greatest settings', () => {
    const at = now.getTime() + retryDelay({ retryDelay: 10_080 }, 100, 0.99);
    expect(() => new Date(at).toISOString()).not.toThrow();
  });
});

describe('decideRetry', () => {
  const decide = (change: object = {}, attempt = 1, failureClass: 'transient' | 'busy' | 'permanent' | 'resource' = 'transient') =>
    decideRetry({ ...settings, ...change }, attempt, { class: failureClass, code: 'connection' }, now, 0);

  it('tries again what may pass, no more than maxRetries for one original event', () => {
    expect([1, 2, 3].map((attempt) => decide({}, attempt)?.notBefore.toISOString())).toEqual([
      '2026-03-02T03:30:00.000Z',
      '2026-03-02T04:00:00.000Z',
      '2026-03-02T05:00:00.000Z',
    ]);
    expect(decide({}, 4)).toBeNull();
    expect(decide({ maxRetries: 0 })).toBeNull();
    expect(decide({}, 1, 'busy')).not.toBeNull();
  });

  it('leaves alone what repeating cannot help, and what a person stopped', () => {
    expect(decide({}, 1, 'permanent')).toBeNull();
    expect(decide({}, 1, 'resource')).toBeNull();
    expect(decide({ autoRetry: false })).toBeNull();
    expect(decideRetry(settings, 1, { class: 'transient', code: 'interrupted' }, now, 0)).toBeNull();
  });
});
