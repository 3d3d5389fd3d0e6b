/**
 * test: `events`, `active` and `statistics` as typed: what is shown, what JSON holds, and that looking writes nothing.
 */
import { appendFileSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../../src/system/clock.js';
import { openLedger } from '../../../../src/system/ledger/ledger.js';
import { openLocks } from '../../../../src/system/files/lock.js';
import { startCli, temporaryProject, type TemporaryProject } from '../../../fixtures/cli.js';
import { eventId, live, makeEvent } from '../../../fixtures/ledger.js';

let project: TemporaryProject;
beforeEach(() => {
  project = temporaryProject();
});
afterEach(() => project.cleanup());

const state = () => join(project.directory, '.backup-automation');
const ledger = () => openLedger(state(), { clock: systemClock });
interface Listed {
  readonly events: readonly { readonly id: string; readonly status: string }[];
  readonly next: string | null;
}
const json = async <T>(...args: readonly string[]): Promise<T> => JSON.parse((await project.run([...args, '--json'])).stdout) as T;
/** Every file of the state directory with its bytes' number and time. */
const traces = () =>
  readdirSync(state(), { recursive: true, encoding: 'utf8' }).map((name) => [name, statSync(join(state(), name)).mtimeMs]);

describe('events', () => {
  test('without a ledger: none, and nothing is created', async () => {
    for (const command of [['events'], ['active'], ['statistics'], ['events', 'verify']]) {
      const { exitCode, stderr } = await project.run(command);
      expect([exitCode, stderr]).toEqual([0, '']);
    }
    expect(readdirSync(project.directory)).toEqual(['home']);
  });

  test('the newest first, in pages that a cursor joins', async () => {
    for (let k = 1; k <= 5; k += 1) await live(ledger(), k);
    const first = await json<Listed>('events', '--limit', '3');
    expect(first.events.map(({ id }) => id)).toEqual([5, 4, 3].map(eventId));
    const second = await json<Listed>('events', '--limit', '3', '--cursor', first.next ?? '');
    expect(second.events.map(({ id }) => id)).toEqual([2, 1].map(eventId));
    expect(second.next).toBeNull();
  });

  test('filters', async () => {
    await live(ledger(), 1, 'failed', { scheduleId: 'daily', type: 'scheduled' });
    await live(ledger(), 2);
    const ids = async (...args: readonly string[]) => (await json<Listed>('events', ...args)).events.map(({ id }) => id);
    expect(await ids('--status', 'failed')).toEqual([eventId(1)]);
    expect(await ids('--type', 'manual')).toEqual([eventId(2)]);
    expect(await ids('--schedule', 'daily')).toEqual([eventId(1)]);
    expect(await ids('--since', '2026-01-01T00:00:02Z')).toEqual([eventId(2)]);
    expect(await ids('--since', '2999-01-01')).toEqual([]);
  });

  test.each([
    [['events', '--limit', '0'], 'limit'],
    [['events', '--status', 'good'], 'status'],
    [['events', '--since', 'yesterday'], 'since'],
    [['events', '--cursor', 'nowhere'], 'cursor'],
    [['statistics', '--by', 'colour'], 'by'],
  ])('%j is wrong usage', async (args, named) => {
    const { exitCode, stderr } = await project.run(args);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(named);
  });

  test('an event whose process died is shown as interrupted, and the showing writes nothing', async () => {
    await live(ledger(), 1, 'running', { pid: 4711 });
    const before = traces();
    for (const args of [['events'], ['events', 'show', eventId(1)]])
      expect((await project.run(args)).stdout).toContain('interrupted: the process 4711');
    expect((await project.run(['active'])).stdout).toBe('no backup is running\n');
    expect(await json('statistics')).toMatchObject({ failedEvents: 1, activeBackups: 0 });
    expect(traces()).toEqual(before);
  });

  test('a text from elsewhere cannot play with the terminal, and a row is a line', async () => {
    await live(ledger(), 1, 'failed', { result: { success: false, error: 'a\u001b[2J\nb\u009b31m', duration: 0, size: 0 } });
    const { stdout } = await project.run(['events']);
    // oxlint-disable-next-line no-control-regex -- control characters are what must not be there
    expect(stdout.replaceAll('\n', '')).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
    expect(stdout.trimEnd().split('\n')).toHaveLength(2);
  });

  test('damage is said on stderr, and the rest is listed', async () => {
    await live(ledger(), 1);
    appendFileSync(join(state(), 'ledger', 'events-000001.jsonl'), 'garbage\n');
    const { exitCode, stdout, stderr } = await project.run(['events']);
    expect([exitCode, stdout.includes(eventId(1))]).toEqual([0, true]);
    expect(stderr).toContain('1 damaged line was skipped; look with `backup-automation events verify`');
  });
});

describe('events show', () => {
  test('by the beginning of an id, with its lines', async () => {
    await live(ledger(), 1);
    const shown = await json<{ event: object; records: readonly { status: string }[] }>('events', 'show', eventId(1).slice(0, 13));
    expect(shown.event).toMatchObject({ id: eventId(1), status: 'completed' });
    expect(shown.records.map(({ status }) => status)).toEqual(['pending', 'running', 'completed']);
  });

  test('an unknown or ambiguous id exits 2, with the nearest', async () => {
    await live(ledger(), 1);
    await live(ledger(), 2);
    const unknown = await project.run(['events', 'show', `${eventId(1).slice(0, -1)}f`]);
    expect([unknown.exitCode, unknown.stderr.includes(eventId(1))]).toEqual([2, true]);
    const ambiguous = await project.run(['events', 'show', eventId(1).slice(0, 4)]);
    expect([ambiguous.exitCode, ambiguous.stderr.includes('the beginning of 2 events')]).toEqual([2, true]);
    expect((await project.run(['events', 'show', '../../etc'])).exitCode).toBe(2);
  });
});

test('events --follow: what is there, then what happens, a JSON line each, until it is stopped', async () => {
  await live(ledger(), 1);
  const { child, done } = startCli(['events', '--follow', '--json'], { cwd: project.directory, env: project.env });
  let said = '';
  child.stdout?.on('data', (text: string) => (said += text));
  const until = async (words: string) => {
    while (!said.includes(words)) await new Promise((resolve) => setTimeout(resolve, 10));
  };
  await until(eventId(1));
  await live(ledger(), 2, 'running');
  await until('"running"');
  child.kill('SIGINT');
  const { stdout, signal, exitCode } = await done;
  expect(signal ?? exitCode).toSatisfy((end) => end === 'SIGINT' || end === 130);
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { id: string; status: string });
  expect(lines.map(({ id, status }) => `${id} ${status}`)).toEqual([
    `${eventId(1)} completed`,
    `${eventId(2)} pending`,
    `${eventId(2)} running`,
  ]);
});

test('events clear: listings and figures begin anew, no line goes', async () => {
  await live(ledger(), 1);
  await live(ledger(), 2);
  const file = join(state(), 'ledger', 'events-000001.jsonl');
  const before = readFileSync(file, 'utf8');
  expect(await json('events', 'clear')).toEqual({ cleared: 2, segments: [file] });
  expect(readFileSync(file, 'utf8').startsWith(before)).toBe(true);
  expect((await json<Listed>('events')).events).toEqual([]);
  expect(await json('statistics')).toMatchObject({ totalEvents: 0 });
  await live(ledger(), 3);
  expect((await json<Listed>('events')).events.map(({ id }) => id)).toEqual([eventId(3)]);
});

test('events verify: 0 when the chain is whole, 22 and where it is not', async () => {
  await live(ledger(), 1);
  expect((await project.run(['events', 'verify'])).stdout).toBe('3 lines in 1 segment: the chain is whole\n');
  const file = join(state(), 'ledger', 'events-000001.jsonl');
  const bytes = readFileSync(file);
  bytes.writeUInt8(bytes.readUInt8(100) ^ 1, 100);
  appendFileSync(file, bytes);
  const { exitCode, stderr } = await project.run(['events', 'verify']);
  expect(exitCode).toBe(22);
  expect(stderr).toContain(file);
});

describe('active', () => {
  test('what a living process holds, in words and as JSON', async () => {
    const lock = await openLocks(state()).claimEvent(eventId(1));
    await live(ledger(), 1, 'running');
    expect(await json('active')).toMatchObject({ active: [{ id: eventId(1), status: 'running' }] });
    expect((await project.run(['active'])).stdout).toContain(eventId(1));
    expect(await json('statistics')).toMatchObject({ activeBackups: 1 });
    lock?.release();
    expect(await json('active')).toEqual({ active: [] });
  });
});

describe('statistics', () => {
  test("the specification's figures at the top level, and groups", async () => {
    await live(ledger(), 1, 'completed', { scheduleId: 'daily' });
    await live(ledger(), 2, 'failed', { scheduleId: 'daily' });
    await live(ledger(), 3);
    const figures = { totalEvents: 3, successfulEvents: 2, failedEvents: 1, successRate: 66.67, averageDuration: 1002, activeBackups: 0 };
    const groups = [
      { key: '(none)', totalEvents: 1 },
      { key: 'daily', totalEvents: 2 },
    ];
    expect(await json('statistics', '--by', 'schedule')).toMatchObject({ ...figures, groups });
  });

  test('a chart by local day that shows the days without backups', async () => {
    const day = 86_400;
    await live(ledger(), 1);
    await live(ledger(), 3 * day, 'failed');
    await ledger().appendEvent(makeEvent(3 * day + 1, 'pending', { notBefore: '2027-01-01T00:00:00.000Z' }));
    const { stdout } = await project.run(['statistics', '--by', 'day']);
    expect(stdout).toContain('2026-01-01  # 1\n2026-01-02\n2026-01-03\n2026-01-04  x- 2\n');
    const shifted = await project.run(['statistics', '--by', 'day'], { env: { TZ: 'America/New_York' } });
    expect(shifted.stdout).toContain('2025-12-31  # 1\n');
  });
});

test('with a wrong configuration or an unreadable database the listings work: they need the state directory alone', async () => {
  project.file('backup-automation.config.json', { stateDirectory: './elsewhere', maxRetries: 'many' });
  await live(openLedger(join(project.directory, 'elsewhere'), { clock: systemClock }), 1);
  expect((await json<Listed>('events')).events).toHaveLength(1);
  const set = ['--set', `stateDirectory=${join(project.directory, 'nowhere')}`];
  expect((await json<Listed>('events', ...set)).events).toEqual([]);
});
