/**
 * core: tells that a backup waits for a lock, on the screen and in the ledger, and that it goes on; and which do. It waits for nothing itself.
 */
import type { BackupEvent } from '../../model/events/event.js';
import type { Announce, Progress } from '../../model/roles/progress.js';
import type { Context } from '../context.js';
import { activeEvents } from '../history/events.js';

export interface Waits {
  /** To be announced by: after a wait the step is told again that was under way. */
  readonly announce: Announce;
  /** What it waits for now, a noun; null: for nothing. Never throws: a ledger that cannot be written is told by what follows. */
  readonly seen: (waits: string | null) => Promise<void>;
}

export function tellWaits(context: Context, event: BackupEvent): Waits {
  const { database } = event;
  let waiting: string | null = null;
  let doing: Progress | null = null;
  return {
    announce: (progress) => {
      if (progress.kind === 'step') doing = progress;
      context.announce(progress);
    },
    seen: async (waits) => {
      if (waits === waiting) return;
      const last: Progress | null = waiting === null ? null : doing;
      waiting = waits;
      if (waits !== null) context.announce({ kind: 'step', step: 'wait', database, detail: `for ${waits}` });
      else if (last) context.announce(last);
      await context.ledger.appendEvent(waits === null ? event : { ...event, waits }).catch(() => null);
    },
  };
}

/** The backups that run and wait, a sentence each, for whoever asks how things are; none where the ledger cannot be read. */
export async function waitingAdvice(context: Context): Promise<string[]> {
  const { lockWaitTimeout } = context.settings;
  const active = await activeEvents(context).catch(() => []);
  return active.flatMap(({ database, waits }) =>
    waits ? [`the backup of ${database} that runs waits for ${waits}; it gives up after ${lockWaitTimeout} s (lockWaitTimeout)`] : [],
  );
}
