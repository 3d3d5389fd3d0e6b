/**
 * api: the form that starts a backup. Pure.
 */
import type { WindowState } from '../../../model/moment/window.js';
import type { Visitor } from '../door.js';
import { html } from '../html.js';
import type { Page } from './frame.js';
import { distance, moment, type Here } from './parts.js';

export interface StartShown extends Here {
  readonly databases: readonly string[];
  readonly schedules: readonly string[];
  /** What was chosen before. */
  readonly database?: string | undefined;
  readonly schedule?: string | undefined;
  readonly window: WindowState;
  readonly visitor: Visitor;
  /** Of this form: sent twice, it starts one backup. */
  readonly key: string;
}

export function startPage(shown: StartShown): Page {
  const { databases, schedules, database, schedule, window, visitor, key } = shown;
  const choice = (value: string, chosen: string | undefined) =>
    html`<option value="${value}" ${value === chosen && html` selected`}>${value}</option>`;
  const opens = html`The backup window is closed: what has to wait for it is cancelled now. It opens
  ${distance(window.opensAt.toISOString(), shown)}, ${moment(window.opensAt.toISOString(), shown)}.`;
  const ordinary = window.open;
  return {
    title: 'Back up',
    still: true,
    body: html`<section class="narrow">
      <h1>Back up now</h1>
      <form method="post" action="/start" class="stack">
        <input type="hidden" name="csrf" value="${visitor.csrf}" /><input type="hidden" name="key" value="${key}" />
        <label for="database">Database</label>
        <select id="database" name="database">
          <option value="">all of them</option>
          ${databases.map((one) => choice(one, database))}
        </select>
        <label for="schedule">As a backup of the schedule</label>
        <select id="schedule" name="schedule">
          <option value="">none: by hand, kept by the general rules</option>
          ${schedules.map((one) => choice(one, schedule))}
        </select>
        <fieldset>
          <legend>Conditions</legend>
          <label class="choice"
            ><input type="radio" name="type" value="" ${ordinary && html` checked`} /> Only if they hold: window, load, disk, health</label
          >
          <label class="choice"
            ><input type="radio" name="type" value="emergency" ${!ordinary && html` checked`} /> Emergency: whatever window, load and health
            say</label
          >
          ${!ordinary && html`<p class="notice warn">${opens}</p>`}
        </fieldset>
        <button>Back up now</button>
      </form>
    </section>`,
  };
}
