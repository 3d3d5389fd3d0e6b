/**
 * test: a part of a page that is made, in place between two marks: `<!-- name -->` and `<!-- /name -->`.
 */
import { readFileSync, writeFileSync } from 'node:fs';

/** A text in a cell of a table. */
export const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('<', '\\<');

/** Throws when the page has no such marks. */
export function writeBetween(page: string, name: string, content: string): void {
  const [begin, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const text = readFileSync(page, 'utf8');
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${page} has no marks ${begin} and ${end}`);
  writeFileSync(page, `${text.slice(0, from)}${begin}\n\n${content}\n\n${text.slice(to)}`);
}
