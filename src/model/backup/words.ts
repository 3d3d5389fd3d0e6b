/**
 * model: a backup in words, the same wherever a person reads of it. Pure.
 */
import type { FailureDocument } from '../errors.js';
import { formatBytes } from '../units.js';
import type { Backup, BackupDetails, Manifest } from './backup.js';
import { failedProof } from './level.js';

/** A backup with all that is known of it. */
export interface BackupTold {
  readonly backup: Omit<Backup, 'manifest'>;
  readonly manifest: Manifest;
  /** Null: they are sealed, and there is no key here. */
  readonly details: BackupDetails | null;
  /** Why they cannot be read. */
  readonly sealed?: FailureDocument;
}

/** `restore 2026-11-22`, `failed` or `no`. */
export function provenWord({ doubts, proven }: Pick<Backup, 'doubts' | 'proven'>): string {
  if (doubts.includes(failedProof)) return 'failed';
  return proven ? `${proven.level} ${proven.at.slice(0, 10)}` : 'no';
}

const sealedTo = (keys: readonly string[]): string => (keys.length > 0 ? `to the keys ${keys.join(', ')}` : 'with a passphrase');

type Fact = readonly [name: string, value: string];

/** What the details say; of sealed ones why they cannot be read. */
function inside({ details, sealed }: BackupTold): Fact[] {
  if (details === null)
    return [['inside', `extensions, roles and row counts are sealed, and not to be read here: ${sealed?.message} (${sealed?.hint})`]];
  return [
    ['extensions', details.extensions.map(({ name, version }) => `${name} ${version}`).join(', ') || 'none'],
    ['roles', details.roles.join(', ') || 'none'],
  ];
}

export function backupFacts(told: BackupTold): Fact[] {
  const { backup, manifest } = told;
  const onServer = manifest.databaseSize === null ? '' : `, of ${formatBytes(manifest.databaseSize)} on the server`;
  return [
    ['backup', backup.backupId],
    ['database', `${backup.database} (${JSON.stringify(manifest.databaseName)})`],
    ['taken', `${manifest.startedAt} on ${manifest.host}`],
    ['schedule', backup.scheduleId ?? 'none, by hand'],
    ['size', `${formatBytes(backup.size)}${onServer}`],
    ['storages', backup.storages.join(', ')],
    ['proven', provenWord(backup)],
    ...(backup.pinned ? [['pinned', 'yes: no rule removes it'] as const] : []),
    ...backup.doubts.map((doubt): Fact => ['suspect', doubt]),
    ['server', `PostgreSQL ${manifest.serverVersion}, snapshot at ${manifest.snapshotLsn ?? 'an unknown position'}`],
    ['dumped by', `pg_dump ${manifest.clientVersion}, backup-automation ${manifest.toolVersion}`],
    ...(manifest.keys ? [['sealed', sealedTo(manifest.keys)] as const] : []),
    ...inside(told),
    ...manifest.warnings.map((warning): Fact => ['warning', warning]),
  ];
}
