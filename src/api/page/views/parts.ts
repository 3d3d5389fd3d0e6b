/**
 * api: the small things that pages are made of: moments, states, facts, trends. Pure.
 */
import type { EventStatus } from '../../../model/events/event.js';
import type { Answer } from '../../../model/overview/overview.js';
import { localIso } from '../../../model/moment/local.js';
import { formatDuration, msPerMinute } from '../../../model/units.js';
import { html, Html, type Piece } from '../html.js';

/** Where and when a page is looked at. */
export interface Here {
  readonly now: Date;
  /** IANA, in which moments are told. */
  readonly zone: string;
}

const minute = (at: Date, zone: string): string => localIso(at, zone).slice(0, 16).replace('T', ' ');
const utc = (at: Date): string => `${at.toISOString().slice(0, 19).replace('T', ' ')} UTC`;

/** `2026-11-22 20:31`, with the same in UTC for who asks. */
export function moment(iso: string | null | undefined, { zone }: Here): Piece {
  const at = new Date(iso ?? Number.NaN);
  return Number.isNaN(at.getTime()) ? iso : html`<time datetime="${at.toISOString()}" title="${utc(at)}">${minute(at, zone)}</time>`;
}

/** To the second. */
export const precisely = (iso: string, { zone }: Here): Html =>
  html`<time datetime="${iso}" title="${utc(new Date(iso))}">${localIso(new Date(iso), zone).slice(0, 19).replace('T', ' ')}</time>`;

export function distance(iso: string, { now }: Here): string {
  const away = now.getTime() - Date.parse(iso);
  if (Math.abs(away) < msPerMinute) return away < 0 ? 'in a moment' : 'just now';
  const words = formatDuration(Math.round(Math.abs(away) / msPerMinute) * msPerMinute);
  return away < 0 ? `in ${words}` : `${words} ago`;
}

/** What stands in backquotes is to be typed. */
export const typed = (text: string): Piece[] => text.split('`').map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : part));

export type Tone = 'good' | 'warn' | 'bad' | 'calm' | 'live';

const strokes = {
  check: 'M3.5 8.5l3 3 6-7',
  cross: 'M4.5 4.5l7 7m0-7l-7 7',
  bang: 'M8 3.5v5.5m0 3v.5',
  ask: 'M5.8 6a2.2 2.2 0 1 1 3.3 1.9c-.8.5-1.1.9-1.1 1.6m0 2.7v.3',
  clock: 'M8 4.5V8l2.5 1.5',
  play: 'M6 4.5l5 3.5-5 3.5z',
  bar: 'M4.5 8h7',
} as const;

const icon = (name: keyof typeof strokes): Html =>
  html`<svg class="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
    <circle cx="8" cy="8" r="7.25" />
    <path d="${strokes[name]}" />
  </svg>`;

const badge = (tone: Tone, name: keyof typeof strokes, word: string): Html => html`<span class="badge ${tone}">${icon(name)}${word}</span>`;

const statuses: Readonly<Record<EventStatus, readonly [Tone, keyof typeof strokes]>> = {
  pending: ['calm', 'clock'],
  running: ['live', 'play'],
  completed: ['good', 'check'],
  failed: ['bad', 'cross'],
  cancelled: ['warn', 'bar'],
};
export const statusBadge = (status: EventStatus): Html => badge(...statuses[status], status);

const answers: Readonly<Record<Answer, readonly [Tone, keyof typeof strokes, string]>> = {
  proven: ['good', 'check', 'restorable'],
  unproven: ['warn', 'ask', 'not proven'],
  suspect: ['warn', 'bang', 'suspect'],
  failed: ['bad', 'cross', 'last run failed'],
  late: ['bad', 'cross', 'too old'],
  none: ['bad', 'cross', 'no backup'],
  unknown: ['warn', 'ask', 'not known'],
};
export const answerTone = (answer: Answer): Tone => answers[answer][0];
export const answerIcon = (answer: Answer): Html => icon(answers[answer][1]);
export const answerBadge = (answer: Answer): Html => {
  const [tone, name, word] = answers[answer];
  return badge(tone, name, word);
};

const states = { good: ['good', 'check'], warn: ['warn', 'bang'], bad: ['bad', 'cross'], unknown: ['calm', 'ask'] } as const;

/** A check of health, a storage, a condition. */
export const stateBadge = (state: keyof typeof states, word: string): Html => {
  const [tone, name] = states[state];
  return badge(tone, name, word);
};

const isEmpty = (piece: Piece): boolean => piece === null || piece === undefined || piece === false || piece === '';

/** Names and what is known of them; what is empty is left out. */
export const facts = (pairs: readonly (readonly [string, Piece])[]): Html =>
  html`<dl class="facts">
    ${pairs
      .filter(([, value]) => !isEmpty(value))
      .map(
        ([name, value]) =>
          html`<div>
            <dt>${name}</dt>
            <dd>${value}</dd>
          </div>`,
      )}
  </dl>`;

/** Rows with their first cell as their head; on a phone each row is set as a list, for which the roles are said and each cell has its head. */
export const grid = (caption: string, heads: readonly string[], rows: readonly (readonly Piece[])[]): Html =>
  html` <div class="scroll" tabindex="0" role="region" aria-label="${caption}">
    <table role="table">
      <caption class="aside">
        ${caption}
      </caption>
      <thead role="rowgroup">
        <tr role="row">
          ${heads.map((head) => html`<th role="columnheader" scope="col">${head}</th>`)}
        </tr>
      </thead>
      <tbody role="rowgroup">
        ${rows.map(
          ([first, ...rest]) =>
            html`<tr role="row">
              <th role="rowheader" scope="row">${first}</th>
              ${rest.map((cell, index) => html`<td role="cell" data-head="${heads[index + 1]}">${cell}</td>`)}
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;

const [barWidth, barGap, height] = [5, 2, 28];

/** One bar a number, from nothing upwards; `label` says the same in words. */
export function spark(numbers: readonly number[], label: string): Html {
  const most = Math.max(...numbers, 1);
  const bars = numbers.map((number, index) => {
    const tall = Math.max(1, Math.round((number / most) * height));
    const last = index === numbers.length - 1;
    return html`<rect${last && new Html(' class="last"')}
      x="${index * (barWidth + barGap)}"
      y="${height - tall}"
      width="${barWidth}"
      height="${tall}"
      rx="1"
    />`;
  });
  const width = Math.max(1, numbers.length * (barWidth + barGap) - barGap);
  return html`<svg class="spark" role="img" aria-label="${label}" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">
    ${bars}
  </svg>`;
}

/** A button that posts; `fields` beside the token of the session. */
export const button = (
  { action, word, csrf, kind = '' }: { readonly action: string; readonly word: Piece; readonly csrf: string; readonly kind?: string },
  fields: Readonly<Record<string, string>> = {},
): Html =>
  html`<form method="post" action="${action}">
    ${[...Object.entries(fields), ['csrf', csrf]].map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}" />`)}<button
      class="${kind}"
    >
      ${word}
    </button>
  </form>`;
