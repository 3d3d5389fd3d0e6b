/**
 * api: the first page: whether last night's data could be restored, what runs, and what is to be done. Pure.
 */
import type { BackupEvent } from '../../../model/events/event.js';
import type { TimelineEvent } from '../../../model/events/timeline.js';
import type { DatabaseOverview, Overview, StorageOverview } from '../../../model/overview/overview.js';
import { formatBytes, formatDuration } from '../../../model/units.js';
import type { Doing } from '../../feed.js';
import type { Visitor } from '../door.js';
import { html, type Html, type Piece } from '../html.js';
import { eventGrid, nextStep } from './events.js';
import { mayOperate, type Page } from './frame.js';
import { answerBadge, answerIcon, answerTone, distance, facts, moment, spark, stateBadge, typed, type Here } from './parts.js';
import { runningEvent } from './running.js';

export interface Running {
  readonly event: BackupEvent;
  readonly doing: Doing | null;
}

export interface OverviewShown extends Here {
  readonly overview: Overview;
  readonly running: readonly Running[];
  readonly events: readonly TimelineEvent[];
  readonly visitor: Visitor;
}

const answer = ({ overview: { answer: found, title, detail } }: OverviewShown): Html =>
  html` <section class="answer ${answerTone(found)}" aria-labelledby="answer">
    ${answerIcon(found)}
    <div>
      <p class="quiet">Could you restore last night’s data?</p>
      <h1 id="answer">${title}</h1>
      <p class="detail">${detail}.</p>
    </div>
  </section>`;

const runs = ({ running, ...here }: OverviewShown): Piece =>
  running.length > 0 &&
  html`<section class="runs" aria-labelledby="running">
    <h2 id="running">Running</h2>
    ${running.map(({ event, doing }) => runningEvent(event, doing, here))}
  </section>`;

const brokenOf = ({ broken }: DatabaseOverview, shown: OverviewShown): Piece =>
  broken &&
  html`<li class="todo bad">
    <h3>
      <a href="/events/${broken.event.id}"
        >${broken.event.database}: ${broken.event.status}${broken.count > 1 && ` ${broken.count} times in a row`}</a
      >
      <span class="quiet">${distance(broken.event.timestamp, shown)}</span>
    </h3>
    ${nextStep(broken.event, shown)}
  </li>`;

/** A sentence and what to type, as health says it. */
const issue = (text: string): Html => html`<li class="todo warn"><p>${typed(text)}</p></li>`;

function todo(shown: OverviewShown): Piece {
  const { databases, health } = shown.overview;
  const broken = databases.map((one) => brokenOf(one, shown)).filter(Boolean);
  const issues = health?.issues ?? [];
  if (broken.length + issues.length === 0) return false;
  return html`<section aria-labelledby="todo">
    <h2 id="todo">What to do</h2>
    <ul class="todos">
      ${broken}${issues.map(issue)}
    </ul>
  </section>`;
}

const proof = ({ proven, restoredAt }: DatabaseOverview, here: Here): Piece => {
  if (!proven && !restoredAt) return 'never';
  const last = proven && html`${proven.level} <span class="quiet">${distance(proven.at, here)}</span>`;
  const restored = restoredAt && proven?.level !== 'restore' && html`<span class="quiet">restored ${distance(restoredAt, here)}</span>`;
  return [last, last && restored && html`<br />`, restored];
};

const newest = ({ lastGood, newest: backup }: DatabaseOverview, here: Here): Piece => {
  if (!lastGood) return 'never';
  const age = html`${distance(lastGood, here)}<br />`;
  const at = moment(lastGood, here);
  return backup
    ? html`<a href="/backups/${backup.backupId}">${age}</a><span class="quiet">${at}, ${formatBytes(backup.size)}</span>`
    : html`${age}<span class="quiet">${at}, as the ledger remembers</span>`;
};

const next = ({ next: coming }: DatabaseOverview, here: Here): Piece =>
  coming
    ? html`${distance(coming.at, here)}<br /><span class="quiet"
          >${moment(coming.at, here)}, <a href="/schedules/${coming.scheduleId}/explain">${coming.scheduleId}</a></span
        >`
    : html`never<br /><span class="quiet">no schedule runs it</span>`;

function trend({ made }: DatabaseOverview): Piece {
  const last = made.at(-1);
  if (!last) return html`<span class="quiet">none yet</span>`;
  const told = (numbers: readonly number[], what: string, words: (one: number) => string) =>
    spark(
      numbers,
      `${what} of the last ${numbers.length} backups: ${words(Math.min(...numbers))} to ${words(Math.max(...numbers))}, the last ${words(numbers.at(-1) ?? 0)}`,
    );
  const [sizes, durations] = [made.map(({ size }) => size), made.map(({ duration }) => duration)];
  return html`<span class="trend">${told(sizes, 'size', formatBytes)} <span class="quiet">${formatBytes(last.size)}</span></span>
    <span class="trend">${told(durations, 'duration', formatDuration)} <span class="quiet">${formatDuration(last.duration)}</span></span>`;
}

const database = (one: DatabaseOverview, shown: OverviewShown): Html =>
  html` <article class="database ${answerTone(one.answer)}" aria-labelledby="database-${one.name}">
    <div class="name">
      <h3 id="database-${one.name}">${one.name}</h3>
      ${answerBadge(one.answer)}
      <p class="quiet">${one.because}</p>
    </div>
    ${facts([
      ['Last good', newest(one, shown)],
      ['Proven', proof(one, shown)],
      ['Next', next(one, shown)],
      ['Restore takes', one.restoreTime !== null && `about ${formatDuration(one.restoreTime)}`],
      ['Size and duration', trend(one)],
    ])}
    ${
      mayOperate(shown.visitor) &&
      html`<p class="act">
        <a class="button" href="/start?database=${one.name}">Back up<span class="aside"> ${one.name}</span>…</a>
      </p>`
    }
  </article>`;

function storage({ name, up, freeBytes, minFreeBytes, room, missing }: StorageOverview): Html {
  const low = freeBytes !== null && freeBytes < minFreeBytes;
  const state = !up ? stateBadge('bad', 'can not be reached') : low ? stateBadge('bad', 'nearly full') : stateBadge('good', 'there');
  return html`<article class="storage">
    <h3>${name}</h3>
    ${state}${facts([
      ['Free', freeBytes === null ? 'not known' : formatBytes(freeBytes)],
      ['Kept free', minFreeBytes > 0 && formatBytes(minFreeBytes)],
      ['Room for', room !== null && `${room > 9999 ? 'more than 9999' : room} backups like the last`],
      ['Copies missing', missing !== null && missing > 0 && missing],
    ])}
  </article>`;
}

function healthLine({ overview: { health } }: OverviewShown): Piece {
  if (!health) return html`<p>${stateBadge('unknown', 'not known')} Health can not be told now.</p>`;
  const state = ({ healthy: 'good', warning: 'warn', critical: 'bad' } as const)[health.status];
  const fine = health.checks.filter(({ status }) => status === 'healthy').length;
  return html`<p>
    ${stateBadge(state, health.status)} ${fine} of ${health.checks.length} checks are good. <a href="/health">All checks</a>
  </p>`;
}

export const overviewPage = (shown: OverviewShown): Page => ({
  title: `${shown.overview.title}, ${shown.overview.detail}`,
  body: html`${answer(shown)} ${runs(shown)} ${todo(shown)}
    <section aria-labelledby="databases">
      <h2 id="databases">Databases</h2>
      <div class="databases">${shown.overview.databases.map((one) => database(one, shown))}</div>
    </section>
    <section class="halves">
      <div>
        <h2>Storages</h2>
        ${shown.overview.storages.map(storage)}
      </div>
      <div>
        <h2>Health</h2>
        ${healthLine(shown)}
      </div>
    </section>
    <section aria-labelledby="events">
      <h2 id="events">Last events</h2>
      ${shown.events.length > 0 ? eventGrid(shown.events, shown) : html`<p>Nothing has happened yet.</p>`}
      <p><a href="/events">All events</a></p>
    </section>`,
});
