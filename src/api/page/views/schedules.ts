/**
 * api: the schedules: when they run next, and of one why it runs or does not. Pure.
 */
import type { Explanation } from '../../../core/schedules/explain.js';
import type { ScheduleRow, Upcoming } from '../../../core/schedules/timetable.js';
import { formatDuration } from '../../../model/units.js';
import { html, type Html, type Piece } from '../html.js';
import { eventGrid } from './events.js';
import type { Page } from './frame.js';
import { distance, facts, grid, moment, stateBadge, statusBadge, type Here } from './parts.js';

export interface SchedulesShown extends Here {
  readonly schedules: readonly ScheduleRow[];
  readonly next: readonly Upcoming[];
}

export function schedulesPage({ schedules, next, ...here }: SchedulesShown): Page {
  const rows = schedules.map(({ id, enabled, when, zone, databases, storages, lastRun, next: coming }) => [
    html`<a href="/schedules/${id}/explain">${id}</a>`,
    enabled ? html`${when} <span class="quiet">${zone}</span>` : stateBadge('unknown', 'off'),
    databases.join(', '),
    storages.join(', '),
    lastRun ? html`${statusBadge(lastRun.status)} <a href="/events/${lastRun.eventId}">${distance(lastRun.timestamp, here)}</a>` : 'never',
    coming ? html`${distance(coming.utc, here)}` : 'never',
  ]);
  const coming = next.map(({ scheduleId, utc, expectedDuration, notes }) => [
    moment(utc, here),
    scheduleId,
    expectedDuration === null ? 'not known' : formatDuration(expectedDuration),
    notes.join('; '),
  ]);
  return {
    title: 'Schedules',
    body: html`<h1>Schedules</h1>
      ${rows.length > 0 ? grid('Schedules', ['Schedule', 'When', 'Databases', 'Storages', 'Last run', 'Next'], rows) : html`<p>There is none: backups are made by hand.</p>`}
      ${
        coming.length > 0 &&
        html`<h2>The next runs</h2>
          ${grid('The next runs', ['When', 'Schedule', 'Takes about', 'Note'], coming)}`
      }`,
  };
}

const tones: Readonly<Record<string, 'good' | 'warn' | 'bad' | 'unknown'>> = {
  ready: 'good',
  runs: 'good',
  completed: 'good',
  running: 'good',
  failed: 'bad',
  missed: 'bad',
  never: 'bad',
  off: 'unknown',
  nothing: 'unknown',
};

const plain = (value: string | number | boolean | null): Piece => value !== null && html`<span class="nowrap">${String(value)}</span>`;

const conditions = (found: Explanation): Html =>
  grid(
    'Conditions',
    ['Condition', 'Verdict', 'Value', 'Limit', 'In words'],
    found.conditions.map(({ name, database, met, value, limit, detail }) => [
      database === null ? name : `${name} of ${database}`,
      met ? stateBadge('good', 'holds') : stateBadge('bad', 'does not hold'),
      plain(value),
      plain(limit),
      detail,
    ]),
  );

export function explainPage({ found, ...here }: { readonly found: Explanation } & Here): Page {
  const times = (both: { readonly utc: string } | null): Piece => both && html`${moment(both.utc, here)}, ${distance(both.utc, here)}`;
  const list = (title: string, events: Explanation['events']): Piece =>
    events.length > 0 &&
    html`<h2>${title}</h2>
      ${eventGrid(events, here)}`;
  return {
    title: `Why ${found.scheduleId} runs or does not`,
    still: true,
    body: html`<p class="quiet"><a href="/schedules">Schedules</a></p>
      <h1>${found.scheduleId}</h1>
      <p class="verdict">${stateBadge(tones[found.verdict] ?? 'warn', found.verdict)} ${found.summary}</p>
      ${facts([
        [found.when === 'now' ? 'now' : 'at', moment(found.at.utc, here)],
        ['slot', times(found.slot)],
        ['next', times(found.next) ?? 'never'],
      ])}
      <form method="get" action="/schedules/${found.scheduleId}/explain" class="inline">
        <label for="at">At another time</label><input id="at" name="at" placeholder="2026-11-21 02:00" size="20" /><button class="plain">
          Explain
        </button>
      </form>
      <h2>Conditions</h2>
      ${conditions(found)} ${list('Waiting', found.pending)} ${list(found.when === 'past' ? 'About then' : 'Last runs', found.events)}
      ${found.notes.map((note) => html`<p class="quiet">${note}.</p>`)}`,
  };
}
