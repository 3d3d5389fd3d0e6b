/**
 * api: the first page: whether last night's data could be restored, what runs, and what is to be done. Pure.
 */
import type { BackupEvent } from '../../../model/events/event.js';
import type { TimelineEvent } from '../../../model/events/timeline.js';
import type { DatabaseOverview, Overview, StorageOverview } from '../../../model/overview/overview.js';
import { formatBytes, formatDuration } from '../../../model/units.js';
import type { HealthCheck } from '../../../model/health/check.js';
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

const answer = ({ answer: found, title, detail }: Overview, count: number): Html =>
  html` <section class="answer ${answerTone(found)}" aria-labelledby="answer">
    ${answerIcon(found)}
    <div>
      <p class="quiet">Could you restore last night’s data?</p>
      <h1 id="answer">${title}</h1>
      <p class="detail">${detail}.</p>
      ${count > 0 && html`<p><a href="#todo">${count === 1 ? 'One thing' : `${count} things`} to do</a></p>`}
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

/** Of one kind, what differs by what it is about alone. */
const isAlike = (a: HealthCheck, b: HealthCheck): boolean =>
  a.name === b.name && a.status === b.status && a.detail === b.detail && a.hint === b.hint;

const issue = ([first, ...others]: readonly HealthCheck[]): Piece => {
  if (!first) return false;
  const critical = first.status === 'critical';
  const about = [first, ...others].flatMap(({ subject }) => subject ?? []).join(', ');
  return html`<li class="todo ${critical ? 'bad' : 'warn'}">
    <h3>
      ${first.name.replaceAll('-', ' ')}${about && html` <span class="quiet">${about}</span>`}
      ${stateBadge(critical ? 'bad' : 'warn', first.status)}
    </h3>
    <p>${first.detail}</p>
    ${first.hint && html`<p class="next">${typed(first.hint)}</p>`}
  </li>`;
};

/** What is not healthy, the worst first; a run that failed is told by itself. */
function issuesOf({ databases, health }: Overview): HealthCheck[][] {
  const broken = databases.flatMap(({ name, broken: one }) => (one ? [name] : []));
  const groups: HealthCheck[][] = [];
  const found = (health?.checks ?? []).filter(({ name, subject }) => name !== 'last-run' || !broken.includes(subject ?? ''));
  for (const status of ['critical', 'warning'])
    for (const one of found.filter((check) => check.status === status)) {
      const known = groups.find(([first]) => first && isAlike(first, one));
      if (known) known.push(one);
      else groups.push([one]);
    }
  return groups;
}

const toDo = (overview: Overview): number => overview.databases.filter(({ broken }) => broken).length + issuesOf(overview).length;

/** A page has its end. */
const mostIssues = 8;

function todo(shown: OverviewShown): Piece {
  const broken = shown.overview.databases.map((one) => brokenOf(one, shown)).filter(Boolean);
  const issues = issuesOf(shown.overview);
  if (broken.length + issues.length === 0) return false;
  return html`<section aria-labelledby="todo">
    <h2 id="todo">What to do</h2>
    <ul class="todos">
      ${broken}${issues.slice(0, mostIssues).map(issue)}
    </ul>
    ${issues.length > mostIssues && html`<p><a href="/health">${issues.length - mostIssues} more</a></p>`}
  </section>`;
}

/** Lines of a fact, the first of which counts most. */
const lines = (first: Piece, ...more: readonly Piece[]): Piece => [
  first,
  more.filter(Boolean).map((one) => html`<br /><span class="quiet">${one}</span>`),
];

const proof = ({ proven, restoredAt, restoreTime }: DatabaseOverview, here: Here): Piece => {
  if (!proven && !restoredAt) return lines('not at all', 'make it sure by a restore');
  return lines(
    proven ? html`${proven.level}, ${distance(proven.at, here)}` : 'the last one is not',
    restoredAt !== null && proven?.level !== 'restore' && html`one before it by a restore ${distance(restoredAt, here)}`,
    restoreTime !== null && `a restore takes about ${formatDuration(restoreTime)}`,
  );
};

const newest = ({ lastGood, newest: backup }: DatabaseOverview, here: Here): Piece => {
  if (!lastGood) return 'never';
  const age = distance(lastGood, here);
  const at = moment(lastGood, here);
  if (!backup) return lines(age, at, 'as the ledger remembers');
  return lines(html`<a href="/backups/${backup.backupId}">${age}</a>`, at, `${formatBytes(backup.size)} in ${backup.storages.join(', ')}`);
};

const next = ({ next: coming }: DatabaseOverview, here: Here): Piece =>
  coming
    ? lines(
        distance(coming.at, here),
        moment(coming.at, here),
        html`<a href="/schedules/${coming.scheduleId}/explain">${coming.scheduleId}</a>`,
      )
    : lines('never', 'no schedule runs it');

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
      ['Size, duration', trend(one)],
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
  const state = !up ? stateBadge('bad', 'cannot be reached') : low ? stateBadge('bad', 'nearly full') : stateBadge('good', 'there');
  return html`<article class="storage">
    <h3>${name}</h3>
    ${state}${facts([
      ['Free', freeBytes === null ? 'not known' : formatBytes(freeBytes)],
      ['Kept free', minFreeBytes > 0 && formatBytes(minFreeBytes)],
      ['Room for', room !== null && `${room > 9999 ? 'over 9999' : room} nights like the last`],
      ['Copies missing', missing !== null && missing > 0 && missing],
    ])}
  </article>`;
}

function healthLine({ overview: { health } }: OverviewShown): Piece {
  if (!health) return html`<p>${stateBadge('unknown', 'not known')} Health cannot be told now.</p>`;
  const state = ({ healthy: 'good', warning: 'warn', critical: 'bad' } as const)[health.status];
  const fine = health.checks.filter(({ status }) => status === 'healthy').length;
  return html`<p>
    ${stateBadge(state, health.status)} ${fine} of ${health.checks.length} checks are good. <a href="/health">All checks</a>
  </p>`;
}

export const overviewPage = (shown: OverviewShown): Page => ({
  title: `${shown.overview.title}, ${shown.overview.detail}`,
  body: html`${answer(shown.overview, toDo(shown.overview))} ${runs(shown)} ${todo(shown)}
    <section aria-labelledby="databases">
      <h2 id="databases">Databases</h2>
      <div class="databases">${shown.overview.databases.map((one) => database(one, shown))}</div>
    </section>
    <section aria-labelledby="storages">
      <h2 id="storages">Storages</h2>
      <div class="storages">${shown.overview.storages.map(storage)}</div>
    </section>
    <section aria-labelledby="health">
      <h2 id="health">Health</h2>
      ${healthLine(shown)}
    </section>
    <section aria-labelledby="events">
      <h2 id="events">Last events</h2>
      ${shown.events.length > 0 ? eventGrid(shown.events, shown) : html`<p>Nothing has happened yet.</p>`}
      <p><a href="/events">All events</a></p>
    </section>`,
});
