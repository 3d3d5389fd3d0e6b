/**
 * test: every mutant there is, by what it is about.
 */
import { api } from './access.js';
import { alerts } from './alerts.js';
import { commit } from './commit.js';
import { ledger } from './ledger.js';
import type { Mutant } from './mutant.js';
import { proof } from './proof.js';
import { retention } from './retention.js';
import { secrets } from './secrets.js';
import { time } from './time.js';

export const groups: Readonly<Record<string, readonly Mutant[]>> = {
  'How a backup comes to be': commit,
  'Ledger and locks': ledger,
  'Retention and prune': retention,
  'What a backup is worth': proof,
  'When something runs': time,
  Alerts: alerts,
  Secrets: secrets,
  'The REST API': api,
};

export const mutants: readonly Mutant[] = Object.values(groups).flat();
