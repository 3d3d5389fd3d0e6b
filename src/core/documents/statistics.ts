/**
 * core: the document of `statistics`, the same for the command line and the API.
 */
import type { Grouping } from '../../model/figures/grouping.js';
import { localZone } from '../../model/moment/here.js';
import { parseSince } from '../../model/moment/typed.js';
import { keptStatistics, statistics, type Figures } from '../history/statistics.js';
import type { Sight } from '../history/liveness.js';
import type { LedgerReader } from '../history/reader.js';
import type { Clock } from '../../model/roles/clock.js';

export interface StatisticsDocument extends Figures {
  readonly since?: Date;
  readonly timezone: string;
}

/** `since` as it is typed; `reader`, where one is kept. Throws `usage`. */
export async function statisticsDocument(
  sight: Sight & { readonly clock: Pick<Clock, 'now'> },
  { since: typed, by }: { readonly since?: string | undefined; readonly by?: Grouping | undefined },
  reader?: LedgerReader,
): Promise<StatisticsDocument> {
  const now = sight.clock.now();
  const since = typed === undefined ? undefined : parseSince(typed, now);
  const asked = { ...(since && { since }), ...(by && { by }) };
  const figures = await (reader ? keptStatistics(sight, reader, asked) : statistics(sight, asked));
  return { ...figures, ...(since && { since }), timezone: localZone([now.toISOString()]) };
}
