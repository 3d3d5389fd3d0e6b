/**
 * cli: `schedule list` and `schedule next`: the schedules and their times as tables. They write nothing.
 */
import { Argument, type Command } from 'commander';
import type { ScheduleRow, Upcoming } from '../../../core/schedules/timetable.js';
import type { Retention } from '../../../model/settings/settings.js';
import { formatDuration } from '../../../model/units.js';
import { addCommand, positive, run } from '../../command.js';
import { width, type GlobalOptions, type Outcome } from '../../render.js';

/** `2026-03-29 03:00` of an ISO time. */
const minute = (iso: string): string => iso.slice(0, 16).replace('T', ' ');
const lasting = (ms: number | null): string => (ms === null ? '-' : formatDuration(ms));

const kept = (retention: Retention): string =>
  Object.entries(retention)
    .filter(([key]) => key.startsWith('keep'))
    .map(([key, value]) => `${key.slice(4).toLowerCase()} ${value}`)
    .join(', ');

function page({ id, enabled, ...row }: ScheduleRow): [string, string][] {
  return [
    ['schedule', enabled ? id : `${id} (off)`],
    ['when', `${row.when} (${row.zone})`],
    ['next', row.next ? `${minute(row.next.local)} local, ${minute(row.next.utc)} UTC` : 'never'],
    ['last run', row.lastRun ? `${row.lastRun.status}, ${minute(row.lastRun.timestamp)} UTC` : 'none yet'],
    ['takes', lasting(row.expectedDuration)],
    ['databases', row.databases.join(', ')],
    ['storages', row.storages.join(', ')],
    ['keeps', kept(row.retention)],
  ];
}

async function list(options: GlobalOptions): Promise<Outcome> {
  const { openPlans } = await import('../../../wire/plans.js');
  const { listSchedules } = await import('../../../core/schedules/timetable.js');
  const { facts } = await import('../../show/table.js');
  const schedules = await listSchedules(await openPlans(options));
  return {
    document: { schedules },
    text: (paint) =>
      schedules.length === 0
        ? 'no schedule is configured'
        : schedules.map((row) => facts(page(row), { width: width(), paint })).join('\n\n'),
  };
}

/** The zone in the head where all times are of one, else behind each. */
function rowsOf(next: readonly Upcoming[], only: string | null): string[][] {
  return next.map(({ scheduleId, local, utc, zone, expectedDuration, notes }) => [
    only === null ? `${minute(local)} ${zone}` : minute(local),
    minute(utc),
    scheduleId,
    lasting(expectedDuration),
    notes.join('; '),
  ]);
}

async function next(options: GlobalOptions & { readonly schedule?: string }, count = 10): Promise<Outcome> {
  const { openPlans } = await import('../../../wire/plans.js');
  const { upcoming } = await import('../../../core/schedules/timetable.js');
  const { table } = await import('../../show/table.js');
  const found = await upcoming(await openPlans(options), { count, schedule: options.schedule });
  const zones = [...new Set(found.map(({ zone }) => zone))];
  const only = zones.length === 1 ? (zones[0] ?? null) : null;
  const head = [only === null ? 'LOCAL' : `LOCAL (${only})`, 'UTC', 'SCHEDULE', 'TAKES', 'NOTES'];
  return {
    document: { next: found },
    text: (paint) => (found.length === 0 ? 'nothing is due ever' : table(head, rowsOf(found, only), { width: width(), paint })),
  };
}

/** Adds them to `schedule`. */
export function timetableCommands(schedule: Command): void {
  addCommand(schedule, 'list', 'show every schedule: when it runs, what, where to, and how it went last', {
    examples: [
      ['schedule list', 'each with its next run and its last one'],
      ['schedule list --json', 'the same for a program'],
    ],
    exits: { 10: 'configuration', 74: 'the ledger cannot be read' },
  }).action(run(list));
  addCommand(schedule, 'next', 'show the next runs of all schedules, in local time and UTC', {
    examples: [
      ['schedule next', 'the next ten, with clock changes, overlaps and what lies outside the window'],
      ['schedule next 30 --schedule daily-backup', 'thirty of one schedule'],
    ],
    exits: { 2: 'no such schedule', 10: 'configuration', 74: 'the ledger cannot be read' },
  })
    .addArgument(new Argument('[count]', 'how many').argParser(positive))
    .option('--schedule <name>', 'of this schedule only')
    .action(run(next));
}
