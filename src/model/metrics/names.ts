/**
 * model: every metric that is exposed: its name, type, labels and meaning. They are frozen; new ones may come. Holds no value.
 *
 * `backup_automation_` stands before each name. Times are seconds since 1970 and durations seconds, as Prometheus has them.
 */
export interface MetricDefinition {
  readonly type: 'gauge' | 'counter' | 'histogram';
  readonly labels: readonly string[];
  readonly help: string;
}

const routine = ['schedule', 'database'] as const;

export const metrics = {
  build_info: { type: 'gauge', labels: ['version'], help: 'Always 1; the version of backup-automation.' },
  generated_timestamp_seconds: { type: 'gauge', labels: [], help: 'When these figures were made.' },

  backup_last_success_timestamp_seconds: {
    type: 'gauge',
    labels: routine,
    help: 'When the newest good backup was made; 0: there is none.',
  },
  backup_last_attempt_timestamp_seconds: { type: 'gauge', labels: routine, help: 'When a backup was last begun; 0: never.' },
  backup_last_attempt_success: { type: 'gauge', labels: routine, help: 'Whether the last one that ended went well; NaN: none ended yet.' },
  backup_expected_timestamp_seconds: {
    type: 'gauge',
    labels: routine,
    help: 'By when the next good backup has to be there: overdue after that; NaN: none is expected.',
  },
  backup_next_run_timestamp_seconds: { type: 'gauge', labels: routine, help: 'The next time of the schedule; NaN: there is none.' },
  backup_runs_total: { type: 'counter', labels: [...routine, 'result'], help: 'Backups that ended: completed, failed or cancelled.' },
  backup_deferred_total: { type: 'counter', labels: [...routine, 'reason'], help: 'Times that a backup began to wait for a condition.' },
  backup_duration_seconds: { type: 'histogram', labels: routine, help: 'How long completed backups took.' },
  backup_last_duration_seconds: { type: 'gauge', labels: routine, help: 'How long the newest completed backup took; NaN: there is none.' },
  backup_size_bytes: { type: 'gauge', labels: routine, help: 'Stored bytes of the newest good backup, in one target; NaN: there is none.' },
  backup_source_size_bytes: { type: 'gauge', labels: routine, help: 'Size of the database at its newest good backup; NaN: not known.' },
  backup_suspect: { type: 'gauge', labels: routine, help: 'Whether the newest backup is not to be trusted until a restore proves it.' },
  backup_verified_level: {
    type: 'gauge',
    labels: routine,
    help: 'How far the newest good backup is proven: 0 not at all, 1 checksum, 2 archive, 3 restore.',
  },
  backup_retry_pending: { type: 'gauge', labels: routine, help: 'Retries that wait for their time.' },
  backup_waiting: { type: 'gauge', labels: routine, help: 'Backups that are due and wait for their conditions.' },
  backup_running: { type: 'gauge', labels: routine, help: 'Backups that run now.' },
  backup_last_verified_timestamp_seconds: {
    type: 'gauge',
    labels: ['database', 'level'],
    help: 'When a backup of the database was last proven to this level or a higher one; 0: never.',
  },

  active_backups: { type: 'gauge', labels: [], help: 'Backups of this state directory that run now.' },
  interrupted_backups: { type: 'gauge', labels: [], help: 'Backups whose process died, and that nobody has closed yet.' },

  restore_test_duration_seconds: {
    type: 'gauge',
    labels: ['database'],
    help: 'How long the last whole restore took; NaN: never measured.',
  },
  restore_expected_duration_seconds: {
    type: 'gauge',
    labels: ['database'],
    help: 'How long the newest backup would take to restore, by what was measured; NaN: never measured.',
  },
  restore_limit_seconds: { type: 'gauge', labels: [], help: 'The longest restore that will do (health.maxRestoreTime); NaN: no limit.' },

  retention_backups: { type: 'gauge', labels: [...routine, 'target'], help: 'Backups in the target; NaN: it could not be listed.' },
  retention_deleted_total: {
    type: 'counter',
    labels: ['database', 'target', 'reason'],
    help: 'Backups taken out of the listing by retention (expired), brought back (undone), removed for good (emptied).',
  },
  missing_copies: {
    type: 'gauge',
    labels: ['target'],
    help: 'Backups that the target should hold and does not; NaN: it could not be listed.',
  },
  target_up: { type: 'gauge', labels: ['target'], help: 'Whether the target answered in time, is the known one, and can be written.' },
  target_free_bytes: { type: 'gauge', labels: ['target'], help: 'Free space; NaN: it cannot be told.' },
  target_min_free_bytes: { type: 'gauge', labels: ['target'], help: 'With less free space no backup starts (conditions.minDiskSpace).' },

  alert_deliveries_total: {
    type: 'counter',
    labels: ['channel', 'result'],
    help: 'Tries to tell a channel: ok, failed (it is tried again), dead (given up).',
  },
  alert_last_proof_timestamp_seconds: { type: 'gauge', labels: ['channel'], help: 'When the channel last took anything; 0: never.' },
  alerts_owed: { type: 'gauge', labels: ['channel'], help: 'Alerts that the channel has still to be told.' },
  alerts_dead: { type: 'gauge', labels: ['channel'], help: 'Alerts given up since the channel last took anything.' },

  ledger_damaged_lines: { type: 'gauge', labels: [], help: 'Lines of the ledger that cannot be read.' },
  ledger_missing_segments: { type: 'gauge', labels: [], help: 'Files that are missing in the row of the ledger.' },
  scheduler_last_tick_timestamp_seconds: {
    type: 'gauge',
    labels: [],
    help: 'When schedules were last looked at by cron or a timer; 0: never.',
  },
  health_status: {
    type: 'gauge',
    labels: [],
    help: 'What health says without asking the databases: 0 healthy, 1 warning, 2 critical; NaN: it could not be told.',
  },
  health_issues: { type: 'gauge', labels: ['status'], help: 'Its checks that are not healthy: warning or critical.' },
} as const satisfies Readonly<Record<string, MetricDefinition>>;

export type MetricName = keyof typeof metrics;
export type LabelsOf<N extends MetricName> = Readonly<Record<(typeof metrics)[N]['labels'][number], string>>;

export const prefix = 'backup_automation_';
/** Upper bounds of the classes of durations, seconds. */
export const durationBounds = [1, 5, 15, 60, 300, 900, 1800, 3600, 7200, 14_400, 43_200] as const;
export const results = ['completed', 'failed', 'cancelled'] as const;
/** What a backup may wait for; the rest is `other`. */
export const deferrals = ['window', 'load', 'disk', 'concurrency', 'overlap', 'other'] as const;
export const deliveryResults = ['ok', 'failed', 'dead'] as const;
export const deletions = { done: 'expired', undone: 'undone', emptied: 'emptied' } as const;
/** Of backups by hand: no schedule can be called so. */
export const noSchedule = '(none)';
