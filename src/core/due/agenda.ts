/**
 * core: reads the agenda, going on from where an earlier process remembered it. Writes nothing.
 */
import { emptyAgenda, take, type Agenda } from '../../model/events/agenda.js';
import type { LedgerLine, Position } from '../../model/roles/ledger.js';
import type { Context } from '../context.js';

export interface AgendaReader {
  readonly agenda: Agenda;
  /** Of the newest line that was taken; null: there is none. */
  position(): Position | null;
  /** Takes the lines that were appended since. */
  catchUp(): Promise<void>;
}

const isLater = (a: Position, b: Position | null): boolean =>
  b === null || a.segment > b.segment || (a.segment === b.segment && a.offset > b.offset);

/** The agenda of the whole ledger. */
export async function readAgenda({ ledger, dueMemory }: Pick<Context, 'ledger' | 'dueMemory'>): Promise<AgendaReader> {
  const recalled = dueMemory.recall();
  const agenda = recalled?.agenda ?? emptyAgenda();
  let position = recalled?.position ?? null;
  const takeAll = async (lines: AsyncIterable<LedgerLine>) => {
    for await (const line of lines) {
      take(agenda, line.record);
      if (isLater(line.position, position)) ({ position } = line);
    }
  };
  const catchUp = () => takeAll(position === null ? ledger.readOutcomes() : ledger.read(undefined, position));
  await catchUp();
  return { agenda, position: () => position, catchUp };
}
