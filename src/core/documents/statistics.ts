/**
 * core: the document of `statistics`, the same for the command line and the API.
 */
import { groupKeyOf, type Grouping } from '../../model/events/grouping.js';
import { localZone } from '../../model/moment/here.js';
import { parseSince } from '../../model/moment/typed.js';
import { statistics, type Figures } from '../history/events.js';
import type { Sight } from '../history/liveness.js';
import type { Clock } from '../../model/roles/clock.js';

export interface StatisticsDocument extends Figures {
  readonly since?: Date;
  readonly timezone: string;
}

/** `since` as it is typed. Throws `usage`. */
export async function statisticsDocument(
  sight: Sight & { readonly clock: Pick<Clock, 'now'> },
  { since: typed, by }: { readonly since?: string | undefined; readonly by?: Grouping | undefined },
): Promise<StatisticsDocument> {
  const now = sight.clock.now();
  const since = typed === undefined ? undefined : parseSince(typed, now);
  const figures = await statistics(sight, { ...(since && { since }), ...(by && { groupBy: groupKeyOf(by) }) });
  return { ...figures, ...(since && { since }), timezone: localZone([now.toISOString()]) };
}
