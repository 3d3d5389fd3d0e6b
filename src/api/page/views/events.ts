/**
 * api: the events: what happened, and one of them with how it came to it. Pure.
 */
import type { EventHistory, EventPage } from '../../../core/history/events.js';
import { isTerminal, type BackupEvent } from '../../../model/events/event.js';
import type { TimelineEvent } from '../../../model/events/timeline.js';
import { eventFacts, outcomeOf, stepOf } from '../../../model/events/words.js';
import { localIso } from '../../../model/moment/local.js';
import { formatDuration } from '../../../model/units.js';
import type { Doing } from '../../feed.js';
import type { Visitor } from '../door.js';
import { html, type Html, type Piece } from '../html.js';
import { mayOperate, type Page } from './frame.js';
import { distance, facts, grid, moment, precisely, stateBadge, statusBadge, typed, type Here } from './parts.js';
import { progressOf } from './running.js';

const timeOf =
  ({ zone }: Here) =>
  (iso: string): string =>
    localIso(new Date(iso), zone).slice(0, 16).replace('T', ' ');

const state = ({ status, newerVersion }: TimelineEvent): Html => (newerVersion ? stateBadge('unknown', 'not known') : statusBadge(status));

export const eventGrid = (events: readonly TimelineEvent[], here: Here): Html =>
  grid(
    'Events, the newest first',
    ['When', 'State', 'Database', 'Type', 'Outcome'],
    events.map((event) => [
      html`<a href="/events/${event.id}">${moment(event.timestamp, here)}</a>`,
      state(event),
      event.database,
      html`<span class="nowrap">${event.scheduleId === undefined ? event.type : `${event.type}, ${event.scheduleId}`}</span>`,
      html`<span class="clip">${outcomeOf(event, timeOf(here))}</span>`,
    ]),
  );

/** What went wrong, and what to type or to wait for. */
export const nextStep = ({ result, reasons, retryAt }: BackupEvent, here: Here): Piece => [
  (result?.error ?? reasons) && html`<p class="error">${result?.error ?? reasons?.join('; ')}</p>`,
  result?.hint && html`<p class="next">${typed(result.hint)}</p>`,
  retryAt !== undefined && html`<p class="next">It is tried again ${distance(retryAt, here)}, ${moment(retryAt, here)}.</p>`,
];

const filters = ['all', 'failed', 'completed', 'cancelled', 'pending', 'running'] as const;

export interface EventsShown extends Here {
  readonly found: EventPage;
  readonly status: string | undefined;
}

export function eventsPage({ found: { events, next }, status, ...here }: EventsShown): Page {
  const query = status === undefined ? '' : `status=${status}&`;
  const filter = (one: string) =>
    html`<li>
      <a href="/events${one !== 'all' && `?status=${one}`}" ${one === (status ?? 'all') && html` aria-current="true"`}>${one}</a>
    </li>`;
  return {
    title: 'Events',
    body: html`<h1>Events</h1>
      <nav aria-label="By state">
        <ul class="filters">
          ${filters.map(filter)}
        </ul>
      </nav>
      ${events.length > 0 ? eventGrid(events, here) : html`<p>There are none.</p>`}
      ${next !== null && html`<p><a class="button" href="/events?${query}cursor=${next}">Older ones</a></p>`}`,
  };
}

const longest = 4000;

function steps({ records }: EventHistory, here: Here): Html {
  const since = (index: number): Piece => {
    const [before, at] = [records[index - 1]?.at, records[index]?.at];
    return (
      before !== undefined &&
      at !== undefined &&
      html`<span class="quiet">after ${formatDuration(Date.parse(at) - Date.parse(before))}</span>`
    );
  };
  const step = (record: EventHistory['records'][number], index: number) =>
    html`<li>
      ${precisely(record.at, here)}
      ${record.record === 'event' ? statusBadge(record.status) : html`<span>${stepOf(record, timeOf(here))}</span>`} ${since(index)}
    </li>`;
  return html`<ol class="timeline">
    ${records.map(step)}
  </ol>`;
}

export interface EventShown extends Here {
  readonly found: EventHistory;
  readonly doing: Doing | null;
  readonly visitor: Visitor;
}

/** What a visitor may do about it. */
function deeds({ found: { event }, visitor }: EventShown): Piece {
  if (!mayOperate(visitor) || !isTerminal(event.status) || event.status === 'completed') return false;
  const to = `/start?database=${event.database}${event.scheduleId === undefined ? '' : `&schedule=${event.scheduleId}`}`;
  return html`<p class="act"><a class="button" href="${to}">Back up again…</a></p>`;
}

export function eventPage(shown: EventShown): Page {
  const { event } = shown.found;
  const link = (name: string, value: string): Piece => {
    if (name === 'backup') return html`<a href="/backups/${value}">${value}</a>`;
    if (name === 'retry of') return html`<a href="/events/${value}">${value}</a>`;
    if (name === 'schedule') return html`<a href="/schedules/${value}/explain">${value}</a>`;
    return value.slice(0, longest);
  };
  return {
    title: `${event.database}: ${event.status}`,
    body: html`<p class="quiet"><a href="/events">Events</a></p>
      <h1>Backup of ${event.database} ${statusBadge(event.status)}</h1>
      ${event.status === 'running' && html`<p class="progress" data-progress="${event.id}">${progressOf(event, shown.doing, shown)}</p>`}
      ${event.status !== 'completed' && html`<div class="todo ${event.status === 'failed' ? 'bad' : 'warn'}">${nextStep(event, shown)}</div>`}
      ${deeds(shown)}
      <h2>How it went</h2>
      ${steps(shown.found, shown)}
      <h2>What is known of it</h2>
      ${facts([['id', html`<code>${event.id}</code>`], ...eventFacts(event, timeOf(shown)).map(([name, value]) => [name, link(name, value)] as const)])}`,
  };
}
