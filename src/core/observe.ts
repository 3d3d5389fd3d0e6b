/**
 * core: watches what a backup does to its database while it runs: spares it, gives way where it must, and tells what it cost.
 */
import { asFailure, Failure } from '../model/errors.js';
import type { BackupEvent } from '../model/events/event.js';
import { decideGentle, loadOf, type GentleDecision, type Impact, type Observation } from '../model/moment/observation.js';
import type { Watch } from '../model/roles/engine.js';
import type { Database } from '../model/roles/engine/dump.js';
import { msPerSecond } from '../model/units.js';
import { tellWaits } from './backup/waits.js';
import type { Context } from './context.js';

/** Between two looks, ms: the first ones find the sessions of the dump soon after they were opened. */
const pauses = [100, 200, 400, 800] as const;
const pause = 2000;
/** How long a database that is busy is looked at before, so that there is something to compare with, ms. */
const baseline = 3000;

/**
 * Watches a deed, which is given a Context whose programs are confined where that was decided, and whose signal tells when to give way.
 * A server that does not let itself be looked at is no reason against a backup: then nothing is `seen`.
 */
export async function observe<T>(
  context: Context,
  { event, database }: { readonly event: BackupEvent; readonly database: Database },
  deed: (watched: Context) => Promise<T>,
  seen: (impact: Impact) => void,
): Promise<T> {
  const watch = await context.engine.watch(database, event.id).catch((error: unknown) => unwatched(context, database, error));
  if (!watch) return deed(context);
  const before = await lookBefore(context, watch, database.name).catch(() => null);
  const decision = decideGentle({
    asked: context.settings.gentle,
    local: watch.local,
    core: await context.confinement.core(),
    busy: before?.at(-1)?.busy ?? null,
  });
  const standUp = decision.core !== null && context.process.alone ? await context.confinement.standBack(decision.core) : null;
  if (decision.core !== null) context.announce({ kind: 'step', step: 'dump', database: database.name, detail: decision.reason });
  const stop = new AbortController();
  const giveWay = new AbortController();
  const during: Observation[] = [];
  const waits = tellWaits(context, event);
  const looking = lookOn(context, { watch, decision, during, signal: stop.signal, giveWay, name: database.name, waits: waits.seen });
  const signal = AbortSignal.any([context.signal, giveWay.signal]);
  try {
    return await deed({ ...context, signal, announce: waits.announce, run: confined(context, decision) });
  } finally {
    stop.abort();
    const { refused } = await looking;
    await standUp?.();
    await watch.close().catch(() => {});
    seen(impactOf(before ?? [], during, decision, refused));
  }
}

function unwatched({ log }: Context, { name }: Pick<Database, 'name'>, error: unknown): null {
  log('warn', `${name}: the database cannot be watched, and nothing gives way to those who wait for it: ${asFailure(error).message}`);
  return null;
}

/** Programs started by it keep to the core. */
function confined({ run }: Context, { core }: GentleDecision): Context['run'] {
  return core === null ? run : (stages, options) => run(stages, { ...options, core });
}

/** One look at a quiet database, a row of them at a busy one. */
async function lookBefore({ clock, signal, announce }: Context, watch: Watch, name: string): Promise<Observation[]> {
  const looks = [await watch.look()];
  if (looks[0]?.busy !== 0)
    announce({ kind: 'step', step: 'wait', database: name, detail: 'looking at the load without the backup, to compare' });
  for (let waited = 0; looks[0]?.busy !== 0 && waited < baseline; waited += msPerSecond) {
    await clock.sleep(msPerSecond, signal);
    looks.push(await watch.look());
  }
  return looks;
}

interface Looking {
  readonly watch: Watch;
  readonly decision: GentleDecision;
  readonly during: Observation[];
  readonly signal: AbortSignal;
  readonly giveWay: AbortController;
  readonly name: string;
  readonly waits: (waits: string | null) => Promise<void>;
}

/** Looks until it is told to end. A look that fails is no reason to stop: others may wait for us just then. */
async function lookOn(context: Context, { watch, decision, during, signal, giveWay, name, waits }: Looking): Promise<{ refused: boolean }> {
  const kept = new Set<number>();
  let refused = false;
  let blind = false;
  for (let round = 0; !signal.aborted; round += 1) {
    try {
      const seen = await watch.look();
      blind = false;
      during.push(seen);
      const fresh = decision.core === null ? [] : seen.backends.filter((pid) => !kept.has(pid));
      if (decision.core !== null && fresh.length > 0) {
        refused ||= (await context.confinement.keep(fresh, decision.core)).length < fresh.length;
        fresh.forEach((pid) => kept.add(pid));
      }
      const failure = tooLong(context, name, seen);
      if (failure) giveWay.abort(failure);
      await waits(seen.waits);
    } catch (error) {
      if (!signal.aborted && !blind) unwatched(context, { name }, error);
      blind = true;
    }
    await context.clock.sleep(pauses[round] ?? pause, signal).catch(() => {});
  }
  return { refused };
}

/** Whether others have waited for us for too long. */
function tooLong({ settings }: Context, name: string, { blocked }: Observation): Failure | null {
  const limit = settings.maxBlocking * msPerSecond;
  if (limit === 0 || !blocked || blocked.longest < limit) return null;
  const seconds = Math.round(blocked.longest / msPerSecond);
  return new Failure('gave-way', `${name}: ${blocked.who} has waited ${seconds} s for a lock of this dump, which gave way (maxBlocking)`);
}

function impactOf(
  before: readonly Observation[],
  during: readonly Observation[],
  { core, reason }: GentleDecision,
  refused: boolean,
): Impact {
  return {
    before: loadOf(before),
    during: loadOf(during),
    longestBlocked: Math.round(Math.max(0, ...during.map(({ blocked }) => blocked?.longest ?? 0))),
    core,
    gentle: refused ? `${reason}; its sessions on the server belong to another user, and were not` : reason,
  };
}
