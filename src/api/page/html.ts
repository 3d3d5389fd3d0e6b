/**
 * api: HTML as a template that escapes whatever is put into it. It knows no page.
 */
import { harmless } from '../../model/harmless.js';

/** Text that is HTML already. */
export class Html {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  toString(): string {
    return this.#text;
  }
}

/** What may stand in a template; nothing at all for what is not there. */
export type Piece = Html | string | number | null | undefined | false | readonly Piece[];

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

const escaped = (text: string): string => harmless(text).replaceAll(/[&<>"']/g, (character) => entities[character] ?? '');

function written(piece: Piece): string {
  if (piece === null || piece === undefined || piece === false) return '';
  if (piece instanceof Html) return piece.toString();
  return typeof piece === 'object' ? piece.map(written).join('') : escaped(String(piece));
}

/** Between tags, and in attributes that stand in double quotes. */
export const html = (texts: TemplateStringsArray, ...pieces: readonly Piece[]): Html =>
  new Html(texts.reduce((all, text, index) => all + written(pieces[index - 1]) + text));
