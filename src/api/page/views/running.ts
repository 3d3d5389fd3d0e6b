/**
 * api: how far a backup is that runs now. Pure.
 */
import type { BackupEvent } from '../../../model/events/event.js';
import { stepWords } from '../../../model/roles/progress.js';
import { formatBytes, formatDuration } from '../../../model/units.js';
import type { Doing } from '../../feed.js';
import { html, type Html, type Piece } from '../html.js';
import { moment, type Here } from './parts.js';

/** Null: it runs in another process, which tells nobody but the ledger. */
function stepOf(doing: Doing | null, waits: string | undefined): string {
  if (doing) return [stepWords[doing.step], doing.kind === 'step' ? doing.detail : ''].filter(Boolean).join(' ');
  return waits ? `waits for ${waits}` : 'it runs in another process';
}

function amountOf(doing: Doing | null): Piece {
  if (doing?.kind !== 'bytes') return html`<progress aria-label="under way"></progress>`;
  const { bytes, total } = doing;
  if (total === null || total <= 0) return html`<progress aria-label="under way"></progress> ${formatBytes(bytes)}`;
  const part = Math.min(99, Math.floor((bytes / total) * 100));
  return html`<progress max="100" value="${part}" aria-label="how far it is">${part} %</progress> ${formatBytes(bytes)} of about
    ${formatBytes(total)}`;
}

/** What of it changes while it runs. */
export const progressOf = (event: BackupEvent, doing: Doing | null, { now }: Here): Html =>
  html` <span class="step">${stepOf(doing, event.waits)}</span> <span class="amount">${amountOf(doing)}</span>
    <span class="quiet"
      >for ${formatDuration(Math.max(1000, Math.round((now.getTime() - Date.parse(event.timestamp)) / 1000) * 1000))}</span
    >`;

export const runningEvent = (event: BackupEvent, doing: Doing | null, here: Here): Html =>
  html` <article class="run">
    <h3><a href="/events/${event.id}">${event.database}</a></h3>
    <p class="quiet">${event.scheduleId ?? event.type}, since ${moment(event.timestamp, here)}</p>
    <p class="progress" data-progress="${event.id}">${progressOf(event, doing, here)}</p>
  </article>`;
