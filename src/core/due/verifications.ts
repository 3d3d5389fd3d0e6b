/**
 * core: the proofs that schedules ask for (`verify`), done when they are overdue.
 */
import { overdueProofs, type ProofRoutine, type ProofTry } from '../../model/backup/overdue.js';
import type { Backup } from '../../model/backup/backup.js';
import type { Level } from '../../model/backup/level.js';
import { asFailure, Failure } from '../../model/errors.js';
import { msPerDay } from '../../model/units.js';
import { catalog, type Catalog } from '../catalog/catalog.js';
import { elapsed, type Context } from '../context.js';
import { verifyBackup, type VerifyResult } from '../verify.js';
import type { Done } from './done.js';

/** A process that verifies holds it, so that the next one leaves it to that. */
const lockName = 'scheduled-verification';

function routinesOf({ schedules }: Context, { backups }: Catalog): ProofRoutine[] {
  return Object.entries(schedules).flatMap(([scheduleId, { enabled, verify }]) => {
    if (!enabled || !verify) return [];
    const own = backups.filter((backup) => backup.scheduleId === scheduleId && backup.signed);
    return [...new Set(own.map(({ database }) => database))].map((database) => {
      const backupIds = own.filter((backup) => backup.database === database).map(({ backupId }) => backupId);
      return { scheduleId, database, ...verify, backupIds };
    });
  });
}

/** What was tried of late, before the commit too. */
async function triesOf(context: Context, { backups }: Catalog, days: number): Promise<ProofTry[]> {
  const earliest = new Date(context.clock.now().getTime() - days * msPerDay).toISOString();
  const tries = backups.flatMap(({ backupId, manifest: { proven } }): ProofTry[] =>
    proven ? [{ backupId, ...proven, outcome: 'proven' }] : [],
  );
  for await (const { record } of context.ledger.readBackwards()) {
    if (record.at < earliest) break;
    if (record.record !== 'verification') continue;
    const { backupId, level, at, ok, undone } = record;
    tries.push({ backupId, level, at, outcome: ok ? 'proven' : undone ? 'undone' : 'failed' });
  }
  return tries;
}

/** One that could not be done says nothing about the backup. */
export type Verified = VerifyResult & { readonly undone?: true };

/** Proves what is overdue, one after the other; the failure is of a bad backup before one that could not be tried. */
export async function verifyOverdue(context: Context): Promise<Done<Verified>> {
  const wanted = Object.values(context.schedules).flatMap(({ enabled, verify }) => (enabled && verify ? [verify.everyDays] : []));
  if (wanted.length === 0 || context.signal.aborted) return { done: [], failure: null };
  const lock = await context.locks.claimEvent(lockName);
  if (!lock) return { done: [], failure: null };
  try {
    const stock = await catalog(context);
    const tries = await triesOf(context, stock, Math.max(...wanted) + 1);
    const asked = { now: context.clock.now(), retryDelay: context.settings.retryDelay };
    const tried: Tried[] = [];
    for (const { backupId, level } of overdueProofs(routinesOf(context, stock), tries, asked)) {
      const backup = stock.backups.find((one) => one.backupId === backupId);
      if (backup && !context.signal.aborted) tried.push(await prove(context, backup, level));
    }
    const failures = tried.flatMap(({ failure }) => failure ?? []);
    const worst = failures.find(({ code }) => code === 'verification' || code === 'unreadable') ?? failures[0] ?? null;
    return { done: tried.map(({ verified }) => verified), failure: worst };
  } finally {
    lock.retire();
  }
}

interface Tried {
  readonly verified: Verified;
  readonly failure: Failure | null;
}

/** Rejects for the ledger alone. */
async function prove(context: Context, backup: Backup, level: Level): Promise<Tried> {
  const { backupId, database } = backup;
  const started = context.clock.monotonic();
  try {
    const verified = await verifyBackup(context, backup, level);
    const { ok, code, detail } = verified;
    const message = `backup ${backupId} of ${database} is not proven: ${detail}`;
    return { verified, failure: ok ? null : new Failure(code ?? 'verification', message) };
  } catch (error) {
    const failure = asFailure(error, 'verification');
    const { code, message: detail } = failure;
    if (code === 'ledger') throw failure;
    return { verified: { backupId, database, level, ok: false, undone: true, code, detail, duration: elapsed(context, started) }, failure };
  }
}
