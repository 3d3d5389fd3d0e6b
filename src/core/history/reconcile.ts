/**
 * core: ends the events whose processes died: as completed when the backup lies whole in a storage, else as failed, with nothing
 * left behind; and leaves the retry that a dead one announced and did not. It never touches a process, and never an event whose lock somebody holds.
 */
import type { Manifest } from '../../model/backup/backup.js';
import { isTerminal, type BackupEvent } from '../../model/events/event.js';
import type { Storage } from '../../model/roles/storage.js';
import type { Context } from '../context.js';
import { candidates, interrupted, isDead } from './liveness.js';
import { noCopy, retryOf } from '../event/record.js';
import { readManifest } from '../backup/manifest.js';

export type ReconcileContext = Pick<
  Context,
  'ledger' | 'locks' | 'storages' | 'schedules' | 'signer' | 'log' | 'announce' | 'newId' | 'clock'
> & {
  readonly process: Pick<Context['process'], 'host'>;
};

/** After so many ms of tidying up the rest is left to the next one: who starts came for something else. */
const patience = 2000;

/** Resolves to the events that were ended. Doing it twice, or ten at once, ends each once. Throws only a Failure `ledger`. */
export async function reconcile(context: ReconcileContext): Promise<BackupEvent[]> {
  const ended: BackupEvent[] = [];
  const started = context.clock.monotonic();
  for (const id of await candidates(context)) {
    if (ended.length > 0 && context.clock.monotonic() - started > patience) break;
    const event = await settleOne(context, id);
    if (event) ended.push(event);
  }
  return ended;
}

/** Ends one event, when it is dead; what an ended one left in `run/` is removed. */
async function settleOne(context: ReconcileContext, id: string): Promise<BackupEvent | null> {
  const seen = await context.ledger.find(id);
  if (seen && !isTerminal(seen.status) && !(await isDead(context, seen))) return null;
  const lock = await context.locks.claimEvent(id);
  if (!lock) return null;
  let over = false;
  try {
    const event = await context.ledger.find(id); // again, now that nobody else can end it
    const end = event && !isTerminal(event.status) ? await endOf(context, event) : null;
    if (event?.retryAt !== undefined && !(await isRetried(context, event))) await retryOf(context, event);
    over = event === null || (isTerminal(event.status) && (await swept(context, event)));
    if (end === null || !(await context.ledger.appendEvent(end))) return null;
    over = true;
    context.log('warn', `event ${id} of ${end.database}: its process died; it is ${end.status} now`, { eventId: id });
    context.announce({ kind: 'warning', database: end.database, message: `the process of event ${id} died; it is ${end.status} now` });
    context.announce({ kind: 'event', event: end });
    return end;
  } finally {
    if (over) lock.retire();
    else lock.release();
  }
}

/** Whether the retry that a failed event announces was left: its line comes after the event's last one. */
async function isRetried({ ledger }: ReconcileContext, { id, retryOf = id, database, attempt }: BackupEvent): Promise<boolean> {
  for await (const { record } of ledger.readBackwards()) {
    if (record.record !== 'event') continue;
    if (record.retryOf === retryOf && record.database === database && record.attempt === attempt + 1) return true;
    if (record.id === id) return false;
  }
  return false;
}

const placeOf = (event: BackupEvent) => ({ database: event.database, backupId: event.id });

function storagesOf(context: ReconcileContext, { scheduleId }: BackupEvent): Storage[] {
  const names = scheduleId === undefined ? undefined : context.schedules[scheduleId]?.storages;
  return context.storages.filter(({ name }) => names?.includes(name) ?? true);
}

/** Removes what a process that ended its event itself could not remove, its storage being away then; false: it still is. */
async function swept(context: ReconcileContext, event: BackupEvent): Promise<boolean> {
  const sweeps = await Promise.allSettled(storagesOf(context, event).map((storage) => storage.sweep(placeOf(event))));
  return sweeps.every(({ status }) => status === 'fulfilled');
}

interface Copy {
  readonly storage: Storage;
  readonly manifest: Manifest | null;
}

/** How a dead event ends; null while a storage that could hold its backup cannot be asked. */
async function endOf(context: ReconcileContext, event: BackupEvent): Promise<BackupEvent | null> {
  if (event.status === 'pending') return interrupted(event);
  const place = placeOf(event);
  try {
    const copies = await Promise.all(storagesOf(context, event).map((storage) => lookFor(context, storage, place)));
    for (const { storage, manifest } of copies) if (!manifest) await storage.sweep(place);
    return recovered(event, copies) ?? interrupted(event);
  } catch (error) {
    context.log('warn', `event ${event.id} of ${event.database}: its process died, and its storage cannot be asked`, {
      error: String(error),
    });
    return null;
  }
}

async function lookFor(context: ReconcileContext, storage: Storage, place: { database: string; backupId: string }): Promise<Copy> {
  const stored = await storage.stat(place);
  const read = stored && readManifest(stored, context.signer);
  return { storage, manifest: read && 'manifest' in read && read.manifest.eventId === place.backupId ? read.manifest : null };
}

/** The event completed after all, when its backup was committed. */
function recovered(event: BackupEvent, copies: readonly Copy[]): BackupEvent | null {
  const manifest = copies.find((copy) => copy.manifest)?.manifest;
  if (!manifest) return null;
  const missing = copies.filter((copy) => !copy.manifest).map(({ storage }) => storage.name);
  const without = missing.map((name) => noCopy(name, 'the process that made it died'));
  const warnings = [...(event.warnings ?? []), ...manifest.warnings, ...without];
  return {
    ...event,
    status: 'completed',
    recovered: true,
    ...(manifest.proven && { proven: manifest.proven.level }),
    ...(warnings.length > 0 && { warnings }),
    ...(missing.length > 0 && { missing }),
    result: {
      success: true,
      backupId: manifest.backupId,
      duration: Math.max(0, Date.parse(manifest.finishedAt) - Date.parse(manifest.startedAt)),
      size: manifest.artifacts.reduce((sum, { size }) => sum + size, 0),
    },
  };
}
