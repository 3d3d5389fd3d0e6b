/**
 * cli: `active`: the backups that run now. It writes nothing, and believes a lock more than a line.
 */
import type { Command } from 'commander';
import { addCommand, run } from '../../command.js';
import { harmless, width, type GlobalOptions, type Outcome } from '../../render.js';

async function active(options: GlobalOptions): Promise<Outcome> {
  const { openSight } = await import('../../../wire/sight.js');
  const { activeEvents } = await import('../../../core/history/events.js');
  const sight = await openSight(options);
  const events = await activeEvents(sight);
  const { table } = await import('../../show/table.js');
  const { localTime, localZone } = await import('../../../model/moment/here.js');
  const { formatDuration } = await import('../../../model/units.js');
  const now = sight.clock.now().getTime();
  const rows = events.map((event) => [
    localTime(event.timestamp),
    event.id,
    event.database,
    event.type,
    formatDuration(Math.max(0, now - Date.parse(event.timestamp))),
    `${event.pid} on ${event.host}`,
  ]);
  const waits = events.flatMap(({ database, waits: lock }) => (lock ? [harmless(`${database} waits for ${lock}`)] : []));
  const head = [`SINCE (${localZone(events.map(({ timestamp }) => timestamp))})`, 'ID', 'DATABASE', 'TYPE', 'FOR', 'PROCESS'];
  return {
    document: { active: events },
    text: (paint) =>
      rows.length > 0 ? [table(head, rows, { width: width(), paint, ids: 1 }), ...waits].join('\n') : 'no backup is running',
  };
}

export function activeCommand(program: Command): void {
  addCommand(program, 'active', 'list the backups that run now', {
    examples: [
      ['active', 'shows each with its database and for how long it runs'],
      ['active --json', 'the same events for a program'],
    ],
    exits: { 74: 'the ledger cannot be read' },
  }).action(run(active));
}
