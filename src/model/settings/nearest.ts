/**
 * model: which known names a mistyped one may have meant.
 */
import { distance } from 'fastest-levenshtein';

/** At most three names, the nearest first. */
export const nearest = (typed: string, known: readonly string[]): string[] =>
  known
    .map((name) => ({ name, away: distance(typed, name) }))
    .toSorted((a, b) => a.away - b.away)
    .slice(0, 3)
    .map(({ name }) => name);

const plain = (name: string) => name.slice(0, 64).toLowerCase().replace(/[_-]/g, '');

/** ` (did you mean "maxRetries"?)`, or nothing when no name is near. Case, `-` and `_` do not count. */
export function didYouMean(typed: string, known: readonly string[]): string {
  const wrong = plain(typed);
  const bound = Math.max(2, Math.ceil(wrong.length / 3));
  const [best] = nearest(
    wrong,
    known.map(plain).filter((name) => distance(wrong, name) <= bound),
  );
  const name = known.find((candidate) => plain(candidate) === best);
  return name === undefined ? '' : ` (did you mean "${name}"?)`;
}
