/**
 * core: who did what, from where, as the ledger's records tell. `events clear` hides nothing of it. Writes nothing.
 */
import { auditLine, type AuditLine } from '../../model/events/audit.js';
import type { Sight } from './liveness.js';
import type { LedgerReader } from './reader.js';

/** The newest `limit` deeds, newest first; `reader`, where one is kept. */
export async function listAudit({ ledger }: Pick<Sight, 'ledger'>, limit: number, reader?: LedgerReader): Promise<AuditLine[]> {
  if (reader) return (await reader.read()).fold.state.audit.toReversed().slice(0, limit);
  const lines: AuditLine[] = [];
  for await (const { record } of ledger.readBackwards()) {
    const line = auditLine(record);
    if (line) lines.push(line);
    if (lines.length >= limit) break;
  }
  return lines;
}
