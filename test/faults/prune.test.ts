/**
 * test: A14, G15: death in the middle of a prune. Whenever it comes, the newest good backups are listed and whole, and the next prune
 * ends what was begun, or an undo takes it back.
 */
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { prune } from '../../src/core/prune.js';
import { runCli, type CliOptions } from '../fixtures/cli.js';
import { count } from '../fixtures/counts.js';
import { stock, type Stock } from '../fixtures/stock.js';
import { noStrace, underStrace, watched } from './inject.js';

const day = 86_400_000;
const kinds = ['openat', 'write', 'fsync', 'fdatasync', 'rename', 'unlink', 'rmdir'] as const;
const newest = [5, 6, 7];

let shelf: Stock;
let template: string;

/** Backups 0 and 1 lie aside since long ago, 2 to 4 are due, 5 to 7 stay. */
beforeAll(async () => {
  shelf = stock({ keepLast: 3, minimum: 3 }, Date.now() - 7 * day - 2 * 3_600_000);
  for (let k = 0; k < 5; k += 1) await shelf.add(k);
  await prune(shelf.context, shelf.storage, { force: false });
  for (let k = 5; k < 8; k += 1) await shelf.add(k);
  template = dirname(shelf.state);
  writeFileSync(
    join(template, 'config.json'),
    JSON.stringify({
      databases: { shop: {} },
      storages: { local: { kind: 'local', path: './store' } },
      stateDirectory: './state',
      schedules: { daily: { cron: '0 2 * * *', retention: { keepLast: 3, minimum: 3 } } },
      conditions: { minDiskSpace: 0 },
    }),
    { mode: 0o600 },
  );
});
afterAll(() => shelf.remove());

/** Does something in a copy of its own. */
async function inCopy<T>(of: string, deed: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'backup-automation-prune-'));
  try {
    cpSync(of, folder, { recursive: true, preserveTimestamps: true });
    return await deed(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const run = (folder: string, args: readonly string[], options: CliOptions = {}) =>
  runCli(['backups', 'prune', ...args, '--json', '--config', join(folder, 'config.json')], { cwd: folder, ...options });

/** Numbers of the backups of which all is there, listed and put aside. */
function lookAt(folder: string) {
  const shop = join(folder, 'store', 'shop');
  const whole = (name: string) => ['manifest.json', 'database.dump'].every((file) => existsSync(join(shop, name, file)));
  const numbers = (ending: string) => Array.from({ length: 8 }, (_, k) => k).filter((k) => whole(`${shelf.id(k)}${ending}`));
  return { listed: numbers(''), aside: numbers('.trash'), names: readdirSync(shop) };
}

/** What is wrong after a death, after an undo, and after the next prune. */
async function afterDeath(folder: string): Promise<string[]> {
  const violations: string[] = [];
  const claim = (holds: boolean, sentence: string) => void (holds || violations.push(sentence));
  const dead = lookAt(folder);
  claim(
    newest.every((k) => dead.listed.includes(k)),
    `only ${dead.listed.join()} are listed`,
  );
  await inCopy(folder, async (copy) => {
    const { exitCode, stderr } = await run(copy, ['--undo']);
    const undone = lookAt(copy);
    // what was about to go for good cannot be brought back, and is told
    claim(exitCode === 0 || stderr.includes('not whole'), `the undo ended with ${exitCode}: ${stderr}`);
    claim(
      [2, 3, 4, ...newest].every((k) => undone.listed.includes(k)),
      `after the undo only ${undone.listed.join()} are listed`,
    );
    claim(undone.aside.length === 0, `after the undo ${undone.aside.join()} still lie aside`);
  });
  const { exitCode, stderr } = await run(folder, ['--yes']);
  const done = lookAt(folder);
  claim(exitCode === 0, `the next prune ended with ${exitCode}: ${stderr}`);
  claim(done.listed.join() === newest.join(), `after the next prune ${done.listed.join()} are listed`);
  claim(done.aside.join() === '2,3,4', `after the next prune ${done.aside.join()} lie aside`);
  claim(done.names.length === 6, `after the next prune there is ${done.names.join(', ')}`);
  return violations;
}

/** So many members of a list, spread evenly over it; all of a shorter one. */
const spread = <T>(all: readonly T[], most: number): T[] => all.filter((_, index) => Math.floor(((index + 1) * most) / all.length) > Math.floor((index * most) / all.length)); // prettier-ignore

/** The calls of a whole prune, or undo, that are ours, each with its number. */
async function callsOfOneRun(of: string, args: readonly string[]): Promise<{ call: string; n: number }[]> {
  return inCopy(of, async (folder) => {
    const { lines, ...under } = watched(kinds, join(folder, 'calls.log'));
    expect(await run(folder, args, under)).toMatchObject({ exitCode: 0 });
    const counters = new Map<string, number>();
    const all = lines().flatMap((text) => {
      const [, thread = '', call = ''] = /^(\d+) +(\w+)\(/.exec(text) ?? [];
      const n = (counters.get(thread + call) ?? 0) + 1;
      counters.set(thread + call, n);
      return call ? [{ call, n, text }] : [];
    });
    // before the lock of the storage is asked for nothing is changed
    return all.slice(all.findIndex(({ text }) => text.includes('retention.local.lock')));
  });
}

describe.skipIf(noStrace)(`killed at a system call${noStrace ? ` (${noStrace})` : ''}`, () => {
  test(
    'A14: floor kept, and the same set ended or taken back',
    async ({ task }) => {
      const calls = await callsOfOneRun(template, ['--yes']);
      const points = [...new Map(calls.map(({ call, n }) => [`${call} ${n}`, { call, n }])).values()];
      const few = kinds.flatMap((kind) =>
        spread(
          points.filter(({ call }) => call === kind),
          count(1, 40),
        ),
      );
      const violations: string[] = [];
      let killed = 0;
      for (const { call, n } of few)
        await inCopy(template, async (folder) => {
          const said = await run(folder, ['--yes'], underStrace([`${call}:signal=SIGKILL:when=${n}`]));
          killed += said.signal === 'SIGKILL' ? 1 : 0;
          violations.push(...(await afterDeath(folder)).map((one) => `killed at ${call} ${n}: ${one}`));
        });
      task.meta.score = {
        row: 'A14',
        what: 'kill -9 in a prune, then an undo or a prune',
        n: few.length,
        violations,
        figures: `${killed} killed us`,
      };
      expect(violations).toEqual([]);
      expect(killed).toBeGreaterThan(0);
    },
    count(180_000, 3_600_000),
  );

  test(
    'G15: killed in an undo: whatever it was at, the next undo brings back the rest',
    { timeout: count(120_000, 1_800_000) },
    async ({ task }) => {
      const violations: string[] = [];
      let [tried, killed] = [0, 0];
      await inCopy(template, async (pruned) => {
        expect(await run(pruned, ['--yes'])).toMatchObject({ exitCode: 0 });
        expect(lookAt(pruned)).toMatchObject({ listed: newest, aside: [2, 3, 4] });
        const calls = (await callsOfOneRun(pruned, ['--undo'])).filter(({ call }) => call !== 'openat' && call !== 'write');
        const points = [...new Map(calls.map(({ call, n }) => [`${call} ${n}`, { call, n }])).values()];
        for (const { call, n } of spread(points, count(3, 60)))
          await inCopy(pruned, async (folder) => {
            const said = await run(folder, ['--undo'], underStrace([`${call}:signal=SIGKILL:when=${n}`]));
            [tried, killed] = [tried + 1, killed + (said.signal === 'SIGKILL' ? 1 : 0)];
            const dead = lookAt(folder);
            const known = [...dead.listed, ...dead.aside].toSorted((a, b) => a - b);
            if (known.join() !== '2,3,4,5,6,7') violations.push(`killed at ${call} ${n}: only ${known.join()} are there`);
            const { exitCode, stderr } = await run(folder, ['--undo']);
            const undone = lookAt(folder);
            if (exitCode !== 0) violations.push(`killed at ${call} ${n}: the next undo ended with ${exitCode}: ${stderr}`);
            if (undone.listed.join() !== '2,3,4,5,6,7') violations.push(`killed at ${call} ${n}: ${undone.listed.join()} are listed`);
            if (undone.names.length !== 6) violations.push(`killed at ${call} ${n}: there is ${undone.names.join(', ')}`);
          });
      });
      task.meta.score = { row: 'G15', what: 'kill -9 in an undo, then another', n: tried, violations, figures: `${killed} killed us` };
      expect(violations).toEqual([]);
      expect(killed).toBeGreaterThan(0);
    },
  );
});

test('without a death it is so, too', async () => {
  await inCopy(template, async (folder) => {
    expect(lookAt(folder)).toMatchObject({ listed: [2, 3, 4, 5, 6, 7], aside: [0, 1] });
    expect(await afterDeath(folder)).toEqual([]);
    const ledger = readFileSync(join(folder, 'state/ledger/events-000001.jsonl'), 'utf8');
    expect([...ledger.matchAll(/"phase":"(\w+)"/g)].map(([, phase]) => phase)).toEqual([
      'intent',
      'done',
      'intent',
      'done',
      'emptied',
      'emptied',
    ]);
  });
});
