/**
 * api: what every route is given: the project behind the server, opened anew for each request, so that a changed configuration
 * holds from the next one on, and one that is wrong is told rather than fallen over.
 */
import type { Context } from '../core/context.js';
import type { LedgerReader } from '../core/history/reader.js';
import { reconcile } from '../core/history/reconcile.js';
import type { TokenContext } from '../core/tokens.js';
import type { Actor } from '../model/access/actor.js';
import type { Role } from '../model/access/token.js';
import type { Clock } from '../model/roles/clock.js';
import type { Log } from '../model/roles/log.js';
import type { ApiSettings } from '../model/settings/api.js';
import { makeContext, type Wired, type WireOptions } from '../wire.js';
import { openPlans } from '../wire/plans.js';
import { openReader } from '../wire/reader.js';
import { openSight, type OpenSight } from '../wire/sight.js';
import type { Plans } from '../core/schedules/timetable.js';
import { Feed } from './feed.js';
import { Runs } from './runs.js';

/** Who asks. */
export interface Caller extends Actor {
  /** The token's id; null: nobody asked for one (`--insecure`). */
  readonly token: string | null;
  readonly role: Role;
}

export interface Kept {
  readonly sight: OpenSight;
  readonly reader: LedgerReader;
}

export interface Tools {
  /** What was typed: `--config`, `--set`. */
  readonly options: Pick<WireOptions, 'config' | 'set'>;
  /** As they were when the server started. */
  readonly settings: ApiSettings;
  readonly access: TokenContext;
  readonly clock: Clock;
  readonly log: Log;
  /** What takes longer than an answer. */
  readonly runs: Runs;
  /** How far the backups of this process are. */
  readonly feed: Feed;
  /** Aborts when the server is asked to stop. */
  readonly stopping: AbortSignal;
  /** Aborts when what still runs is to be given up. */
  readonly cancelled: AbortSignal;
  /** The ledger alone. */
  sight(): Promise<OpenSight>;
  /** What is kept of the ledger, so that no request reads it from its beginning. */
  kept(): Promise<Kept>;
  plans(): Promise<Plans>;
  /** To look around: writes nothing. Throws ConfigurationFailure. */
  look(): Promise<Wired>;
  /** To do something: events of dead processes are ended first. Null: on nobody's behalf. */
  work(actor: Actor | null): Promise<Context>;
}

export interface ToolsGiven extends Pick<Tools, 'options' | 'settings' | 'access' | 'log' | 'stopping' | 'cancelled' | 'clock'> {
  readonly environment: { readonly verbose?: boolean };
}

export function openTools({ environment, ...given }: ToolsGiven): Tools {
  const { options, cancelled } = given;
  const feed = new Feed();
  let kept: Kept | null = null;
  return {
    ...given,
    feed,
    runs: new Runs(given.log),
    sight: () => openSight(options),
    async kept() {
      const sight = await openSight(options);
      const reader = kept?.sight.stateDirectory === sight.stateDirectory ? kept.reader : openReader(sight);
      kept = { sight, reader };
      return kept;
    },
    plans: () => openPlans(options),
    look: () => makeContext(options),
    async work(actor) {
      const announce = feed.hear;
      const { context } = await makeContext({ ...options, ...environment, ...(actor && { actor }) }, announce, cancelled);
      await reconcile(context);
      return context;
    },
  };
}
