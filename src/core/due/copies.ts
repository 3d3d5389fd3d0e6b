/**
 * core: the copies that are owed to storages which failed beside a good one: made when their time has come.
 */
import type { OwedCopy } from '../../model/backup/owed-copies.js';
import { Failure } from '../../model/errors.js';
import type { Context } from '../context.js';
import { mendCopies, type Copied, type Mended } from '../copies.js';
import type { Done } from './done.js';
import { readOwed } from './owed-copies.js';

/** Makes the copies whose time has come. What is owed no longer is recorded as that. */
export async function mendOwed(context: Context): Promise<Done<Copied>> {
  const copies = await readOwed(context);
  const due = copies.due(context.clock.now());
  if (due.length === 0) return { done: [], failure: null };
  const wanted = new Set(due.map(({ storage }) => storage));
  const except = new Set(context.storages.map(({ name }) => name).filter((name) => !wanted.has(name)));
  const mended = await mendCopies(context, { except });
  if (context.signal.aborted) return { done: mended.copied, failure: null };
  for (const storage of wanted)
    await settle(
      context,
      due.filter((one) => one.storage === storage),
      mended,
    );
  const [problem] = mended.problems;
  const message = `storage "${problem?.storage}" lacks a copy still: ${problem?.failure.message}`;
  const failure = problem
    ? new Failure('partial', message, { hint: 'it is tried again later; or type: backup-automation backups copy' })
    : null;
  return { done: mended.copied, failure };
}

/** A storage that could not even be looked at has failed once; of one that has all it should nothing is owed any more. */
async function settle(context: Context, owed: readonly OwedCopy[], { copied, problems }: Mended): Promise<void> {
  const tell = ({ backupId, database, storage }: OwedCopy, ok: boolean, detail: string) =>
    context.ledger.appendFact({ record: 'copy', backupId, database, from: null, to: storage, ok, detail, size: 0, duration: 0 });
  const [newest] = owed;
  const problem = problems.find(({ storage }) => storage === newest?.storage);
  if (!newest || problem?.failure.code === 'not-now') return;
  const tried = copied.filter(({ to }) => to === newest.storage);
  if (problem) await (tried.every(({ ok }) => ok) && tell(newest, false, problem.failure.message));
  else
    for (const one of owed)
      if (!tried.some(({ backupId }) => backupId === one.backupId)) await tell(one, true, 'nothing is to be copied there any more');
}
