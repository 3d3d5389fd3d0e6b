/**
 * model: many ordinals as a short text, so that a line of the ledger holds them all.
 */

/** Ascending ordinals as `3-17,19`. */
export function formatOrdinals(ordinals: readonly number[]): string {
  const runs: [first: number, last: number][] = [];
  for (const ordinal of ordinals) {
    const run = runs.at(-1);
    if (run && run[1] === ordinal - 1) run[1] = ordinal;
    else runs.push([ordinal, ordinal]);
  }
  return runs.map(([first, last]) => (first === last ? String(first) : `${first}-${last}`)).join(',');
}

/** The same back. */
export function parseOrdinals(text: string): number[] {
  return text.split(',').flatMap((run) => {
    const [first = Number.NaN, last = first] = run.split('-').map(Number);
    return Number.isSafeInteger(first) && Number.isSafeInteger(last)
      ? Array.from({ length: Math.max(0, last - first + 1) }, (_, k) => first + k)
      : [];
  });
}
