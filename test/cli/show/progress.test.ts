import { execFileSync } from 'node:child_process';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { listen, stopListening } from '../../../src/cli/show/progress.js';
import type { BackupEvent } from '../../../src/model/events/event.js';
import { bundle, type Program } from '../../fixtures/bundle.js';

const options = { set: [], json: false, quiet: false, verbose: false, color: true };
const database = 'shop';
const event = (status: BackupEvent['status']): BackupEvent => ({
  id: 'e1',
  type: 'manual',
  trigger: 'cli',
  timestamp: '2026-03-01T01:02:03.456Z',
  status,
  metadata: { databaseLoad: null, diskSpace: null, concurrentBackups: null },
  database,
  attempt: 1,
  host: 'h',
  pid: 1,
});

describe('where nobody watches', () => {
  let said: string[] = [];
  let stdout = '';
  beforeEach(() => {
    said = [];
    vi.spyOn(process.stderr, 'write').mockImplementation((line) => said.push(String(line)) > 0);
    vi.spyOn(process.stdout, 'write').mockImplementation((line) => (stdout += String(line)) !== '');
  });
  afterEach(() => {
    stopListening(true);
    vi.restoreAllMocks();
  });

  test('there is a line a step, and one of the bytes each half minute', () => {
    let now = 0;
    const announce = listen(options, () => now);
    announce({ kind: 'step', step: 'dump', database, detail: 'database.dump' });
    announce({ kind: 'step', step: 'dump', database, detail: 'database.dump' });
    for (now = 1000; now <= 65_000; now += 1000) announce({ kind: 'bytes', step: 'dump', database, bytes: now * 1000, total: 100e6 });
    announce({ kind: 'step', step: 'commit', database, detail: '' });
    announce({ kind: 'event', event: event('completed') });
    announce.stop();
    expect(said).toEqual([
      'shop: dump database.dump\n',
      'shop: dump database.dump: 30.0 MB, 1.0 MB/s, 30 %, 1m 10s left\n',
      'shop: dump database.dump: 60.0 MB, 1.0 MB/s, 60 %, 40.0 s left\n',
      'shop: commit\n',
    ]);
    expect(stdout).toBe('');
  });

  test('an estimate that was passed gives no percentage', () => {
    let now = 0;
    const announce = listen(options, () => now);
    announce({ kind: 'step', step: 'dump', database, detail: '' });
    now = 40_000;
    announce({ kind: 'bytes', step: 'dump', database, bytes: 2e6, total: 1e6 });
    expect(said.at(-1)).toBe('shop: dump: 2.0 MB, 50.0 kB/s\n');
  });

  test('warnings are harmless and without secrets', () => {
    listen(options)({ kind: 'warning', database, message: 'odd \u001b[2J at postgres://me:geheim@db' });
    expect(said).toEqual(['warning: shop: odd \\u001b[2J at postgres://me:***@db\n']);
  });

  test('quiet says nothing', () => {
    const announce = listen({ ...options, quiet: true });
    announce({ kind: 'step', step: 'dump', database, detail: '' });
    announce({ kind: 'warning', database, message: 'odd' });
    expect(said).toEqual([]);
  });
});

describe('on a terminal', { skip: process.platform !== 'linux' }, () => {
  let program: Program;
  const source = `
    import { listen } from './src/cli/show/progress.js';
    const announce = listen({ color: process.argv[2] !== 'plain', quiet: false, set: [], json: false, verbose: false });
    const rest = (ms) => new Promise((done) => setTimeout(done, ms));
    announce({ kind: 'step', step: 'conditions', database: 'shop', detail: '' });
    announce({ kind: 'step', step: 'dump', database: 'shop', detail: '' });
    for (let i = 1; i <= 60; i += 1) { announce({ kind: 'bytes', step: 'dump', database: 'shop', bytes: i * 1e6, total: 100e6 }); await rest(10); }
    announce({ kind: 'warning', database: 'shop', message: 'look here' });
    announce.stop(process.argv[2] !== 'bad');
    process.stderr.write('end\\n');
  `;
  const typed = (argument = '', columns = 80) =>
    execFileSync('script', ['-qec', `stty cols ${columns}; '${process.execPath}' '${program.file}' ${argument}`, '/dev/null'], {
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], TERM: 'xterm-256color' },
    });
  beforeAll(async () => {
    program = await bundle(source);
  });
  afterAll(() => program.remove());

  test('a spinner shows bytes and rate, finished steps are ticked, and the line is left clean', () => {
    const raw = typed();
    const seen = stripVTControlCharacters(raw);
    expect(seen).toMatch(/✔ shop: conditions \(\d+ ms\)/);
    expect(seen).toMatch(/. shop: dump: [\d.]+ MB, [\d.]+ MB\/s, \d+ %/);
    expect(seen).toMatch(/✔ shop: dump \([^)]*, 60\.0 MB\)/);
    expect(seen).toMatch(/warning: shop: look here/);
    // the last thing that is done before the end is to clear the line, and to show the cursor again
    expect(raw).toContain('\u001b[?25hend\r\n');
    expect(raw.lastIndexOf('\u001b[?25l')).toBeLessThan(raw.lastIndexOf('\u001b[?25h'));
  });

  test('a step that did not end well is crossed', () => {
    expect(stripVTControlCharacters(typed('bad'))).toMatch(/✖ shop: dump/);
  });

  test.each([
    ['without colours', 'plain', 80],
    ['without a width', '', 0],
  ])('%s there are plain lines', (_name, argument, columns) => {
    const seen = stripVTControlCharacters(typed(argument, columns));
    expect(seen.split('\r\n')).toEqual(['shop: conditions', 'shop: dump', 'warning: shop: look here', 'end', '']);
  });
});
