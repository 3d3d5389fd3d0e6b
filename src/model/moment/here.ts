/**
 * model: moments as the clock of this machine shows them, for people to read. It never asks what time it is.
 */
const two = (number: number): string => String(number).padStart(2, '0');

/** `2026-01-31`, in local time. */
export function localDay(iso: string): string {
  const date = new Date(iso);
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** `2026-01-31 18:00:05`, in local time; what is no moment stays as it is. */
export function localTime(iso: string): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return iso;
  return `${localDay(iso)} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** The same to the minute, for listings. */
export const localMinute = (iso: string): string => localTime(iso).slice(0, 16);

/**
 * What local time is called beside moments: `UTC`, `UTC+02:00`, or `local time` where a change of clocks lies between them.
 * Not the zone's name: asking for that loads all of Intl, which takes longer than everything else that a listing does.
 */
export function localZone(moments: readonly string[]): string {
  const [offset = 0, another] = new Set(moments.map((iso) => -new Date(iso).getTimezoneOffset()));
  if (another !== undefined) return 'local time';
  if (offset === 0) return 'UTC';
  const minutes = Math.abs(offset);
  return `UTC${offset < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}
