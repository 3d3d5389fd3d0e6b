/**
 * test: the ledger on real files: appending, damage of every kind, and what is refused.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Failure } from '../../../src/model/errors.js';
import { encodeLine, hashLine, noLine } from '../../../src/system/ledger/line.js';
import { count } from '../../fixtures/counts.js';
import { eventId, live, makeEvent, readAll, temporaryState, type TemporaryState } from '../../fixtures/ledger.js';

const root = process.geteuid?.() === 0;
let temporary: TemporaryState;
beforeEach(() => {
  temporary = temporaryState();
});
afterEach(() => temporary.remove());

const failureOf = async (deed: Promise<unknown>): Promise<Failure> => {
  try {
    await deed;
  } catch (error) {
    return error as Failure;
  }
  throw new Error('nothing was refused');
};

describe('appending', () => {
  test('a line a state, chained from 64 zeros on, read alike in both directions', async () => {
    const ledger = temporary.ledger();
    await live(ledger, 1);
    await live(ledger, 2, 'failed');
    const lines = temporary.bytes().toString().trimEnd().split('\n');
    const parsed = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(parsed[0]).toMatchObject({ v: 1, record: 'event', id: eventId(1), status: 'pending', step: 0, prev: '0'.repeat(64) });
    expect(parsed[2]).toMatchObject({ status: 'completed', step: 2, from: 'running' });
    parsed.slice(1).forEach((line, index) => expect(line['prev']).toBe(hashLine(Buffer.from(lines[index] ?? ''))));
    const read = await readAll(ledger);
    expect(read.told).toHaveLength(6);
    expect((await readAll(ledger, true)).told).toEqual(read.told.toReversed());
  });

  test('only what may follow is appended, whoever asks', async () => {
    const [one, other] = [temporary.ledger(), temporary.ledger()];
    await live(one, 1, 'running');
    expect(await other.appendEvent(makeEvent(1, 'completed'))).toBe(true);
    expect(await one.appendEvent(makeEvent(1, 'failed'))).toBe(false);
    expect(await one.appendEvent(makeEvent(2, 'running'))).toBe(false);
    expect(await one.appendEvent(makeEvent(1, 'pending'))).toBe(false);
    expect((await readAll(one)).told).toHaveLength(3);
    expect((await one.find(eventId(1)))?.status).toBe('completed');
    expect(await one.find(eventId(9))).toBeNull();
  });

  test('E2: a slot has one event a database, whoever asks; a retry is another attempt of it', async () => {
    const [one, other] = [temporary.ledger(), temporary.ledger()];
    const slot = 'daily@2026-01-01T00:00[UTC]';
    expect(await one.appendEvent(makeEvent(1, 'pending', { slot }))).toBe(true);
    for (const ledger of [one, other, temporary.ledger()]) expect(await ledger.appendEvent(makeEvent(2, 'pending', { slot }))).toBe(false);
    expect(await other.appendEvent(makeEvent(3, 'pending', { slot, database: 'other' }))).toBe(true);
    expect(await other.appendEvent(makeEvent(4, 'pending', { slot, attempt: 2, retryOf: eventId(1) }))).toBe(true);
    expect((await readAll(one)).told).toHaveLength(3);
  });

  test('a failed event may be recovered once', async () => {
    const ledger = temporary.ledger();
    await live(ledger, 1, 'failed');
    expect(await ledger.appendEvent(makeEvent(1, 'completed'))).toBe(false);
    expect(await ledger.appendEvent(makeEvent(1, 'completed', { recovered: true }))).toBe(true);
    expect(await temporary.ledger().find(eventId(1))).toMatchObject({ status: 'completed', recovered: true });
  });

  test('what was read from the ledger can be given back to it', async () => {
    const ledger = temporary.ledger();
    await live(ledger, 1, 'running');
    const found = await ledger.find(eventId(1));
    if (found) await ledger.appendEvent({ ...found, status: 'failed' });
    expect((await readAll(ledger)).lines.map(({ record }) => record.record === 'event' && record.step)).toEqual([0, 1, 2]);
  });

  test('in a dying process too', async () => {
    const ledger = temporary.ledger();
    await live(ledger, 1, 'running');
    ledger.appendEventSync(makeEvent(1, 'failed'));
    expect((await readAll(ledger)).told.at(-1)).toBe(`${eventId(1)}:failed`);
  });

  test('reading and opening create nothing', async () => {
    const ledger = temporary.ledger();
    expect((await readAll(ledger)).lines).toEqual([]);
    expect(await ledger.find(eventId(1))).toBeNull();
    expect(await ledger.verify()).toMatchObject({ lines: 0, segments: 0 });
    expect(() => statSync(temporary.state)).toThrow('ENOENT');
  });

  test('a full segment gets a successor that begins by naming it', async () => {
    const ledger = temporary.ledger({ segmentLimit: 2000 });
    for (let k = 1; k <= 6; k += 1) await live(ledger, k);
    const segments = temporary.segments();
    expect(segments.length).toBeGreaterThan(2);
    const head = JSON.parse(temporary.bytes(2).toString().split('\n')[0] ?? '') as object;
    expect(head).toMatchObject({ record: 'segment', previous: 'events-000001.jsonl', previousSize: temporary.bytes(1).length });
    const { told, damage } = await readAll(ledger);
    expect(told.filter((line) => line !== 'segment')).toHaveLength(18);
    expect(damage).toEqual({ corruptLines: 0, tornTail: false, gaps: 0 });
    expect((await ledger.verify()).counts).toEqual({ damaged: 0, torn: 0, broken: 0, gap: 0 });
    expect(await temporary.ledger().find(eventId(1))).toMatchObject({ status: 'completed' });
  });

  test.each([0o000, 0o022, 0o077])('J2: under umask %o files are 0600 and folders 0700', async (mask) => {
    const before = process.umask(mask);
    try {
      await live(temporary.ledger({ segmentLimit: 500 }), 1);
    } finally {
      process.umask(before);
    }
    const modes = readdirSync(temporary.state, { recursive: true, encoding: 'utf8' }).map((name) => statSync(join(temporary.state, name)));
    expect(modes.length).toBeGreaterThan(4);
    for (const found of [statSync(temporary.state), ...modes]) expect(found.mode & 0o777).toBe(found.isDirectory() ? 0o700 : 0o600);
  });
});

describe('damage', () => {
  test('E4: cut at every byte of the last line, the rest stays, and the next append is readable', async () => {
    const ledger = temporary.ledger();
    await live(ledger, 1);
    await ledger.appendEvent(makeEvent(2, 'pending'));
    const whole = temporary.bytes();
    const start = whole.lastIndexOf(10, whole.length - 2) + 1;
    const step = Math.ceil((whole.length - start) / count(60, 10_000));
    for (let cut = start; cut < whole.length; cut += step) {
      temporary.overwrite(whole.subarray(0, cut));
      const torn = await readAll(ledger);
      const kept = cut === whole.length - 1 ? 4 : 3; // only its newline is missing
      expect(torn.lines, `cut at ${cut}`).toHaveLength(kept);
      expect(torn.damage).toEqual({ corruptLines: 0, tornTail: cut > start && kept === 3, gaps: 0 });
      await temporary.ledger().appendFact({ record: 'clear', cleared: 0, by: 'test' });
      const after = await readAll(ledger);
      expect(after.told.slice(0, 3)).toEqual(torn.told.slice(0, 3));
      expect(after.told.at(-1)).toBe('clear');
      expect((await readAll(ledger, true)).told).toEqual(after.told.toReversed());
      expect((await ledger.verify()).counts).toMatchObject({ broken: 0, damaged: cut > start && kept === 3 ? 1 : 0 });
    }
  });

  test('property: any prefix of a ledger is readable, and so is what is appended to it', async () => {
    const ledger = temporary.ledger();
    for (let k = 1; k <= 4; k += 1) await live(ledger, k);
    const whole = temporary.bytes();
    const property = fc.asyncProperty(fc.integer({ min: 0, max: whole.length }), async (cut) => {
      temporary.overwrite(whole.subarray(0, cut));
      const finished = whole.subarray(0, cut).toString().split('\n').length - 1;
      const { lines, damage } = await readAll(ledger);
      expect(damage.corruptLines).toBe(0);
      expect(lines.length).toBeGreaterThanOrEqual(finished);
      await temporary.ledger().appendEvent(makeEvent(9, 'pending'));
      expect((await readAll(ledger)).told.at(-1)).toBe(`${eventId(9)}:pending`);
    });
    await fc.assert(property, { numRuns: count(40, 1000) });
  });

  test('E6: a flip of any bit is noticed, read past in both directions, and costs only its own line', async () => {
    const ledger = temporary.ledger();
    await live(ledger, 1);
    await live(ledger, 2);
    const whole = temporary.bytes();
    const told = (await readAll(ledger)).told;
    const last = whole.length * 8;
    const step = count(37, 1);
    for (let bit = 0; bit < last; bit += step) {
      const flipped = Buffer.from(whole);
      flipped.writeUInt8(flipped.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      temporary.overwrite(flipped);
      const { told: left, damage } = await readAll(ledger);
      const newline = whole.readUInt8(bit >> 3) === 10;
      expect(damage.corruptLines > 0 || damage.tornTail, `bit ${bit} unnoticed`).toBe(true);
      expect(left.length, `bit ${bit}`).toBe(newline ? told.length : told.length - 1);
      expect(told.filter((line) => !left.includes(line)).length).toBeLessThanOrEqual(1);
      expect((await readAll(ledger, true)).told).toEqual(left.toReversed());
      const { counts } = await ledger.verify();
      expect(counts.damaged + counts.torn + counts.broken).toBeGreaterThan(0);
    }
  });

  test('every newline that is damaged costs no line', async () => {
    const ledger = temporary.ledger();
    await live(ledger, 1);
    const whole = temporary.bytes();
    const { told } = await readAll(ledger);
    for (let at = whole.indexOf(10); at >= 0; at = whole.indexOf(10, at + 1)) {
      const flipped = Buffer.from(whole);
      flipped.writeUInt8(0x4a, at);
      temporary.overwrite(flipped);
      const read = await readAll(ledger);
      expect(read.told).toEqual(told);
      expect(read.damage.corruptLines > 0 || read.damage.tornTail).toBe(true);
      expect((await readAll(ledger, true)).told).toEqual(told.toReversed());
    }
  });

  test.each([
    ['NULs', Buffer.alloc(5000)],
    ['CRLF', Buffer.from('\r\n\r\n')],
    ['a BOM', Buffer.from('\ufeff')],
    ['a JSON line of another', Buffer.from('{"hello":"world"}\n')],
    ['deep nesting', Buffer.from('['.repeat(100_000))],
    ['something like our lines', Buffer.from('{"v":1,"at":"x","record":"event","crc":"00000000"}'.repeat(500))],
    ['binary with newlines', Buffer.from(Array.from({ length: 3000 }, (_, index) => (index * 7919) % 256))],
    ['a 10 MB line', Buffer.alloc(10_000_000, 'x')],
  ])('E5: %s in the middle costs no line', async (_name, garbage) => {
    const ledger = temporary.ledger();
    await live(ledger, 1);
    appendFileSync(temporary.segment(), garbage);
    await live(temporary.ledger(), 2);
    const { told, damage } = await readAll(ledger);
    expect(told).toHaveLength(6);
    expect(damage.corruptLines).toBeGreaterThan(0);
    expect(damage.tornTail).toBe(false);
    const back = await readAll(ledger, true);
    expect(back.told).toEqual(told.toReversed());
    expect(back.damage).toEqual(damage);
    expect((await ledger.verify()).counts).toMatchObject({ broken: 0 });
  });

  test('property: garbage anywhere never stops a reader or costs another line', async () => {
    const ledger = temporary.ledger();
    for (let k = 1; k <= 3; k += 1) await live(ledger, k);
    const whole = temporary.bytes();
    const { told } = await readAll(ledger);
    const starts = [0, ...[...whole.entries()].flatMap(([at, byte]) => (byte === 10 ? [at + 1] : []))];
    const property = fc.asyncProperty(fc.constantFrom(...starts), fc.uint8Array({ maxLength: 400 }), async (at, garbage) => {
      temporary.overwrite(Buffer.concat([whole.subarray(0, at), garbage, Buffer.from('\n'), whole.subarray(at)]));
      const read = await readAll(ledger);
      expect(read.told).toEqual(told);
      expect(read.damage.corruptLines).toBeGreaterThan(0);
      expect((await readAll(ledger, true)).told).toEqual(told.toReversed());
    });
    await fc.assert(property, { numRuns: count(40, 2000) });
  });

  test('lines longer than a chunk of the reader and batches across chunks are read alike both ways', async () => {
    const ledger = temporary.ledger();
    for (let k = 1; k <= 12; k += 1) await live(ledger, k, 'failed', { reasons: Array.from({ length: 6 }, () => 'r'.repeat(1000 * k)) });
    const { told, damage } = await readAll(ledger);
    expect(told).toHaveLength(36);
    expect(damage.corruptLines).toBe(0);
    expect((await readAll(ledger, true)).told).toEqual(told.toReversed());
  });

  test('E12: lines of a newer version are given as unknown, and their events are left alone', async () => {
    const ledger = temporary.ledger();
    await live(ledger, 1, 'running');
    const newer = { record: 'event', ...makeEvent(1, 'completed'), status: 'verifying' };
    appendFileSync(
      temporary.segment(),
      Buffer.concat([encodeLine(newer, { v: 2, at: '2026-01-01T00:00:00.000Z', prev: noLine }), Buffer.from('\n')]),
    );
    appendFileSync(
      temporary.segment(),
      Buffer.concat([encodeLine({ record: 'delivery' }, { v: 1, at: '2026-01-01T00:00:00.000Z', prev: noLine }), Buffer.from('\n')]),
    );
    const { told, damage } = await readAll(ledger);
    expect(told.slice(2)).toEqual(['unknown', 'delivery']);
    expect(damage.corruptLines).toBe(0);
    expect(await ledger.appendEvent(makeEvent(1, 'failed'))).toBe(false);
    expect(await temporary.ledger().appendEvent(makeEvent(1, 'failed'))).toBe(false);
  });

  test('E13: of two contradicting ends the first holds', async () => {
    const ledger = temporary.ledger();
    await live(ledger, 1, 'completed');
    const second = { record: 'event', ...makeEvent(1, 'failed'), step: 2, from: 'running' };
    appendFileSync(
      temporary.segment(),
      Buffer.concat([encodeLine(second, { v: 1, at: '2026-01-01T00:00:00.000Z', prev: noLine }), Buffer.from('\n')]),
    );
    expect((await temporary.ledger().find(eventId(1)))?.status).toBe('completed');
    expect((await ledger.verify()).counts.broken).toBe(1);
  });
});

describe('E9: segments', () => {
  const three = async () => {
    const ledger = temporary.ledger({ segmentLimit: 1200 });
    for (let k = 1; k <= 4; k += 1) await live(ledger, k);
    expect(temporary.segments().length).toBeGreaterThanOrEqual(3);
    return ledger;
  };

  test('one that is missing is a gap, and appending goes on', async () => {
    const ledger = await three();
    rmSync(temporary.segment(2));
    for (const backwards of [false, true]) expect((await readAll(ledger, backwards)).damage.gaps).toBe(1);
    expect((await ledger.verify()).counts).toMatchObject({ gap: 1, broken: 0 });
    expect(await ledger.appendEvent(makeEvent(9, 'pending'))).toBe(true);
  });

  test('one that was shortened is a gap, and breaks the chain', async () => {
    const ledger = await three();
    const whole = temporary.bytes(2);
    truncateSync(temporary.segment(2), whole.lastIndexOf(10, whole.length - 2) + 1);
    expect((await readAll(ledger)).damage.gaps).toBe(1);
    expect((await ledger.verify()).counts.broken).toBe(1);
  });

  test('one that was replaced breaks the chain', async () => {
    const ledger = await three();
    copyFileSync(temporary.segment(1), temporary.segment(2));
    expect((await ledger.verify()).counts.broken).toBeGreaterThanOrEqual(1);
  });

  test('a line that is removed, inserted or moved breaks the chain', async () => {
    const ledger = temporary.ledger();
    await live(ledger, 1);
    await live(ledger, 2);
    const lines = temporary.bytes().toString().trimEnd().split('\n');
    const [a = '', b = '', c = '', ...rest] = lines;
    for (const changed of [[a, c, ...rest], [a, b, b, c, ...rest], [a, c, b, ...rest], lines.slice(1)]) {
      temporary.overwrite(Buffer.from(`${changed.join('\n')}\n`));
      expect((await ledger.verify()).counts.broken).toBeGreaterThan(0);
    }
  });

  test('an empty successor, left by a death between creating and writing, is gone on with', async () => {
    const ledger = temporary.ledger();
    await live(ledger, 1);
    writeFileSync(temporary.segment(2), '', { mode: 0o600 });
    await live(temporary.ledger(), 2);
    expect((await readAll(ledger)).told).toHaveLength(7);
    expect((await ledger.verify()).counts).toEqual({ damaged: 0, torn: 0, broken: 0, gap: 0 });
  });
});

describe('E10: what is no ledger of ours is refused with 74, at once', () => {
  const cases: readonly [string, () => void][] = [
    ['a FIFO', () => execFileSync('mkfifo', [temporary.segment(2)])],
    ['a directory', () => mkdirSync(temporary.segment(2))],
    ['a symbolic link', () => symlinkSync('/etc/hostname', temporary.segment(2))],
    ['a file that others may write to', () => chmodSync(temporary.segment(), 0o666)],
    ['a state directory that others may write to', () => chmodSync(temporary.state, 0o777)],
    ['a ledger folder that others may write to', () => chmodSync(join(temporary.state, 'ledger'), 0o770)],
  ];
  test.each(cases)('%s', async (_name, plant) => {
    await live(temporary.ledger(), 1);
    plant();
    const failure = await failureOf(temporary.ledger().appendEvent(makeEvent(2, 'pending')));
    expect(failure).toMatchObject({ code: 'ledger', exit: 74 });
    expect(failure.message).toContain(temporary.state);
  });

  test.skipIf(!root).each([
    ['file', () => temporary.segment()],
    ['state directory', () => temporary.state],
  ])('a %s of somebody else (needs root)', async (_name, path) => {
    await live(temporary.ledger(), 1);
    chownSync(path(), 65_534, 65_534);
    expect(await failureOf(temporary.ledger().appendEvent(makeEvent(2, 'pending')))).toMatchObject({ exit: 74, class: 'permanent' });
  });

  test('a file that may only be read', async (context) => {
    if (root) context.skip('root may write to it');
    await live(temporary.ledger(), 1);
    chmodSync(temporary.segment(), 0o400);
    const failure = await failureOf(temporary.ledger().appendEvent(makeEvent(2, 'pending')));
    expect(failure.message).toContain('EACCES');
  });
});

describe('a disk that fails', () => {
  test('B3: full: refused naming path and errno, nothing lost; with room again it goes on', async (context) => {
    const mount = `${temporary.state}-mount`;
    mkdirSync(mount);
    if (!root || spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=128k,mode=0700', 'tmpfs', mount]).status !== 0)
      context.skip('a tmpfs needs root');
    const full = temporaryState(mount);
    try {
      const ledger = full.ledger();
      await live(ledger, 1);
      const ballast = join(mount, 'ballast');
      let failure: Failure | null = null;
      for (let k = 2; !failure && k < 2000; k += 1) {
        appendFileSync(ballast, Buffer.alloc(k < 100 ? 1024 : 100)); // grows until there is no room
        failure = await ledger.appendEvent(makeEvent(k, 'pending', { reasons: ['r'.repeat(500)] })).then(
          () => null,
          (error: unknown) => error as Failure,
        );
        if (failure && !failure.message.includes(mount)) throw failure;
      }
      expect(failure).toMatchObject({ code: 'ledger', exit: 74, class: 'resource' });
      expect(failure?.message).toMatch(/ENOSPC|only \d+ of \d+ bytes/);
      expect((await readAll(ledger)).damage.corruptLines).toBeLessThanOrEqual(1);
      expect((await ledger.find(eventId(1)))?.status).toBe('completed');
      rmSync(ballast);
      expect(await ledger.appendEvent(makeEvent(5000, 'pending'))).toBe(true);
      expect((await readAll(ledger)).told.at(-1)).toBe(`${eventId(5000)}:pending`);
      expect((await ledger.verify()).counts.broken).toBe(0);
    } finally {
      spawnSync('umount', [mount]);
    }
  });
});

test('the newest lines of a long ledger are read without reading it all', async () => {
  const ledger = temporary.ledger();
  await live(ledger, 1);
  const line = readFileSync(temporary.segment());
  temporary.overwrite(Buffer.concat([Buffer.alloc(3_000_000, 'garbage\n'), line]));
  const damage = { corruptLines: 0, tornTail: false, gaps: 0 };
  for await (const { record } of ledger.readBackwards(damage)) if (record.record === 'event' && record.step === 0) break;
  expect(damage.corruptLines).toBeLessThan(10_000); // of 375,000
});

describe('what folds read', () => {
  const outcomesOf = async () => {
    const told: string[] = [];
    const damage = { corruptLines: 0, tornTail: false, gaps: 0 };
    for await (const { record } of temporary.ledger().readOutcomes(damage))
      told.push(record.record === 'event' ? `${record.id}:${record.status}` : record.record);
    return { told, damage };
  };

  test('of each event the line that ends it, else its newest; damage counts as ever', async () => {
    const ledger = temporary.ledger();
    await live(ledger, 1);
    await live(ledger, 2, 'running');
    await live(ledger, 3, 'pending', { trigger: '"status":"completed"' });
    await live(ledger, 4, 'failed');
    appendFileSync(temporary.segment(), 'garbage\n');
    await ledger.appendEvent(makeEvent(5, 'pending'));
    const ended = [`${eventId(1)}:completed`, `${eventId(4)}:failed`];
    const open = [`${eventId(2)}:running`, `${eventId(3)}:pending`, `${eventId(5)}:pending`];
    expect(await outcomesOf()).toEqual({ told: [...ended, ...open], damage: { corruptLines: 1, tornTail: false, gaps: 0 } });
  });

  test('what was not ended comes before a clear', async () => {
    const ledger = temporary.ledger();
    await live(ledger, 1, 'running');
    await ledger.appendFact({ record: 'clear', cleared: 1, by: 'test' });
    await ledger.appendEvent(makeEvent(1, 'completed'));
    expect((await outcomesOf()).told).toEqual([`${eventId(1)}:running`, 'clear', `${eventId(1)}:completed`]);
  });
});
