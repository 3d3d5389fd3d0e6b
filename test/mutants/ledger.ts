/**
 * test: mutants of the ledger and of the locks: what was acknowledged, who may write, who is alive.
 */
import type { Mutant } from './mutant.js';

const lostLine = 'after a power cut a line that was acknowledged is gone';
const unboundLoad = 'more backups run at once than are configured';
const tests = ['system/ledger/ledger.test.ts'];

export const ledger: readonly Mutant[] = [
  {
    name: 'a line not made durable',
    file: 'system/ledger/append.ts',
    edits: [['fdatasyncSync(fd);', '']],
    breaks: lostLine,
    tests: ['faults/durable.test.ts'],
  },
  {
    name: "a new segment's bytes not made durable",
    file: 'system/ledger/append.ts',
    edits: [['fsyncSync(file.fd);', '']],
    breaks: lostLine,
    tests: ['faults/durable.test.ts'],
  },
  {
    name: "a new segment's name not made durable",
    file: 'system/ledger/append.ts',
    edits: [['!syncDirectory(ledgerFolder(stateDirectory))', 'false']],
    breaks: lostLine,
    tests: ['faults/durable.test.ts'],
  },
  {
    name: 'content with a segment that could not be made durable',
    file: 'system/ledger/append.ts',
    edits: [['going on in a new segment`);\n      return false;', 'going on in a new segment`);\n      return true;']],
    breaks: lostLine,
    tests: ['faults/durable.test.ts'],
  },
  {
    name: 'a line not chained to the one before',
    file: 'system/ledger/append.ts',
    edits: [['encodeLine(line.content, { ...frame, prev })', 'encodeLine(line.content, { ...frame, prev: noLine })']],
    breaks: 'lines can be removed or inserted without being noticed',
    tests,
  },
  {
    name: 'a broken chain not told',
    file: 'system/ledger/verify.ts',
    edits: [['else if (first && !this.isJoined(link, first.prev))', 'else if (first && !this.isJoined(link, first.prev) && offset < 0)']],
    breaks: 'lines can be removed or inserted without being noticed',
    tests,
  },
  {
    name: 'a torn line swallows the next',
    file: 'system/ledger/append.ts',
    edits: [['tail?.torn ? [newline] : []', '[]']],
    breaks: 'a crash costs the line that is written after it',
    tests,
  },
  {
    name: "a line's checksum not compared",
    file: 'system/ledger/line.ts',
    edits: [
      [
        'return hasTrailer(bytes, bodyEnd, crc32(bytes.subarray(start, bodyEnd))) ?',
        'return hasTrailer(bytes, bodyEnd, 0) || bodyEnd > 0 ?',
      ],
    ],
    breaks: 'a flipped bit is believed',
    tests,
  },
  {
    name: 'a short write of a line taken for a whole one',
    file: 'system/ledger/append.ts',
    edits: [['return count === bytes.length ? null :', 'return count > 0 ? null :']],
    breaks: 'on a full disk a line is acknowledged that nobody can read',
    tests: ['faults/durable.test.ts'],
  },
  {
    name: 'damage of the ledger not counted',
    file: 'system/ledger/read.ts',
    edits: [['const corrupt = () => void (damage.corruptLines += 1);', 'const corrupt = () => {};']],
    breaks: 'history is missing and nobody is told',
    tests,
  },
  {
    name: 'a missing segment not counted',
    file: 'system/ledger/read.ts',
    edits: [['if (!from) damage.gaps += missing;', '']],
    breaks: 'history is missing and nobody is told',
    tests,
  },
  {
    name: 'anything may follow anything',
    file: 'system/ledger/ledger.ts',
    edits: [['!mayFollow(from ?? undefined, event) || ', '']],
    breaks: 'an event ends twice',
    tests,
  },
  {
    name: 'a completed event may fail',
    file: 'model/events/event.ts',
    edits: [['completed: [],', "completed: ['failed'],"]],
    breaks: 'an event ends twice',
    tests,
  },
  {
    name: "a newer version's event changed",
    file: 'system/ledger/ledger.ts',
    edits: [['if (newer || ', 'if (']],
    breaks: 'an older version ends what a newer one works on',
    tests,
  },
  {
    name: 'a slot given out twice',
    file: 'system/ledger/ledger.ts',
    edits: [[' || (!from && states.isSlotTaken(event))', '']],
    breaks: 'a slot has two backups',
    tests: [...tests, 'system/ledger/processes.test.ts'],
  },
  {
    name: "the ledger's lock not taken",
    file: 'system/ledger/ledger.ts',
    edits: [['const lock = await takeLock(lockPath(), lockWait);', 'const lock: Lock | null = lockPath() && { release: () => {} };']],
    breaks: 'writers at once break the chain, and give a slot out twice',
    tests: ['system/ledger/processes.test.ts'],
  },
  {
    name: 'a link followed in place of a segment',
    file: 'system/ledger/segments.ts',
    edits: [['flags | constants.O_NOFOLLOW | constants.O_NONBLOCK', 'flags | constants.O_NONBLOCK']],
    breaks: 'another user leads the ledger into a file of his choice',
    tests,
  },
  {
    name: 'a segment that others may write to believed',
    file: 'system/ledger/append.ts',
    edits: [['(mode & 0o022) !== 0', '(mode & 0o022) < 0']],
    breaks: 'others write history',
    tests,
  },
  {
    name: 'the lock of a deleted file is enough',
    file: 'system/files/flock.ts',
    edits: [
      [
        'return ours.nlink > 0 && theirs !== undefined && theirs.ino === ours.ino && theirs.dev === ours.dev;',
        'return ours.nlink >= 0 || theirs === undefined;',
      ],
    ],
    breaks: 'two hold what only one may',
    tests: ['system/files/lock.test.ts'],
  },
  {
    name: 'a place given without its lock',
    file: 'system/files/lock.ts',
    edits: [
      [
        '          const lock = takeLockSync(path, seconds);\n          if (lock) return lock;',
        '          if (path && seconds >= 0) return { release: () => {} };',
      ],
    ],
    breaks: unboundLoad,
    tests: ['system/files/lock.test.ts'],
  },
  {
    name: 'one place too many',
    file: 'system/files/lock.ts',
    edits: [['Array.from({ length: limit }', 'Array.from({ length: limit + 1 }']],
    breaks: unboundLoad,
    tests: ['system/files/lock.test.ts'],
  },
  {
    name: 'a place given back before the dump',
    file: 'core/execute.ts',
    edits: [
      [
        'const mark = await context.engine.mark(database)',
        'await gate.place.release();\n      const mark = await context.engine.mark(database)',
      ],
    ],
    breaks: unboundLoad,
    tests: ['core/event/gate.test.ts'],
  },
  {
    name: "a host's place kept when the server refuses",
    file: 'core/event/places.ts',
    edits: [["if ('refused' in there) {\n      here.release();", "if ('refused' in there) {"]],
    breaks: 'who is refused keeps others out for as long as it lives',
    tests: ['core/event/gate.test.ts'],
  },
  {
    name: 'the turn of a schedule not waited for',
    file: 'core/event/places.ts',
    edits: [['if (turn !== null || notBefore === undefined) return turn;', 'if (turn !== null || notBefore !== null) return turn;']],
    breaks: 'two backups of one schedule and database run side by side',
    tests: ['faults/turns.test.ts'],
  },
  {
    name: 'a living event ended by the next run',
    file: 'core/history/liveness.ts',
    edits: [['if (await sight.locks.isEventAlive(event.id, event.pid)) return false;', '']],
    breaks: 'a backup that runs is called dead, and its files are swept away under it',
    tests: ['core/history/reconcile.test.ts'],
  },
  {
    name: "a dead event's pid believed before its lock",
    file: 'core/history/liveness.ts',
    edits: [["if (event.status === 'running' || event.host", 'if (event.host']],
    breaks: 'an event is running for ever, because another process got its number',
    tests: ['core/history/reconcile.test.ts'],
  },
  {
    name: 'what a dead run left beside its backup not swept',
    file: 'core/history/reconcile.ts',
    edits: [['for (const { storage, manifest } of copies) if (!manifest) await storage.sweep(place);', '']],
    breaks: 'what was killed fills the disk',
    tests: ['core/history/reconcile.test.ts'],
  },
  {
    name: 'a dead event failed although its backup is whole',
    file: 'core/history/reconcile.ts',
    edits: [['return recovered(event, copies) ?? interrupted(event);', 'return interrupted(event);']],
    breaks: 'a good backup is not counted',
    tests: ['core/history/reconcile.test.ts'],
  },
  {
    name: 'the retry of a failed event that died forgotten',
    file: 'core/history/reconcile.ts',
    edits: [['if (event?.retryAt !== undefined && ', 'if (event?.retryAt === null && ']],
    breaks: 'a retry that was announced never comes',
    tests: ['core/history/reconcile.test.ts'],
  },
  {
    name: "a run's private folder left behind",
    file: 'system/files/lock.ts',
    edits: [['rmSync(join(run, eventId), { recursive: true, force: true });', '']],
    breaks: 'a password stays on the disk',
    tests: ['system/files/lock.test.ts'],
  },
  {
    name: 'a backup removed while it is read',
    file: 'system/files/lock.ts',
    edits: [
      [
        "return takeLockSync(backupPath(backupId), outwaitLooks, 'shared');",
        "return takeLockSync(`${backupPath(backupId)}.reader`, outwaitLooks, 'shared');",
      ],
    ],
    breaks: 'a restore loses its backup on the way',
    tests: ['system/files/lock.test.ts'],
  },
];
