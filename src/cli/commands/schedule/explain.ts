/**
 * cli: `explain`: the verdict first, then each condition, then what is next and what was. It judges nothing itself.
 */
import type { ChalkInstance } from 'chalk';
import type { Command } from 'commander';
import type { Explanation } from '../../../core/schedules/explain.js';
import { addCommand, run } from '../../command.js';
import { width, type GlobalOptions, type Outcome } from '../../render.js';
import type * as View from '../../show/event-view.js';
import type * as Table from '../../show/table.js';
import { openLook } from '../../work.js';

interface Parts {
  readonly table: typeof Table;
  readonly view: typeof View;
}

const minute = (iso: string): string => iso.slice(0, 16).replace('T', ' ');
const verdicts = {
  ready: 'green',
  runs: 'green',
  completed: 'green',
  running: 'blue',
  failed: 'red',
  missed: 'red',
  never: 'red',
} as const;

function render(found: Explanation, { table, view }: Parts, paint: ChalkInstance): string {
  const look = { width: width(), paint };
  const both = (times: { readonly local: string; readonly utc: string } | null, none: string) =>
    times
      ? [`${minute(times.local)} ${found.zone}`, ...(minute(times.local) === minute(times.utc) ? [] : [`${minute(times.utc)} UTC`])].join(
          ', ',
        )
      : none;
  const colour = Object.entries(verdicts).find(([verdict]) => verdict === found.verdict)?.[1] ?? 'yellow';
  const head: [string, string][] = [
    [found.when === 'now' ? 'now' : 'at', both(found.at, '')],
    ...(found.slot ? [['slot', both(found.slot, '')] as [string, string]] : []),
    ['next', both(found.next, 'never')],
  ];
  // value and limit stand in the detail, as words; programs read them from --json
  const rows = found.conditions.map(({ name, database, met, detail }) => [
    database === null ? name : `${name} ${database}`,
    met ? paint.green('holds') : paint.red('not'),
    detail,
  ]);
  const section = (title: string, events: Explanation['events']) =>
    events.length === 0 ? [] : ['', `${title}:`, view.eventTable(events, paint)];
  return [
    `${paint.bold(found.scheduleId)}: ${paint[colour](found.summary)}`,
    '',
    table.facts(head, look),
    '',
    table.table(['CONDITION', 'STATE', 'DETAIL'], rows, look),
    ...section('Waiting', found.pending),
    ...section(found.when === 'past' ? 'About then' : 'Last runs', found.events),
    ...(found.notes.length > 0 ? ['', ...found.notes.map((note) => `Note: ${note}`)] : []),
  ].join('\n');
}

async function report(options: GlobalOptions & { readonly at?: string }, scheduleId: string): Promise<Outcome> {
  const [{ explain, zoneFor }, table, view, { parseMoment }] = await Promise.all([
    import('../../../core/schedules/explain.js'),
    import('../../show/table.js'),
    import('../../show/event-view.js'),
    import('../../../model/moment/typed.js'),
  ]);
  const { context } = await openLook(options);
  const at = options.at === undefined ? null : parseMoment(options.at, zoneFor(context, scheduleId));
  const found = await explain(context, scheduleId, at);
  return { document: { ...found }, text: (paint) => render(found, { table, view }, paint) };
}

export function explainCommand(program: Command): void {
  addCommand(program, 'explain <schedule>', 'tell why a schedule runs or does not run, now or at another time', {
    examples: [
      ['explain daily-backup', 'every condition with what is measured now, and when it runs next'],
      ['explain daily-backup --at "2026-11-21 02:00"', 'what happened then, and why'],
    ],
    exits: { 2: 'no such schedule, or no such time', 10: 'configuration', 74: 'the ledger cannot be read' },
  })
    .option('--at <time>', `a time that was or comes, in the schedule's zone: 2026-11-21, "2026-11-21 02:00"; or 2026-11-21T01:00Z`)
    .action(run(report));
}
