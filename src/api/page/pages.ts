/**
 * api: the pages that only show: each finds what there is by the same readers as the API, and hands it to its view.
 */
import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import { restoreGuide } from '../../core/backup/guide.js';
import { listBackups, showBackup } from '../../core/documents/backups.js';
import { lookOver } from '../../core/documents/overview.js';
import { health } from '../../core/health.js';
import { activeEvents, listEvents, showEvent } from '../../core/history/events.js';
import { within } from '../../core/history/within.js';
import { explain, zoneFor } from '../../core/schedules/explain.js';
import { listSchedules, upcoming } from '../../core/schedules/timetable.js';
import { eventStatuses } from '../../model/events/event.js';
import { zoneOf } from '../../model/moment/slots.js';
import type { Overview } from '../../model/overview/overview.js';
import { parseMoment } from '../../model/moment/typed.js';
import { windowState } from '../../model/moment/window.js';
import { msPerMinute } from '../../model/units.js';
import type { Standing } from '../standing.js';
import { idSchema, nameSchema } from '../schemas.js';
import type { Tools } from '../tools.js';
import type { Visitor } from './door.js';
import { Overlook } from './overlook.js';
import { Proofs } from './proofs.js';
import { backupPage, backupsPage } from './views/backups.js';
import { eventPage, eventsPage } from './views/events.js';
import type { Page } from './views/frame.js';
import { healthPage } from './views/health.js';
import { overviewPage } from './views/overview.js';
import type { Here } from './views/parts.js';
import { explainPage, schedulesPage } from './views/schedules.js';
import { startPage } from './views/start.js';

/** What a page is asked for; `params` and `query` unchecked. */
export interface Shown {
  readonly params: unknown;
  readonly query: unknown;
  readonly visitor: Visitor;
  readonly here: Here;
}

export type Show = (shown: Shown) => Promise<Page>;

const onEvent = z.object({ eventId: idSchema });
const onBackup = z.object({ backupId: idSchema });
const onSchedule = z.object({ scheduleId: nameSchema });
const eventQuery = z.object({ status: z.enum(eventStatuses).optional(), cursor: idSchema.optional() });
const explainQuery = z.object({ at: z.string().trim().max(40).optional() });
const startQuery = z.object({ database: nameSchema.optional(), schedule: nameSchema.optional() });

const [shortList, longList, coming] = [10, 50, 10];

/** What outlives one request. */
export interface Shelf {
  readonly proofs: Proofs;
  readonly overview: () => Promise<Overview>;
  /** Something happened: the next one sees it. */
  readonly forget: () => void;
}

export function openShelf({ clock }: Tools, standing: () => Promise<Standing>): Shelf {
  let before: Standing | null = null;
  const overlook = new Overlook(clock, async () => {
    const { context, metrics } = await standing();
    return lookOver(context, metrics);
  });
  return {
    proofs: new Proofs(),
    async overview() {
      const now = await standing();
      if (now !== before) overlook.forget();
      before = now;
      return (await overlook.find()).value;
    },
    forget: () => overlook.forget(),
  };
}

/** By their paths. */
export function pages(tools: Tools, { overview, proofs }: Shelf): Readonly<Record<string, Show>> {
  const measured = new Overlook(
    tools.clock,
    async () => {
      const [{ context }, { reader }] = [await tools.look(), await tools.kept()];
      return health(context, () => within(context, reader));
    },
    msPerMinute,
  );
  return {
    async '/'({ visitor, here }) {
      const { sight, reader } = await tools.kept();
      const [found, active, { events }] = await Promise.all([
        overview(),
        activeEvents(sight),
        listEvents(sight, { limit: shortList }, reader),
      ]);
      const running = active.map((event) => ({ event, doing: tools.feed.doing(event.database) }));
      return overviewPage({ ...here, overview: found, running, events, visitor });
    },
    async '/events'({ query, here }) {
      const { status, cursor } = eventQuery.parse(query);
      const wanted = { limit: longList, ...(status !== undefined && { status }), ...(cursor !== undefined && { cursor }) };
      const { sight, reader } = await tools.kept();
      return eventsPage({ ...here, found: await listEvents(sight, wanted, reader), status });
    },
    async '/events/:eventId'({ params, visitor, here }) {
      const found = await showEvent(await tools.sight(), onEvent.parse(params).eventId);
      return eventPage({ ...here, found, doing: tools.feed.doing(found.event.database), visitor });
    },
    async '/backups'({ here }) {
      const { context } = await tools.look();
      return backupsPage({ ...here, ...(await listBackups(context)) });
    },
    async '/backups/:backupId'({ params, visitor, here }) {
      const { context } = await tools.look();
      const found = await showBackup(context, onBackup.parse(params).backupId);
      const { artifacts } = found.manifest;
      return backupPage({
        ...here,
        found,
        guide: restoreGuide(found.manifest, artifacts),
        proving: proofs.of(found.backup.backupId),
        visitor,
      });
    },
    async '/schedules'({ here }) {
      const plans = await tools.plans();
      return schedulesPage({ ...here, schedules: await listSchedules(plans), next: await upcoming(plans, { count: coming }) });
    },
    async '/schedules/:scheduleId/explain'({ params, query, here }) {
      const [{ scheduleId }, { at = '' }] = [onSchedule.parse(params), explainQuery.parse(query)];
      const { context } = await tools.look();
      const moment = at === '' ? null : parseMoment(at, zoneFor(context, scheduleId));
      return explainPage({ ...here, found: await explain(context, scheduleId, moment) });
    },
    async '/health'({ here }) {
      const { value, at } = await measured.find();
      return healthPage({ ...here, report: value, at });
    },
    async '/start'({ query, visitor, here }) {
      const { settings, schedules } = await tools.plans();
      const { databases } = await overview();
      return startPage({
        ...here,
        ...startQuery.parse(query),
        databases: databases.map(({ name }) => name),
        schedules: Object.keys(schedules),
        window: windowState(settings.backupWindow, zoneOf({}, settings), here.now),
        visitor,
        key: randomUUID(),
      });
    },
  };
}
