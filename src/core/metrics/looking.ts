/**
 * core: the Context as metrics look at it: storages that answer in time or not at all, each listed once, and of the ledger the lines that
 * still count. Nothing can be written by it.
 */
import { Failure } from '../../model/errors.js';
import type { LedgerDamage, LedgerLine } from '../../model/roles/ledger.js';
import type { Storage, StoredBackup } from '../../model/roles/storage.js';
import type { Context } from '../context.js';
import { ledgerOf } from '../history/within.js';

async function gather<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

async function* of<T extends StoredBackup>(database: string | undefined, items: Promise<readonly T[]>): AsyncGenerator<T> {
  for (const item of await items) if (database === undefined || item.place.database === database) yield item;
}

/** A storage that is asked for everything at once and for nothing twice. `late` rejects when the time is over. */
function once(storage: Storage, late: Promise<never>): Storage {
  const ask = <T>(deed: () => Promise<T>): Promise<T> => {
    const answer = Promise.race([deed(), late]);
    answer.catch(() => undefined); // told to whoever asks for it
    return answer;
  };
  const probed = ask(() => storage.probe());
  const listed = ask(() => probed.then(() => gather(storage.list())));
  const discarded = ask(() => probed.then(() => gather(storage.discarded())));
  return {
    ...nothingElse(storage),
    probe: () => probed,
    list: (database) => of(database, listed),
    discarded: (database) => of(database, discarded),
  };
}

const refuse = (): never => {
  throw new Failure('internal', 'metrics only look');
};

const nothingElse = ({ name, kind, required }: Storage): Storage => ({
  name,
  kind,
  required,
  probe: refuse,
  adopt: refuse,
  put: refuse,
  get: refuse,
  list: refuse,
  stat: refuse,
  sweep: refuse,
  mark: refuse,
  unmark: refuse,
  discard: refuse,
  recover: refuse,
  discarded: refuse,
  remove: refuse,
});

export interface Looking {
  readonly context: Context;
  /** Ends the watch over the time. */
  close(): void;
}

/** `limit`: longest time for all storages together, ms. */
export function lookingAt(context: Context, lines: readonly LedgerLine[], damage: LedgerDamage, limit: number): Looking {
  const watch = new AbortController();
  const late = context.clock.sleep(limit, watch.signal).then((): never => {
    throw new Failure('storage', `no answer within ${Math.round(limit / 1000)} s`);
  });
  late.catch(() => undefined);
  return {
    context: {
      ...context,
      storages: context.storages.map((storage) => once(storage, late)),
      ledger: ledgerOf(context.ledger, lines, damage),
      log: () => undefined,
      announce: () => undefined,
    },
    close: () => watch.abort(),
  };
}
