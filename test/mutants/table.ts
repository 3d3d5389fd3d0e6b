/**
 * test: the table of mutants in a page of the docs, in place between its two marks. It runs nothing.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { groups } from './all.js';
import type { Mutant } from './mutant.js';

export interface Killed {
  readonly mutant: Mutant;
  /** The first test that failed; null: none did. */
  readonly by: string | null;
  readonly seconds: number;
}

const begin = '<!-- mutants -->';
const end = '<!-- /mutants -->';
const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('<', '\\<');

export function writeTable(page: string, done: readonly Killed[]): void {
  const tables = Object.entries(groups).map(([group, members]) => {
    const rows = done
      .filter(({ mutant }) => members.includes(mutant))
      .map(({ mutant, by }) => `| ${cell(mutant.name)} | ${cell(mutant.breaks)} | ${cell(by ?? '')} |`);
    return [`### ${group}`, '', '| mutant | what it breaks | killed by |', '|---|---|---|', ...rows].join('\n');
  });
  const count = done.filter(({ by }) => by !== null).length;
  const summary = `${count} of ${done.length} killed, ${new Date().toISOString().slice(0, 10)}, \`npm run test:mutants\`.`;
  const text = readFileSync(page, 'utf8');
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${page} has no marks ${begin} and ${end}`);
  writeFileSync(page, `${text.slice(0, from)}${begin}\n\n${[summary, ...tables].join('\n\n')}\n\n${text.slice(to)}`);
}
