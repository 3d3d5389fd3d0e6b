import { Chalk } from 'chalk';
import fc from 'fast-check';
import stringWidth from 'string-width';
import { describe, expect, test } from 'vitest';
import { facts, hanging, table } from '../../../src/cli/show/table.js';

const plain = new Chalk({ level: 0 });
const colour = new Chalk({ level: 1 });
const id = '0195f2c1-7a3b-7c4d-8e5f-0123456789ab';
const rows = [
  [id, 'shop', 'completed', 'the backup was taken in the night and is well'],
  [id, 'orders', 'failed', 'the server at db1 did not answer'],
];
const head = ['ID', 'Database', 'Status', 'Note'];

describe('table', () => {
  test('ids are shown by a beginning that can be typed, where whole ones would not fit', () => {
    const look = { width: 70, paint: plain, ids: 0 };
    expect(table(head, rows, look)).toContain('0195f2c1-7a3b  shop');
    expect(table(head, rows, { ...look, width: 120 })).toContain(id);
  });

  test('moments and sizes are broken only where there is no other way', () => {
    const moment = [['2026-11-22 14:05:30', 'a note of several words, which can be broken']];
    expect(table(['When', 'What'], moment, { width: 60, paint: plain })).toContain('2026-11-22 14:05:30  a note');
    expect(table(['When', 'What'], [['2026-11-22 14:05:30', 'x'.repeat(45)]], { width: 60, paint: plain })).toMatch(/^2026-11-22 +x/m);
  });

  test('is set in columns without borders or trailing blanks', () => {
    expect(
      table(
        ['Name', 'Size'],
        [
          ['shop', '1.2 MB'],
          ['a', '14 B'],
        ],
        { width: 80, paint: plain, align: ['left', 'right'] },
      ),
    ).toBe(['Name    Size', 'shop  1.2 MB', 'a       14 B'].join('\n'));
  });

  test('is one line a row where there is no width to keep', () => {
    expect(table(head, rows, { width: Infinity, paint: plain }).split('\n')).toHaveLength(3);
  });

  test.each([80, 100, 120])('fits %i columns, wraps the widest, and keeps every id whole', (width) => {
    const lines = table(head, rows, { width, paint: plain }).split('\n');
    for (const line of lines) expect(stringWidth(line)).toBeLessThanOrEqual(width);
    expect(lines.filter((line) => line.includes(id))).toHaveLength(2);
    expect(lines[0]).toMatch(/^ID +Database +Status +Note$/);
  });

  test.each([59, 40])('becomes a list of facts in %i columns', (width) => {
    const lines = table(head, rows, { width, paint: plain }).split('\n');
    expect(lines.slice(0, 3)).toEqual([`ID: ${id}`, 'Database: shop', 'Status: completed']);
    expect(lines.indexOf('')).toBeGreaterThan(3);
    for (const line of lines) expect(stringWidth(line)).toBeLessThanOrEqual(width);
  });

  test('does not wrap below 60 columns, even where it could', () => {
    const notes = [['a', 'some short words that go on and on and on and on and on and on']];
    expect(table(['K', 'Note'], notes, { width: 59, paint: plain })).toMatch(/^K: a\nNote: /);
    expect(table(['K', 'Note'], notes, { width: 60, paint: plain })).toMatch(/^K {2}Note\n/);
  });

  test('a long word of the last column stands out, and the rows keep their columns', () => {
    const long = `/home/${'x'.repeat(70)}`;
    const rows = [
      ['stateDirectory', 'default', long],
      ['a.key.that.is.long', 'file', 'some words that would not fit beside it, so that they are wrapped'],
    ];
    const lines = table(['Key', 'Origin', 'Value'], rows, { width: 60, paint: plain }).split('\n');
    expect(lines.slice(0, 3)).toEqual([
      'Key                 Origin   Value',
      `stateDirectory      default  ${long}`,
      'a.key.that.is.long  file     some words that would not fit',
    ]);
  });

  test('what hangs below a headline is set in, and stands beside it where it fits', () => {
    expect(hanging('ok     tools 5 ms', 'all there', 7, 80)).toBe('ok     tools 5 ms  all there');
    expect(hanging('ok     tools 5 ms', 'all of them are there', 7, 24)).toBe('ok     tools 5 ms\n       all of them are\n       there');
    expect(hanging('ok', 'x'.repeat(200), 7, Infinity)).toBe(`ok  ${'x'.repeat(200)}`);
  });

  test('becomes a list where a word alone is too wide', () => {
    expect(table(['Path', 'Size'], [['/'.padEnd(90, 'x'), '1 B']], { width: 80, paint: plain })).toContain('\nSize: 1 B');
  });

  test('measures wide characters by the columns they take', () => {
    expect(
      table(
        ['Name', 'N'],
        [
          ['データ', '1'],
          ['ab', '2'],
        ],
        { width: 80, paint: plain },
      ),
    ).toBe('Name    N\nデータ  1\nab      2');
  });

  test('makes control characters harmless, and keeps only the colours that were asked for', () => {
    const hostile = 'a\u001b[2Jb\rc\nd\u001b[8me';
    expect(table(['Name'], [[hostile]], { width: 80, paint: plain })).toBe('Name\na\\u001b[2Jb\\u000dc d\\u001b[8me');
    const painted = table(['Name'], [[colour.green('good') + hostile]], { width: 80, paint: colour });
    expect(painted).toContain(colour.green('good'));
    expect(painted).not.toContain('\u001b[2J');
    expect(painted).not.toContain('\u001b[8m');
  });

  test('says nothing without rows', () => {
    expect(table(head, [], { width: 80, paint: plain })).toBe('');
  });

  test('never loses a word, and never exceeds a width of 60 or more by a table', () => {
    const words = fc.array(fc.stringMatching(/^[a-zäß語]{1,12}$/), { maxLength: 12 }).map((list) => list.join(' '));
    fc.assert(
      fc.property(
        fc.array(fc.tuple(words, words, words), { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 20, max: 160 }),
        (given, width) => {
          const text = table(['A', 'B', 'C'], given, { width, paint: plain });
          const count = (part: string) => part.split(/\s+/).filter(Boolean).toSorted();
          const heads = text.startsWith('A:') ? given.flatMap(() => ['A:', 'B:', 'C:']) : ['A', 'B', 'C'];
          expect(count(text)).toEqual([...heads, ...given.flat().flatMap(count)].toSorted());
          if (!text.startsWith('A:')) for (const line of text.split('\n')) expect(stringWidth(line)).toBeLessThanOrEqual(width);
        },
      ),
    );
  });
});

describe('facts', () => {
  test('are aligned, and long values wrap beside their key', () => {
    const note = 'the quick brown fox jumps over the lazy dog '.repeat(3).trim();
    const lines = facts(
      [
        ['ID', id],
        ['Note', note],
      ],
      { width: 70, paint: plain },
    ).split('\n');
    expect(lines[0]).toBe(`ID    ${id}`);
    expect(lines[1]).toMatch(/^Note {2}the quick/);
    expect(lines[2]).toMatch(/^ {6}\S/);
  });

  test('are `key: value` where it is narrow', () => {
    expect(facts([['ID', id]], { width: 30, paint: plain })).toBe(`ID: ${id}`);
  });
});
