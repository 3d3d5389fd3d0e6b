/**
 * model: a moment as alerts and reasons write it. It knows no zone but UTC.
 */

/** `2026-11-22T02:00:31.000Z` -> `2026-11-22 02:00 UTC`. */
export const minuteOf = (at: string | Date): string =>
  `${(typeof at === 'string' ? at : at.toISOString()).slice(0, 16).replace('T', ' ')} UTC`;
