/**
 * cli: rows and facts set in columns that fit the width. It never breaks a word, so that every id and path can be typed again.
 */
import type { ChalkInstance } from 'chalk';
import CliTable, { type HorizontalAlignment } from 'cli-table3';
import stringWidth from 'string-width';
import { harmless } from '../../model/harmless.js';

export interface TableOptions {
  /** Columns of the terminal; Infinity where there is none, then every row is one line. */
  readonly width: number;
  readonly paint: ChalkInstance;
  readonly align?: readonly ('left' | 'right')[];
  /** The column of UUIDs, which are shown by their beginning where the whole ones would not fit; that can be typed too. */
  readonly ids?: number;
  /** Cuts the last column to what is left of the width rather than wrapping anything. */
  readonly cutLast?: boolean;
}

const gap = 2;
/** Narrower than this, a table that would have to wrap becomes a list. */
const narrow = 60;

const chars = Object.fromEntries(
  ['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right']
    .concat(['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid'])
    .map((name) => [name, '']),
);

// what chalk writes for bold, dim, underline and the sixteen foreground colours, and nothing that could hide text
// oxlint-disable-next-line no-control-regex -- colour codes begin with a control character
const colours = /(\u001b\[(?:1|2|4|22|24|3[0-7]|39|9[0-7])m)/;

/** One line, harmless; colours stay where colours are wanted. */
function cell(text: string, paint: ChalkInstance): string {
  const line = text.trim().replace(/\s*[\n\t]\s*/g, ' ');
  if (paint.level === 0) return harmless(line);
  return line
    .split(colours)
    .map((part, index) => (index % 2 ? part : harmless(part)))
    .join('');
}

const greatest = (numbers: readonly number[]) => numbers.reduce((most, one) => Math.max(most, one), 1);
/** The first 48 bits, a millisecond: as good as unique. */
const shortId = 13;
/** Moments, sizes and the like, which are not broken at their blanks while there is another way. */
const phrase = 19;
const longestPart = (text: string, unbroken: number) =>
  stringWidth(text) <= unbroken ? stringWidth(text) : greatest(text.split(/\s+/).map(stringWidth));

/** What the last column keeps at least where its long words may stand out: the terminal breaks those, and only theirs is the mess. */
const leastLast = 20;

/**
 * Widths of columns that fit, taking from the widest that still has more than its longest part; null when they cannot.
 * Parts shorter than `unbroken` stay whole; those of the last column may be longer than it is, up to `outstanding`.
 */
function fit(rows: readonly (readonly string[])[], width: number, unbroken: number, outstanding = Infinity): number[] | null {
  const columns = rows[0]?.map((_, column) => rows.map((row) => row[column] ?? '')) ?? [];
  const widths = widthsOf(rows);
  const total = () => sum(widths);
  if (total() <= width) return widths;
  if (width < narrow) return null;
  const parts = columns.map((cells) => greatest(cells.map((text) => longestPart(text, unbroken))));
  const least = parts.map((part, column) => (column === parts.length - 1 ? Math.min(part, outstanding) : part));
  while (total() > width) {
    const spare = widths.map((one, column) => (one > (least[column] ?? 1) ? one : 0));
    const widest = spare.indexOf(greatest(spare));
    if (widest < 0) return null;
    widths[widest] = (widths[widest] ?? 1) - 1;
  }
  return widths;
}

/** Lines no wider than `room`, but for a word that alone is. */
function wrapped(text: string, room: number): string {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const line = lines.at(-1);
    if (line !== undefined && stringWidth(`${line} ${word}`) <= room) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines.join('\n');
}

/** A headline and what there is to say: on one line where that fits, else wrapped below it, set in by so many columns. */
export function hanging(headline: string, detail: string, indent: number, width: number): string {
  if (stringWidth(headline) + gap + stringWidth(detail) <= width) return `${headline}${' '.repeat(gap)}${detail}`;
  return `${headline}\n${wrapped(detail, width - indent).replace(/^/gm, ' '.repeat(indent))}`;
}

function columns(given: readonly (readonly string[])[], options: TableOptions): string | null {
  const { width } = options;
  const colWidths = fit(given, width, phrase) ?? fit(given, width, 0) ?? fit(given, width, phrase, leastLast) ?? fit(given, width, 0, leastLast); // prettier-ignore
  if (!colWidths) return null;
  const last = colWidths.length - 1;
  const room = colWidths[last] ?? 1;
  const rows = given.map((row) => row.map((text, column) => (column === last ? wrapped(text, room) : text)));
  colWidths[last] = greatest(rows.flatMap((row) => (row[last] ?? '').split('\n').map(stringWidth)));
  const colAligns: HorizontalAlignment[] = colWidths.map((_, column) => options.align?.[column] ?? 'left');
  const style = { head: [], border: [], 'padding-left': 0, 'padding-right': 0, compact: true };
  const drawn = new CliTable({ chars: { ...chars, middle: ' '.repeat(gap) }, colWidths, colAligns, style, wordWrap: true });
  drawn.push(...rows.map((row) => [...row]));
  return drawn.toString().replace(/ +$/gm, '');
}

const widthsOf = (rows: readonly (readonly string[])[]): number[] =>
  rows[0]?.map((_, column) => greatest(rows.map((row) => stringWidth(row[column] ?? '')))) ?? [];
const sum = (widths: readonly number[]): number => widths.reduce((all, one) => all + one, gap * (widths.length - 1));

/** A column cut shorter than this would say nothing. */
const leastCut = 12;

/** Shortens ids, and then the last column, when the rows are too wide. */
function shortened(head: readonly string[], rows: readonly (readonly string[])[], options: TableOptions): readonly (readonly string[])[] {
  if (sum(widthsOf([head, ...rows])) <= options.width) return rows;
  const brief = rows.map((row) => row.map((text, column) => (column === options.ids ? text.slice(0, shortId) : text)));
  const widths = widthsOf([head, ...brief]);
  const room = options.width - sum(widths) + (widths.at(-1) ?? 0);
  if (!options.cutLast || room >= (widths.at(-1) ?? 0) || room < leastCut) return brief;
  const cut = (text: string) => (text.length > room ? `${text.slice(0, room - 3)}...` : text);
  return brief.map((row) => [...row.slice(0, -1), cut(row.at(-1) ?? '')]);
}

/** Rows under a head, without borders. Where they do not fit, a list of `key: value` lines for each row. Empty without rows. */
export function table(head: readonly string[], rows: readonly (readonly string[])[], options: TableOptions): string {
  if (rows.length === 0) return '';
  const { paint } = options;
  const titles = head.map((title) => paint.bold(title));
  const cells = shortened(
    head,
    rows.map((row) => row.map((text) => cell(text, paint))),
    options,
  );
  return (
    columns([titles, ...cells], options) ??
    cells
      .map((row) =>
        list(
          titles.map((title, index) => [title, row[index] ?? '']),
          options,
        ),
      )
      .join('\n\n')
  );
}

const list = (pairs: readonly (readonly [string, string])[], { width }: TableOptions) =>
  pairs
    .map(([key, value]) => {
      const line = `${key}: ${value}`.trimEnd();
      return value.includes(' ') ? wrapped(line, width) : line;
    })
    .join('\n');

/** `key  value` lines for a page about one thing; long values wrap beside their key. */
export function facts(pairs: readonly (readonly [key: string, value: string])[], options: TableOptions): string {
  if (pairs.length === 0) return '';
  const { paint } = options;
  const cells = pairs.map(([key, value]) => [paint.dim(key), cell(value, paint)] as const);
  return columns(cells, options) ?? list(cells, options);
}
