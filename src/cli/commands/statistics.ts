/**
 * cli: `statistics`: the figures, and a chart by day. It counts nothing itself, and writes nothing.
 */
import type { ChalkInstance } from 'chalk';
import { Option, type Command } from 'commander';
import type { Figures } from '../../core/history/statistics.js';
import type { Cost } from '../../model/figures/impact.js';
import { groupings, type Grouping } from '../../model/figures/grouping.js';
import type { Statistics, StatisticsGroup } from '../../model/figures/statistics.js';
import { countOf, formatBytes, formatDuration, msPerDay } from '../../model/units.js';
import { addCommand, run } from '../command.js';
import { say, width, type GlobalOptions, type Outcome } from '../render.js';
import type * as Table from '../show/table.js';

interface StatisticsCommandOptions extends GlobalOptions {
  readonly since?: string;
  readonly by?: Grouping;
}

const rate = ({ successRate }: Statistics): string => (successRate === null ? '-' : `${successRate} %`);
const average = ({ successfulEvents, averageDuration }: Statistics): string =>
  successfulEvents > 0 ? formatDuration(averageDuration) : '-';

const signed = (percent: number): string => `${percent > 0 ? '+' : ''}${percent} %`;

/** `transactions -2 %, answers +10 %; others waited 1.2 s at most; 3 of 8 kept to one core`. */
function costText({ watched, confined, gaveWay, longestBlocked, transactions, latency }: Cost): string {
  const changes = [
    transactions === null ? null : `transactions ${signed(transactions)}`,
    latency === null ? null : `time of an answer ${signed(latency)}`,
  ].filter((change) => change !== null);
  return [
    changes.length > 0 ? changes.join(', ') : 'nothing else went on',
    ...(longestBlocked > 0 ? [`others waited ${formatDuration(longestBlocked)} at most`] : []),
    ...(gaveWay > 0 ? [`gave way ${countOf(gaveWay, 'time')}`] : []),
    `${confined} of ${watched} kept to one core`,
  ].join('; ');
}

function summary(figures: Statistics, local: (iso: string) => string): [string, string][] {
  const { duration } = figures;
  return [
    ['events', String(figures.totalEvents)],
    ['completed', String(figures.successfulEvents)],
    ['failed', String(figures.failedEvents)],
    ['cancelled', String(figures.cancelledEvents)],
    ['pending', String(figures.pendingEvents)],
    ['running now', String(figures.activeBackups)],
    ['success rate', rate(figures)],
    ['average duration', average(figures)],
    ['half within', duration ? formatDuration(duration.p50) : '-'],
    ['95 % within', duration ? formatDuration(duration.p95) : '-'],
    ['stored', `${formatBytes(figures.totalSize)}, ${formatBytes(figures.averageSize)} on average`],
    ...(figures.cost ? [['cost to the database', costText(figures.cost)] satisfies [string, string]] : []),
    ['last success', figures.lastSuccess === null ? 'never' : local(figures.lastSuccess)],
  ];
}

function groupTable(by: Grouping, groups: readonly StatisticsGroup[], table: typeof Table.table, paint: ChalkInstance): string {
  const rows = groups.map((group) => [
    group.key,
    ...[group.totalEvents, group.successfulEvents, group.failedEvents, group.cancelledEvents].map(String),
    rate(group),
    average(group),
    formatBytes(group.totalSize),
  ]);
  const head = [by.toUpperCase(), 'EVENTS', 'COMPLETED', 'FAILED', 'CANCELLED', 'SUCCESS', 'AVERAGE', 'STORED'];
  return table(head, rows, { width: width(), paint, align: ['left', 'right', 'right', 'right', 'right', 'right', 'right', 'right'] });
}

/** How long each database takes to come back, as it was measured. */
function restoreTable(
  restores: Figures['restores'],
  table: typeof Table.table,
  paint: ChalkInstance,
  local: (iso: string) => string,
): string {
  const rows = restores.map((one) => [
    one.database,
    local(one.at),
    formatDuration(one.last),
    formatDuration(one.median),
    one.bytesPerSecond === null ? '-' : `${formatBytes(one.bytesPerSecond)}/s`,
    formatDuration(one.predicted),
  ]);
  const head = ['RESTORE OF', 'MEASURED', 'TOOK', 'MEDIAN', 'PACE', 'EXPECTED NOW'];
  return table(head, rows, { width: width(), paint, align: ['left', 'left', 'right', 'right', 'right', 'right'] });
}

/** How far the backups of each database were proven, and when that was done last. */
function provenTable(proven: Figures['proven'], table: typeof Table.table, paint: ChalkInstance, local: (iso: string) => string): string {
  const rows = proven.map(({ database, level, at, backupId }) => [
    database,
    level ?? paint.yellow('nothing'),
    at === null ? 'never' : local(at),
    backupId ?? '-',
  ]);
  return table(['PROVEN', 'HIGHEST LEVEL', 'LAST', 'BACKUP'], rows, { width: width(), paint, ids: 3 });
}

/** Days in the chart, the newest last; those without events are there too, since a gap is what to look for. */
const mostDays = 31;
const widestBar = 50;

function daysOf(groups: readonly StatisticsGroup[]): { day: string; group: StatisticsGroup | undefined }[] {
  const byDay = new Map(groups.map((group) => [group.key, group]));
  const newest = groups.at(-1)?.key;
  const oldest = groups[0]?.key;
  if (newest === undefined || oldest === undefined) return [];
  const days: string[] = [];
  for (let time = Date.parse(newest); days.length < mostDays && time >= Date.parse(oldest); time -= msPerDay)
    days.unshift(new Date(time).toISOString().slice(0, 10));
  return days.map((day) => ({ day, group: byDay.get(day) }));
}

/** A bar a day: `#` completed, `x` failed, `-` cancelled or not ended. */
function chart(groups: readonly StatisticsGroup[], columns: number, paint: ChalkInstance): string {
  const days = daysOf(groups);
  const most = Math.max(1, ...days.map(({ group }) => group?.totalEvents ?? 0));
  const room = Math.max(1, Math.min(widestBar, columns - '2026-01-31  '.length - ` ${most}`.length));
  const scale = Math.min(1, room / most);
  const lines = days.map(({ day, group }) => {
    if (!group) return day;
    const { totalEvents: total, successfulEvents: good, failedEvents: bad } = group;
    // a failure is never rounded away
    const wide = Math.max(1, Math.round(total * scale));
    const badWide = bad > 0 ? Math.max(1, Math.round(bad * scale)) : 0;
    const goodWide = Math.min(wide - badWide, Math.round(good * scale));
    const bar = [paint.green('#'.repeat(Math.max(0, goodWide))), paint.red('x'.repeat(badWide))];
    return `${day}  ${bar.join('')}${paint.dim('-'.repeat(Math.max(0, wide - badWide - goodWide)))} ${total}`;
  });
  return [...lines, paint.dim('# completed  x failed  - other')].join('\n');
}

/** Reading a long ledger makes much short-lived garbage, for which V8 would take 30 MB more; must come before. */
async function stayLean(): Promise<void> {
  const { setFlagsFromString } = await import('node:v8');
  setFlagsFromString('--semi-space-growth-factor=1');
}

async function report(options: StatisticsCommandOptions): Promise<Outcome> {
  const { openSight } = await import('../../wire/sight.js');
  const { statisticsDocument } = await import('../../core/documents/statistics.js');
  const moment = await import('../../model/moment/here.js');
  await stayLean();
  const figures = await statisticsDocument(await openSight(options), options);
  const { damageNote } = await import('../show/damage.js');
  const { facts, table } = await import('../show/table.js');
  const note = damageNote(figures.damage);
  if (note) say(note, options);
  return {
    document: { ...figures },
    text(paint) {
      const { groups } = figures;
      const pairs = summary(figures, (iso) => `${moment.localTime(iso)} ${figures.timezone}`);
      const parts = [facts(pairs, { width: width(), paint })];
      if (figures.proven.length > 0) parts.push(provenTable(figures.proven, table, paint, moment.localTime));
      if (figures.restores.length > 0) parts.push(restoreTable(figures.restores, table, paint, moment.localTime));
      if (options.by && groups && groups.length > 0) parts.push(groupTable(options.by, groups, table, paint));
      if (options.by === 'day' && groups && groups.length > 0) parts.push(chart(groups, width(), paint));
      return parts.join('\n\n');
    },
  };
}

export function statisticsCommand(program: Command): void {
  addCommand(program, 'statistics', 'show how many backups there were, how they went and how long they took', {
    examples: [
      ['statistics', 'the figures since the ledger was begun or cleared'],
      ['statistics --since 30d --by day', 'the last thirty days, with a chart'],
    ],
    exits: { 2: 'wrong usage', 74: 'the ledger cannot be read' },
  })
    .option('--since <when>', 'only events created since: 12h, 7d, 2w or a date')
    .addOption(new Option('--by <group>', 'figures for each as well').choices(groupings))
    .action(run(report));
}
