/**
 * core: the weekly summary, when its time has come. Reads the ledger and asks the storages; sends nothing.
 */
import type { AlertState } from '../../model/alert/state.js';
import { SummaryFold, type StorageLeft } from '../../model/alert/summary.js';
import type { AlertRecord } from '../../model/events/ledger.js';
import { occurrencesOf } from '../../model/moment/occurrences.js';
import { localZone } from '../../model/moment/window.js';
import type { Context } from '../context.js';

/** `MON 08:00` came since the last summary, or since there is anybody to read one. */
function isDue({ settings, clock }: Context, { summaryAt, beginning }: AlertState): boolean {
  const { weeklySummary } = settings.alerting;
  if (weeklySummary === null || beginning === null) return false;
  const [day = '', time = ''] = weeklySummary.split(' ');
  const [hour, minute] = time.split(':').map(Number);
  const [last] = occurrencesOf({ cron: `${minute} ${hour} * * ${day}` }, settings.timezone ?? localZone()).previous(1, clock.now());
  return last !== undefined && last.toISOString() > (summaryAt ?? beginning);
}

/** The summary as a record to be appended; none before its time. */
export async function dueSummary(context: Context, state: AlertState): Promise<AlertRecord[]> {
  if (!isDue(context, state)) return [];
  const fold = new SummaryFold(context.clock.now());
  for await (const { record } of context.ledger.readOutcomes()) fold.take(record);
  const left = context.storages.map(async (storage): Promise<StorageLeft> => {
    const probe = await storage.probe().catch(() => null);
    return { name: storage.name, freeBytes: probe?.freeBytes ?? null };
  });
  return [{ record: 'alert', alert: fold.alert(context.process.host, await Promise.all(left)) }];
}
