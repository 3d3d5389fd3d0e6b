/**
 * core: the figures of the ledger: read from its beginning, or out of a fold that is kept. Writes nothing.
 */
import { placeBefore } from '../../model/events/bookmarks.js';
import { FiguresFold, type Told } from '../../model/figures/figures.js';
import type { Grouping } from '../../model/figures/grouping.js';
import type { LedgerDamage, Position } from '../../model/roles/ledger.js';
import { earliestLine } from '../../model/events/record.js';
import { isDead, type Sight } from './liveness.js';
import type { LedgerReader } from './reader.js';

export interface Figures extends Told {
  readonly damage: LedgerDamage;
}

export interface FiguresAsked {
  /** Only events created from then on. */
  readonly since?: Date;
  /** Figures for each group as well. */
  readonly by?: Grouping;
}

/** Figures over the whole ledger since the newest `clear`; events of dead processes count as failed. */
export async function statistics(sight: Sight, asked: FiguresAsked = {}): Promise<Figures> {
  const damage = { corruptLines: 0, tornTail: false, gaps: 0 };
  return { ...(await read(sight, asked, damage)), damage };
}

/** The same, in no more time than the lines take that are new, or of the time asked for. */
export async function keptStatistics(sight: Sight, reader: LedgerReader, { since, by }: FiguresAsked = {}): Promise<Figures> {
  const { fold, damage } = await reader.read();
  if (!since) return { ...(await told(sight, fold.figures, by)), damage };
  const from = placeBefore(fold.state.bookmarks, earliestLine(since.getTime()));
  return { ...(await read(sight, { since, ...(by && { by }) }, undefined, from ?? undefined)), damage };
}

async function read(sight: Sight, { since, by }: FiguresAsked, damage?: LedgerDamage, from?: Position): Promise<Told> {
  const fold = new FiguresFold({ ...(since && { since }), ...(by && { by: [by] }) });
  for await (const { record } of sight.ledger.readOutcomes(damage, from)) fold.take(record);
  return told(sight, fold, by);
}

async function told(sight: Sight, fold: FiguresFold, by: Grouping | undefined): Promise<Told> {
  const dead = new Set<string>();
  for (const event of fold.unended()) if (await isDead(sight, event)) dead.add(event.id);
  return fold.told(by, dead);
}
