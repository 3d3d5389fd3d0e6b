/**
 * model: the HealthCheck, one thing that was looked at and what was found. Data only; `health` judges.
 */
export type CheckStatus = 'healthy' | 'warning' | 'critical' | 'unknown';

export interface HealthCheck {
  readonly name: string;
  /** The database, storage or schedule it is about; null: the automation itself. */
  readonly subject: string | null;
  readonly status: CheckStatus;
  readonly value: string | number | null;
  readonly limit: string | number | null;
  readonly detail: string;
  /** The next thing to type or do; empty when there is nothing to do. */
  readonly hint: string;
}
