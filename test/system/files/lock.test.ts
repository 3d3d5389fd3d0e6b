/**
 * test: locks between real processes: one holder, freed by death, whatever happens to their files.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openLocks } from '../../../src/system/files/lock.js';
import { takeLock, takeLockSync } from '../../../src/system/files/flock.js';
import { bundle, type Program } from '../../fixtures/bundle.js';
import { count } from '../../fixtures/counts.js';
import { eventId, temporaryState, type TemporaryState } from '../../fixtures/ledger.js';

const source = `
import { openLocks } from './src/system/files/lock.js';
const [state, deed, argument] = process.argv.slice(2);
const locks = openLocks(state);
const lock = deed === 'event' ? await locks.claimEvent(argument) : await locks.claimPlace(Number(argument));
process.stdout.write(lock ? 'held' : 'refused');
if (lock) setInterval(() => {}, 1000);
`;

let program: Program;
let temporary: TemporaryState;
beforeAll(async () => {
  program = await bundle(source);
});
afterAll(() => program.remove());
beforeEach(() => {
  temporary = temporaryState();
});
afterEach(() => temporary.remove());

/** Another process that claims something, until it is killed. */
async function other(deed: 'event' | 'place', argument: string) {
  const child = spawn(process.execPath, [program.file, temporary.state, deed, argument], { stdio: ['ignore', 'pipe', 'inherit'] });
  const closed = new Promise((resolve) => child.once('close', resolve));
  const [said] = await new Promise<string[]>((resolve) => child.stdout.setEncoding('utf8').once('data', (text: string) => resolve([text])));
  const kill = async () => {
    child.kill('SIGKILL');
    await closed;
  };
  return { said, pid: child.pid ?? 0, kill };
}

const id = eventId(1);

describe('events', () => {
  test('one holder, seen by all, freed by release', async () => {
    const locks = openLocks(temporary.state);
    const lock = await locks.claimEvent(id);
    expect(await openLocks(temporary.state).claimEvent(id)).toBeNull();
    expect(await locks.isEventAlive(id)).toBe(true);
    lock?.release();
    lock?.release(); // twice does no harm
    expect(await locks.isEventAlive(id)).toBe(false);
    expect(await locks.eventsLeft()).toEqual([id]);
  });

  test('retiring removes the lock and the run folder, and those who come later start anew', async () => {
    const locks = openLocks(temporary.state);
    const lock = await locks.claimEvent(id);
    mkdirSync(join(temporary.state, 'run', id));
    writeFileSync(join(temporary.state, 'run', id, 'passfile'), 'secret');
    lock?.retire();
    expect(readdirSync(join(temporary.state, 'run'))).toEqual([]);
    expect(await locks.claimEvent(id)).not.toBeNull();
  });

  test('death frees it at once', async () => {
    const holder = await other('event', id);
    const locks = openLocks(temporary.state);
    expect(await locks.claimEvent(id)).toBeNull();
    expect(await locks.isEventAlive(id)).toBe(true);
    await holder.kill();
    expect(await locks.isEventAlive(id)).toBe(false);
    expect(await locks.claimEvent(id)).not.toBeNull();
  });

  test('a child that we start does not keep it', async () => {
    const locks = openLocks(temporary.state);
    const lock = await locks.claimEvent(id);
    const child = spawn('sleep', ['30'], { stdio: 'ignore' });
    lock?.release();
    expect(await locks.isEventAlive(id)).toBe(false);
    child.kill('SIGKILL');
  });

  test('looking creates nothing', async () => {
    const locks = openLocks(temporary.state);
    expect([await locks.isEventAlive(id), await locks.placesTaken(3), await locks.eventsLeft()]).toEqual([false, 0, []]);
    expect(existsSync(temporary.state)).toBe(false);
  });

  test('E14: when the file is deleted under its holder, the pid still tells', async () => {
    const holder = await other('event', id);
    rmSync(join(temporary.state, 'run', `${id}.lock`));
    const locks = openLocks(temporary.state);
    expect(await locks.isEventAlive(id, holder.pid)).toBe(true);
    expect(await locks.isEventAlive(id, process.pid)).toBe(false);
    await holder.kill();
    expect(await locks.isEventAlive(id, holder.pid)).toBe(false);
  });

  test.each(['../../etc/passwd', '/etc/passwd', 'a/b', '..', '.', '', 'a\0b', 'x'.repeat(300), 'ｅ1', '%2e%2e'])(
    'I4: %j is no id',
    async (bad) => {
      const locks = openLocks(temporary.state);
      await expect(locks.claimEvent(bad)).rejects.toThrow('not the id of an event');
      await expect(locks.isEventAlive(bad)).rejects.toThrow('not the id of an event');
      expect(existsSync(temporary.state)).toBe(false);
    },
  );
});

describe('places', () => {
  test('no more than the limit, across processes', async () => {
    const locks = openLocks(temporary.state);
    const others = [await other('place', '2'), await other('place', '2')];
    expect(others.map(({ said }) => said)).toEqual(['held', 'held']);
    expect((await other('place', '2')).said).toBe('refused');
    expect(await locks.claimPlace(2)).toBeNull();
    expect(await locks.placesTaken(2)).toBe(2);
    await others[0]?.kill();
    expect(await locks.placesTaken(2)).toBe(1);
    expect(await locks.claimPlace(2)).not.toBeNull();
    await others[1]?.kill();
  });

  test('E15: files left by the dead hold nobody up', async () => {
    const locks = openLocks(temporary.state);
    const dead = [await other('place', '1'), await other('event', id)];
    for (const { kill } of dead) await kill();
    expect(existsSync(join(temporary.state, 'locks', 'host.0.lock'))).toBe(true);
    expect(await locks.claimPlace(1)).not.toBeNull();
    expect(await locks.claimEvent(id)).not.toBeNull();
  });
});

test('E14: whoever waited for a lock whose file was deleted takes the new file, never beside another', async () => {
  mkdirSync(temporary.state, { mode: 0o700 });
  const path = join(temporary.state, 'x.lock');
  for (let round = 0; round < count(5, 50); round += 1) {
    const first = takeLockSync(path, 0);
    const waiting = takeLock(path, 5);
    rmSync(path);
    const third = takeLockSync(path, 0); // of the new file
    first?.release(); // now the waiting one gets the lock of the deleted file, and must not be content with it
    await new Promise((resolve) => setTimeout(resolve, 20));
    third?.release();
    const second = await waiting;
    expect(third).not.toBeNull();
    expect(second).not.toBeNull();
    expect(takeLockSync(path, 0)).toBeNull();
    second?.release();
  }
});

describe('backups', () => {
  test('many may read one, and none while it is removed', async () => {
    const [here, there] = [openLocks(temporary.state), openLocks(temporary.state)];
    expect(await here.isBackupHeld(id)).toBe(false);
    expect(existsSync(join(temporary.state, 'locks'))).toBe(false);
    const readers = [await here.holdBackup(id), await there.holdBackup(id)];
    expect(readers).not.toContain(null);
    expect(await here.isBackupHeld(id)).toBe(true);
    expect(await here.claimBackup(id)).toBeNull();
    for (const reader of readers) reader?.release();
    const remover = await here.claimBackup(id);
    expect(await there.holdBackup(id)).toBeNull();
    remover?.retire();
    expect(readdirSync(join(temporary.state, 'locks'))).toEqual([]);
  });

  test('one removes from a storage at a time', async () => {
    const locks = openLocks(temporary.state);
    const first = await locks.claimRetention('local');
    const other = await locks.claimRetention('other');
    expect([first, other]).not.toContain(null);
    setTimeout(() => first?.release(), 50);
    expect(await locks.claimRetention('local')).not.toBeNull(); // waits for the first
  });
});

test('B13: a symbolic link or a pipe in the place of a lock is refused, and its target untouched', async () => {
  mkdirSync(join(temporary.state, 'locks'), { recursive: true, mode: 0o700 });
  const target = join(temporary.state, 'target');
  symlinkSync(target, join(temporary.state, 'locks', 'host.0.lock'));
  await expect(openLocks(temporary.state).claimPlace(1)).rejects.toMatchObject({ code: 'ledger', exit: 74 });
  expect(existsSync(target)).toBe(false);
  spawnSync('mkfifo', [join(temporary.state, 'pipe')]);
  expect(() => takeLockSync(join(temporary.state, 'pipe'), 0)).toThrow('not a regular file');
});

async function withoutFlock(deed: () => Promise<void>): Promise<void> {
  const path = process.env['PATH'];
  process.env['PATH'] = '/nowhere';
  try {
    await deed();
  } finally {
    process.env['PATH'] = path;
  }
}

test('without flock(1) it says what to install', () =>
  withoutFlock(async () => {
    await expect(openLocks(temporary.state).claimPlace(1)).rejects.toMatchObject({ hint: expect.stringContaining('util-linux') as string });
  }));

test('what this process holds it knows without starting a program, and no longer than it holds it', async () => {
  const lock = await openLocks(temporary.state).claimEvent(id);
  await withoutFlock(async () => expect(await openLocks(temporary.state).isEventAlive(id)).toBe(true));
  lock?.release();
  await withoutFlock(async () => {
    await expect(openLocks(temporary.state).isEventAlive(id)).rejects.toMatchObject({ code: 'ledger' });
  });
  expect(await openLocks(temporary.state).isEventAlive(id)).toBe(false);
});
