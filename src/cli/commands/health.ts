/**
 * cli: `health`: the checks as a table, and the exit codes of the monitoring plugins. It judges nothing itself.
 */
import type { ChalkInstance } from 'chalk';
import type { Command } from 'commander';
import type { HealthDocument } from '../../core/health.js';
import { asFailure } from '../../model/errors.js';
import type { CheckStatus } from '../../model/health/check.js';
import { addCommand, run } from '../command.js';
import { width, type GlobalOptions, type Outcome } from '../render.js';
import type { table as Table } from '../show/table.js';
import { openLook, openWork } from '../work.js';
import { countOf } from '../../model/units.js';

const exits = { healthy: 0, warning: 1, critical: 2 } as const;
/** The monitoring plugins' word for "could not be checked". */
export const unknownExit = 3;

const colours = { healthy: 'green', warning: 'yellow', critical: 'red', unknown: 'dim' } as const satisfies Record<
  CheckStatus,
  keyof ChalkInstance
>;

function render(report: HealthDocument, table: typeof Table, paint: ChalkInstance): string {
  // value and limit stand in the detail, as words; programs read them from --json
  const rows = report.checks.map(({ name, subject, status, detail }) => [
    subject === null ? name : `${name} ${subject}`,
    paint[colours[status]](status),
    detail,
  ]);
  const running = `${countOf(report.activeBackups, 'backup is', 'backups are')} running`;
  return [
    `${paint.bold(paint[colours[report.status]](report.status))}, ${running}`,
    '',
    table(['CHECK', 'STATUS', 'DETAIL'], rows, { width: width(), paint }),
    ...section('Issues:', report.issues),
    ...section('Advice:', report.advice),
  ].join('\n');
}

const section = (title: string, lines: readonly string[]): string[] =>
  lines.length === 0 ? [] : ['', title, ...lines.map((line) => `  ${line}`)];

async function report(options: GlobalOptions & { readonly alert?: boolean }): Promise<Outcome> {
  try {
    const [{ health }, { table }] = await Promise.all([import('../../core/health.js'), import('../show/table.js')]);
    const { context } = await (options.alert ? openWork(options) : openLook(options));
    const found = await health(context);
    if (options.alert) {
      const { atEnd, notify } = await import('../../core/notify.js');
      await notify(context, { ...atEnd, report: found });
    }
    return { document: { ...found }, text: (paint) => render(found, table, paint), exit: exits[found.status] };
  } catch (error) {
    return { document: {}, text: () => '', failure: asFailure(error), exit: unknownExit };
  }
}

export function healthCommand(program: Command): void {
  addCommand(program, 'health', 'tell whether backups are made, kept and restorable, and how the databases and storages are', {
    examples: [
      ['health', 'shows every check with what was found and its limit'],
      ['health --alert', 'tells the channels when something became bad, worse or good again: for crontab'],
      ['health --json', 'the same for a program: status, issues, checks, advice'],
      ['health > /dev/null || echo look', 'for a monitoring system: the exit code says it'],
    ],
    exits: { 1: 'a warning', 2: 'critical', 3: 'unknown: it could not be checked (wrong usage, configuration)' },
  })
    .option('--alert', 'tell the channels what changed since they were last told')
    .action(run(report));
}
