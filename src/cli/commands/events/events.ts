/**
 * cli: `events`: the listing, one event, following, clearing, and the check of the chain. All but `clear` write nothing.
 */
import { Option, type Command } from 'commander';
import { eventStatuses, eventTypes, type EventStatus, type EventType } from '../../../model/events/event.js';
import type { EventQuery } from '../../../model/events/timeline.js';
import { actor } from '../../actor.js';
import { auditCommand } from './audit.js';
import { addCommand, positive, run } from '../../command.js';
import { emit, paintFor, say, type GlobalOptions, type Outcome } from '../../render.js';
import { countOf } from '../../../model/units.js';

interface ListOptions extends GlobalOptions {
  readonly limit: number;
  readonly cursor?: string;
  readonly status?: EventStatus;
  readonly type?: EventType;
  readonly schedule?: string;
  readonly since?: string;
  readonly follow?: boolean;
}

const open = async (options: GlobalOptions) => (await import('../../../wire/sight.js')).openSight(options);

async function queryOf({ since, ...options }: ListOptions, now: Date): Promise<EventQuery> {
  if (since === undefined) return options;
  const { parseSince } = await import('../../../model/moment/typed.js');
  return { ...options, since: parseSince(since, now) };
}

async function list(options: ListOptions): Promise<Outcome | number> {
  if (options.follow) return follow(options);
  const sight = await open(options);
  const query = await queryOf(options, sight.clock.now());
  const { listEvents } = await import('../../../core/history/events.js');
  const { events, next, damage } = await listEvents(sight, query);
  const { damageNote } = await import('../../show/damage.js');
  const note = damageNote(damage);
  if (note) say(note, options);
  if (next) say(`there are more: --cursor ${next}`, options);
  const document = { events, next, damage };
  if (options.json) return { document, text: () => '' };
  const { eventTable } = await import('../../show/event-view.js');
  return { document, text: (paint) => (events.length > 0 ? eventTable(events, paint) : 'no events') };
}

/** Ends when the reader of our output has gone; Ctrl-C ends it as it ends every program. */
async function follow(options: ListOptions): Promise<number> {
  const sight = await open(options);
  const gone = new AbortController();
  process.stdout.once('error', () => gone.abort());
  const { followEvents } = await import('../../../core/history/follow.js');
  const { eventLine } = await import('../../show/event-view.js');
  const paint = paintFor(process.stdout, options);
  for await (const event of followEvents(sight, await queryOf(options, sight.clock.now()), gone.signal))
    emit(options.json ? JSON.stringify(event) : eventLine(event, paint));
  return 0;
}

async function show(options: GlobalOptions, id: string): Promise<Outcome> {
  const { showEvent } = await import('../../../core/history/events.js');
  const history = await showEvent(await open(options), id);
  const { eventPage } = await import('../../show/event-view.js');
  return { document: { ...history }, text: (paint) => eventPage(history, paint) };
}

async function clear(options: GlobalOptions): Promise<Outcome> {
  const { clearEvents } = await import('../../../core/history/events.js');
  const found = await clearEvents(await open(options), actor());
  const text = `${countOf(found.cleared, 'event is', 'events are')} not listed any more; the lines stay in\n${found.segments.map((path) => `  ${path}`).join('\n')}`;
  return { document: { ...found }, text: () => text };
}

async function verify(options: GlobalOptions): Promise<Outcome> {
  const { ledger } = await open(options);
  const report = await ledger.verify();
  const { Failure } = await import('../../../model/errors.js');
  const { damaged, broken, gap, torn } = report.counts;
  const found = damaged + broken + gap;
  const first = report.problems.find(({ problem }) => problem !== 'torn');
  const failure = new Failure(
    'verification',
    `the ledger is not as it was written: ${countOf(damaged, 'damaged line')}, ${countOf(broken, 'break')} of the chain, ${countOf(gap, 'gap')}`,
    {
      hint: first ? `the first is at byte ${first.offset} of ${first.path}; keep a copy and look there` : '',
    },
  );
  const problems = report.problems.map(({ path, offset, problem, detail }) => `${path}, byte ${offset}: ${problem}: ${detail}`);
  const summary = `${countOf(report.lines, 'line')} in ${countOf(report.segments, 'segment')}: ${found === 0 ? 'the chain is whole' : countOf(found, 'problem')}`;
  const tail = torn > 0 ? ['the last line was not finished: the next one is kept apart from it, nothing is lost'] : [];
  return {
    document: { ok: found === 0, ...report },
    text: () => [summary, ...tail, ...(found > 0 ? problems : [])].join('\n'),
    ...(found > 0 && { failure }),
  };
}

export function eventsCommand(program: Command): void {
  const events = addCommand(program, 'events', 'list what happened, the newest first', {
    examples: [
      ['events --status failed --since 7d', 'the failed backups of the last seven days'],
      ['events show 0197a3', 'everything about the event whose id begins so'],
      ['events --follow --json', 'an event a line, as they happen'],
    ],
    exits: {
      2: 'no such event, or wrong usage',
      22: 'verify: the ledger is not as it was written',
      74: 'the ledger cannot be read or written',
    },
  })
    .option('--limit <n>', 'most events to list', positive, 20)
    .option('--cursor <id>', 'only events before this one: the `next` of the page before')
    .addOption(new Option('--status <status>', 'only events in this state').choices(eventStatuses))
    .addOption(new Option('--type <type>', 'only events of this type').choices(eventTypes))
    .option('--schedule <name>', 'only events of this schedule')
    .option('--since <when>', 'only events created since: 30m, 12h, 7d, 2w or a date')
    .option('--follow', 'go on, with an event a line')
    .action(run(list));
  addCommand(events, 'show <id>', 'show one event and its lines in the ledger; the beginning of an id will do', {
    examples: [
      ['events show 0197a3', 'everything about the event whose id begins so'],
      ['events show 0197a3 --json', 'the same, with its lines as they are in the ledger'],
    ],
    exits: { 2: 'no such event' },
  }).action(run(show));
  addCommand(events, 'clear', 'begin anew: listings and statistics do not look behind it; nothing is removed', {
    examples: [
      ['events clear', 'lists no event from before any more'],
      ['events clear --json', 'says how many, and where their lines still are'],
    ],
    exits: { 74: 'the ledger cannot be written' },
  }).action(run(clear));
  addCommand(events, 'verify', 'check that no line was damaged, changed, removed or inserted', {
    examples: [
      ['events verify', 'reads the whole ledger and follows its chain'],
      ['events verify --json', 'where each problem is'],
    ],
    exits: { 22: 'the ledger is not as it was written', 74: 'the ledger cannot be read' },
  }).action(run(verify));
  auditCommand(events);
}
