/**
 * cli: what every command that works (rather than only shows) begins with: a Context that listens and can be stopped.
 */
import type { Context } from '../core/context.js';
import type { Failure } from '../model/errors.js';
import type { LoadedConfig } from '../config/load.js';
import { actor } from './actor.js';
import { listen } from './show/progress.js';
import type { GlobalOptions } from './render.js';
import { stopSignal } from './signals.js';

let lost: Failure | undefined;

/** The alerts that were given up before the work began: whatever the work comes to, its exit code says so. */
export const lostAlerts = (): Failure | undefined => lost;

/**
 * A Context whose progress is shown; dead events of this host are closed and owed alerts sent first. `unattended`: nobody typed it.
 */
export async function openWork(
  options: GlobalOptions,
  { unattended, ...more }: { readonly environmentFile?: string; readonly unattended?: boolean; readonly alone?: boolean } = {},
): Promise<{ context: Context; loaded: LoadedConfig }> {
  const [{ makeContext }, { reconcile }, { atStart, notify }] = await Promise.all([
    import('../wire.js'),
    import('../core/history/reconcile.js'),
    import('../core/notify.js'),
  ]);
  const wired = await makeContext({ ...options, ...more, ...(!unattended && { actor: actor() }) }, listen(options), stopSignal());
  await reconcile(wired.context);
  const untold = await notify(wired.context, atStart);
  if (untold?.class === 'permanent') lost = untold;
  return wired;
}

/** A Context that only looks: nothing is announced, reconciled or written. */
export async function openLook(options: GlobalOptions): Promise<{ context: Context; loaded: LoadedConfig }> {
  const { makeContext } = await import('../wire.js');
  return makeContext(options);
}
