import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { matches, parseStory, setStage } from './story.js';

const stories = readdirSync(import.meta.dirname).filter((file) => file.endsWith('.txt'));

test.each(stories)('%s', { timeout: 300_000 }, async (file) => {
  const story = parseStory(readFileSync(join(import.meta.dirname, file), 'utf8'));
  expect(story.steps.length).toBeGreaterThan(0);
  const stage = await setStage(story);
  try {
    for (const { line, typed, exitCode, seen } of story.steps) {
      const told = stage.type(typed);
      const where = `${file}:${line}: $ ${typed}`;
      // shown as a difference of texts when it is not as written
      if (!matches(seen, told.lines)) expect(`${where}\n${told.lines.join('\n')}`).toBe(`${where}\n${seen.join('\n')}`);
      expect([where, told.exitCode, ...told.lines]).toEqual([where, exitCode, ...told.lines]);
    }
  } finally {
    await stage.clear();
  }
});

describe('the harness', () => {
  test('reads a story', () => {
    const story = parseStory('Title.\nneeds: closed window\nenv: A=b=c\nfile: x.json\n  {\n    "a": 1\n  }\n\n$ one\n? 2\nseen\n\n$ two\n');
    expect(story).toEqual({
      title: 'Title.',
      needs: ['closed window'],
      env: { A: 'b=c' },
      files: { 'x.json': '{\n  "a": 1\n}\n' },
      steps: [
        { line: 9, typed: 'one', exitCode: 2, seen: ['seen'] },
        { line: 13, typed: 'two', exitCode: 0, seen: [] },
      ],
    });
  });

  test.each([
    [['a'], ['a'], true],
    [['a'], ['b'], false],
    [['a'], ['a', 'b'], false],
    [['a', 'b'], ['a'], false],
    [['1.[..] MB'], ['1.2 MB'], true],
    [['1.[..] MB'], ['1x2 MB'], false],
    [['a', '[...]', 'z'], ['a', 'z'], true],
    [['a', '[...]', 'z'], ['a', 'b', 'c', 'z'], true],
    [['a', '[...]', 'z'], ['a', 'b', 'c'], false],
    [['[...]'], [], true],
    [[], ['a'], false],
  ])('%j against %j: %j', (expected, actual, verdict) => {
    expect(matches(expected, actual)).toBe(verdict);
  });
});
