/**
 * test: one line of the ledger: whatever a text holds it stays one line, and no byte of it can change unnoticed.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeLine, encodeLine, longestLine, noLine } from '../../../src/system/ledger/line.js';
import { makeEvent } from '../../fixtures/ledger.js';

const frame = { v: 1, at: '2026-01-01T00:00:00.000Z', prev: noLine };
const record = (more: object) => ({ record: 'event', ...makeEvent(1, 'failed'), step: 0, ...more });
const line = (more: object) => encodeLine(record(more), frame);
const read = (bytes: Buffer) => decodeLine(bytes, 0, bytes.length);

describe('E11: any text is one line', () => {
  test.each([
    ['newlines', 'a\nb\r\nc'],
    ['line separators', 'a\u2028b\u2029c'],
    ['lone surrogates', 'a\ud800b\udfffc'],
    ['what was no UTF-8', Buffer.from([0x61, 0xff, 0xfe, 0x62]).toString()],
    ['terminal escapes', '\u001b[2J\u009b31m\u0007\u007f'],
    ['NUL and quotes', '\0"\\{"v":1,"crc":"00000000"}'],
  ])('%s', (_name, error) => {
    const bytes = line({ result: { success: false, error, duration: 0, size: 0 } });
    // oxlint-disable-next-line no-control-regex -- control characters are what must not be there
    expect(bytes.toString()).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/);
    expect(read(bytes)).toMatchObject({ result: { error } });
  });

  test('5 MB of text are cut, and the line says so', () => {
    const bytes = line({ result: { success: false, error: 'x'.repeat(5_000_000), duration: 0, size: 0 }, warnings: ['y'.repeat(100_000)] });
    expect(bytes.length).toBeLessThanOrEqual(longestLine);
    expect(bytes.toString()).toContain('4991808 more characters left out');
    expect(read(bytes)).not.toBeNull();
  });

  test('however many long texts there are, a line is at most 64 KiB', () => {
    const bytes = line({ warnings: Array.from({ length: 5000 }, () => '\u0001'.repeat(5000)) });
    expect(bytes.length).toBeLessThanOrEqual(longestLine);
    expect(read(bytes)).not.toBeNull();
  });

  test('property: what is read is what was written', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (error) => {
        const bytes = line({ result: { success: false, error, duration: 0, size: 0 } });
        expect(bytes.includes(10)).toBe(false);
        expect(read(bytes)).toMatchObject({ result: { error } });
      }),
    );
  });
});

test('a flip of any bit of a line is noticed', () => {
  const bytes = line({});
  for (let bit = 0; bit < bytes.length * 8; bit += 1) {
    const flipped = Buffer.from(bytes);
    flipped.writeUInt8(flipped.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
    expect(read(flipped), `bit ${bit}`).toBeNull();
  }
});

describe('I3: keys that could poison objects', () => {
  test.each(['__proto__', 'constructor', 'prototype'])('%s', (key) => {
    const content = JSON.parse(`{"record":"event","${key}":{"polluted":true}}`) as object;
    read(encodeLine({ ...content, ...record({}) }, frame));
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  test('a record with a key __proto__ is none of ours', () => {
    expect(read(encodeLine(JSON.parse('{"record":"clear","__proto__":{"a":1}}') as object, frame))).toBeNull();
  });
});

test('an event line that lacks what every event has is none', () => {
  expect(read(encodeLine({ record: 'event', id: 'x' }, frame))).toBeNull();
  expect(read(line({ status: 'exploded' }))).toBeNull();
});
