/**
 * test: a mutant, a deliberate fault in the product's own code. It is data: nothing here changes or runs anything.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Mutant {
  /** Unique; what the fault is, in a few words. */
  readonly name: string;
  /** Under `src`. */
  readonly file: string;
  /** Each text as it stands exactly once in the file, and what takes its place. */
  readonly edits: readonly (readonly [from: string, to: string])[];
  /** What no longer holds, a sentence. */
  readonly breaks: string;
  /** Test files under `test`, one of which has to fail. */
  readonly tests: readonly string[];
}

/** The file's text with the fault in it. Throws when a text does not stand there exactly once. */
export function mutated(root: string, { name, file, edits }: Mutant): string {
  return edits.reduce(
    (text, [from, to]) => {
      const found = text.split(from).length - 1;
      if (found !== 1) throw new Error(`${name}: the text stands ${found} times in src/${file}: ${from}`);
      return text.replace(from, () => to);
    },
    readFileSync(join(root, 'src', file), 'utf8'),
  );
}
