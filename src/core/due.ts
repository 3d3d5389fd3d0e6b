/**
 * core: `execute --due`, what is due, done: slots, triggers, retries, what waits for its conditions, copies and proofs that are owed. Each duty is a file of `core/due`.
 */
import { asFailure } from '../model/errors.js';
import type { Context } from './context.js';
import { readAgenda } from './due/agenda.js';
import type { Copied } from './copies.js';
import { mendOwed } from './due/copies.js';
import { remember } from './due/quiet.js';
import { openSlots } from './due/slots.js';
import { openTriggered } from './due/triggers.js';
import { verifyOverdue, type Verified } from './due/verifications.js';
import { runWaiting } from './due/waiting.js';
import { summarize } from './event/outcome.js';
import type { Executed } from './event/request.js';
import { health } from './health.js';
import { atEnd, isLookDue, notify } from './notify.js';
import { beaten } from './notify/beat.js';
import { withLastResort } from './notify/direct.js';

export interface DueDone extends Executed {
  readonly verified: readonly Verified[];
  readonly copied: readonly Copied[];
}

/** Does what is due; the events of dead processes were ended before. */
export const executeDue = (context: Context): Promise<DueDone> => withLastResort(context, () => doDue(context));

async function doDue(context: Context): Promise<DueDone> {
  const agenda = await readAgenda(context);
  const opened = await openSlots(context, agenda);
  const askedAt = await openTriggered(context, agenda, context.dueMemory.recall()?.askedAt ?? null);
  await agenda.catchUp();
  const outcomes = await runWaiting(context, agenda);
  const mended = context.signal.aborted ? { done: [], failure: null } : await mendOwed(context);
  const proven = await verifyOverdue(context);
  const report = isLookDue(context) ? { report: await health(context) } : {};
  const [untold] = await Promise.all([notify(context, { ...atEnd, due: true, ...report }), beaten(context)]);
  await remember(context, agenda, askedAt);
  const stopped = context.signal.aborted ? asFailure(context.signal.reason, 'interrupted') : null;
  return {
    events: [...opened, ...outcomes.map(({ event }) => event)],
    news: [...opened, ...outcomes.filter(({ isOld }) => !isOld).map(({ event }) => event)],
    verified: proven.done,
    copied: mended.done,
    // what waits has not failed
    failure: stopped ?? summarize(outcomes.filter(({ event }) => event.status !== 'pending')) ?? proven.failure ?? mended.failure ?? untold,
  };
}
