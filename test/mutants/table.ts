/**
 * test: the table of mutants in a page of the docs. It runs nothing.
 */
import { cell, writeBetween } from '../docs/marked.js';
import { groups } from './all.js';
import type { Mutant } from './mutant.js';

export interface Killed {
  readonly mutant: Mutant;
  /** The first test that failed; null: none did. */
  readonly by: string | null;
  readonly seconds: number;
}

export function writeTable(page: string, done: readonly Killed[]): void {
  const tables = Object.entries(groups).map(([group, members]) => {
    const rows = done
      .filter(({ mutant }) => members.includes(mutant))
      .map(({ mutant, by }) => `| ${cell(mutant.name)} | ${cell(mutant.breaks)} | ${cell(by ?? '')} |`);
    return [`### ${group}`, '', '| mutant | what it breaks | killed by |', '|---|---|---|', ...rows].join('\n');
  });
  const count = done.filter(({ by }) => by !== null).length;
  const summary = `${count} of ${done.length} killed, ${new Date().toISOString().slice(0, 10)}, \`npm run test:mutants\`.`;
  writeBetween(page, 'mutants', [summary, ...tables].join('\n\n'));
}
