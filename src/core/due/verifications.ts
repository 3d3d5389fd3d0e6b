/**
 * core: the proofs that schedules ask for (`verify`), done when they are overdue.
 */
import { overdueProofs, type ProofRoutine, type ProofTry } from '../../model/backup/overdue.js';
import { asFailure, Failure } from '../../model/errors.js';
import { msPerDay } from '../../model/units.js';
import { catalog, type Catalog } from '../catalog/catalog.js';
import type { Context } from '../context.js';
import { verifyBackup } from '../verify.js';

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

/** Proves what is overdue, one after the other; resolves to the first that did not go well, a bad backup before what could not be tried. */
export async function verifyOverdue(context: Context): Promise<Failure | null> {
  const wanted = Object.values(context.schedules).flatMap(({ enabled, verify }) => (enabled && verify ? [verify.everyDays] : []));
  if (wanted.length === 0 || context.signal.aborted) return null;
  const lock = await context.locks.claimEvent(lockName);
  if (!lock) return null;
  try {
    const stock = await catalog(context);
    const tries = await triesOf(context, stock, Math.max(...wanted) + 1);
    const asked = { now: context.clock.now(), retryDelay: context.settings.retryDelay };
    const failures: Failure[] = [];
    for (const { backupId, level } of overdueProofs(routinesOf(context, stock), tries, asked)) {
      const backup = stock.backups.find((one) => one.backupId === backupId);
      if (!backup || context.signal.aborted) continue;
      const failure = await verifyBackup(context, backup, level).then(
        ({ ok, code, detail }) =>
          ok ? null : new Failure(code ?? 'verification', `backup ${backupId} of ${backup.database} is not proven: ${detail}`),
        (error: unknown) => asFailure(error, 'verification'),
      );
      if (failure?.code === 'ledger') throw failure;
      if (failure) failures.push(failure);
    }
    return failures.find(({ code }) => code === 'verification' || code === 'unreadable') ?? failures[0] ?? null;
  } finally {
    lock.retire();
  }
}
