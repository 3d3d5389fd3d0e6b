/**
 * api: the backups: what there is, and one of them with its proof, its checksums and the way back. Pure.
 */
import type { BackupDocument, BackupLine, BackupList } from '../../../core/documents/backups.js';
import { levels, type Level } from '../../../model/backup/level.js';
import { backupFacts, provenWord } from '../../../model/backup/words.js';
import { countOf, formatBytes } from '../../../model/units.js';
import type { Proving } from '../proofs.js';
import type { Visitor } from '../door.js';
import { html, type Html, type Piece } from '../html.js';
import { mayOperate, type Page } from './frame.js';
import { button, distance, facts, grid, moment, stateBadge, typed, type Here } from './parts.js';

const most = 500;

function proofBadge(backup: BackupLine): Html {
  const word = provenWord(backup);
  return stateBadge(word === 'failed' ? 'bad' : word === 'no' ? 'warn' : 'good', word === 'no' ? 'not proven' : word);
}

const notes = ({ pinned, suspect, signed }: BackupLine): string =>
  [pinned ? 'pinned' : '', suspect ? 'suspect' : '', signed ? '' : 'not signed here'].filter(Boolean).join(', ');

export function backupsPage({ backups, problems, ...here }: BackupList & Here): Page {
  const rows = backups
    .slice(0, most)
    .map((one) => [
      html`<a href="/backups/${one.backupId}">${moment(one.timestamp, here)}</a>`,
      one.database,
      formatBytes(one.size),
      one.storages.join(', '),
      proofBadge(one),
      notes(one),
    ]);
  return {
    title: 'Backups',
    body: html`<h1>Backups</h1>
      ${problems.map((problem) => html`<p class="notice warn">${problem}</p>`)}
      ${rows.length > 0 ? grid('Backups, the newest first', ['Taken', 'Database', 'Size', 'Storages', 'Proven', 'Note'], rows) : html`<p>There is no backup yet.</p>`}
      ${backups.length > most && html`<p class="quiet">${backups.length - most} older ones: ${typed('`backup-automation backups`')}</p>`}`,
  };
}

export interface BackupShown extends Here {
  readonly found: BackupDocument;
  /** RESTORE.md. */
  readonly guide: string;
  readonly proving: Proving | null;
  readonly visitor: Visitor;
}

const proves: Readonly<Record<Level, string>> = {
  checksum: 'Read its bytes',
  archive: 'Read the whole archive',
  restore: 'Restore it elsewhere and compare',
};

/** What was tried in vain, and was done since, is past. */
const isPast = ({ failure, since }: Proving, { proven }: BackupLine): boolean =>
  failure !== null && proven !== null && Date.parse(proven.at) > since.getTime();

function proof({ found: { backup }, proving: tried, visitor, ...here }: BackupShown): Piece {
  const proving = tried && isPast(tried, backup) ? null : tried;
  const said = backup.proven
    ? html`Proven to level <b>${backup.proven.level}</b> ${distance(backup.proven.at, here)}, ${moment(backup.proven.at, here)}.`
    : 'Nothing is proven of it but that it was made.';
  const now =
    proving &&
    (proving.failure
      ? html`<div class="todo bad">
          <p class="error">${proving.level}: ${proving.failure.message}</p>
          <p class="next">${typed(proving.failure.hint)}</p>
        </div>`
      : html`<p class="progress" data-proving>
          Being proven to level ${proving.level}, since ${distance(proving.since.toISOString(), here)}
          <progress aria-label="under way"></progress>
        </p>`);
  const buttons =
    mayOperate(visitor) &&
    (!proving || proving.failure) &&
    html`<div class="act">
      ${levels.toReversed().map((level) =>
        button(
          {
            action: `/backups/${backup.backupId}/verify`,
            word: proves[level],
            csrf: visitor.csrf,
            kind: level === 'restore' ? '' : 'plain',
          },
          { level },
        ),
      )}
    </div>`;
  return [
    html`<p>${proofBadge(backup)} ${said}</p>`,
    backup.doubts.map((doubt) => html`<p class="notice warn">${doubt}</p>`),
    now,
    buttons,
  ];
}

export function backupPage(shown: BackupShown): Page {
  const { backup, manifest, details } = shown.found;
  const tables = details?.fingerprint.tables ?? [];
  return {
    title: `Backup of ${backup.database}`,
    body: html`<p class="quiet"><a href="/backups">Backups</a></p>
      <h1>Backup of ${backup.database} <span class="quiet">${moment(backup.timestamp, shown)}</span></h1>
      <section>
        <h2>Proof</h2>
        ${proof(shown)}
      </section>
      <section>
        <h2>Bring it back</h2>
        <p>Into a new database, compared with what was counted when it was taken:</p>
        <pre><code>backup-automation restore ${backup.backupId} --to env:TARGET_URL --create</code></pre>
        <p class="quiet">
          What it lacks on the target server is told by
          <code>backup-automation restore ${backup.backupId} --to env:TARGET_URL --plan</code>.
        </p>
        <details>
          <summary>Without this tool</summary>
          <pre>${shown.guide}</pre>
        </details>
      </section>
      <section>
        <h2>What is known of it</h2>
        ${facts(backupFacts(shown.found))}
      </section>
      <section>
        <h2>Files</h2>
        ${grid(
          'Files with their checksums',
          ['File', 'Size', 'SHA-256'],
          manifest.artifacts.map(({ name, size, sha256 }) => [name, formatBytes(size), html`<code class="long">${sha256}</code>`]),
        )}
      </section>
      ${
        tables.length > 0 &&
        html`<section>
          <h2>Rows</h2>
          <details>
            <summary>${countOf(tables.length, 'table')}</summary>
            ${grid(
              'Rows of each table',
              ['Table', 'Rows'],
              tables.map((one) => [`${one.schema}.${one.name}`, html`<span class="number">${one.rows}</span>`]),
            )}
          </details>
        </section>`
      }`,
  };
}
