/**
 * model: takes secrets out of text on its way to a log, an error or a terminal; it never says which secret it found.
 */

const mark = '***';

/**
 * Every secret that this process has read, in every encoding. The only module state of the model: a secret read anywhere must be
 * hidden everywhere, and an argument handed through each function is the one that is forgotten in the place where it matters.
 */
const needles = new Set<string>();

/** Passwords shorter than this are not looked for by value: `a` would turn all output to stars, and hide nothing. */
export const shortestSecret = 4;

const percent = (character: string) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`;

/** A secret as it may stand in a URL, a form, JSON, a passfile, a conninfo string and SQL. */
function encodings(value: string): string[] {
  const wellFormed = value.replace(/[\ud800-\udfff]/gu, '\ufffd');
  const urls = [encodeURI(wellFormed), encodeURIComponent(wellFormed), encodeURIComponent(wellFormed).replace(/[!'()*]/g, percent)];
  const json = JSON.stringify(value).slice(1, -1);
  return [
    value,
    json,
    JSON.stringify(json).slice(1, -1),
    value.replace(/[\\:]/g, '\\$&'),
    value.replace(/[\\']/g, '\\$&'),
    value.replaceAll("'", "''"),
    ...urls.flatMap((url) => [url, url.replaceAll('%20', '+'), url.replace(/%../g, (pair) => pair.toLowerCase())]),
  ];
}

/** Hides a value from now on. Values under 4 characters are hidden only where they stand as a password (see `redact`). */
export function registerSecret(value: string): void {
  if (value.length < shortestSecret) return;
  for (const needle of encodings(value)) needles.add(needle);
}

/** The places where any needle stands, joined where they overlap, so that no rest of a secret stays beside another's stars. */
function places(text: string): [from: number, to: number][] {
  const found: [number, number][] = [];
  for (const needle of needles)
    for (let at = text.indexOf(needle); at >= 0; at = text.indexOf(needle, at + 1)) found.push([at, at + needle.length]);
  const joined: [number, number][] = [];
  for (const [from, to] of found.sort((a, b) => a[0] - b[0])) {
    const last = joined.at(-1);
    if (last && from < last[1]) last[1] = Math.max(last[1], to);
    else joined.push([from, to]);
  }
  return joined;
}

/** Until none is left: each round makes the text shorter, for every needle is longer than the mark. */
function hideKnown(text: string): string {
  const hidden = places(text);
  if (hidden.length === 0) return text;
  let rest = 0;
  let result = '';
  for (const [from, to] of hidden) {
    result += text.slice(rest, from) + mark;
    rest = to;
  }
  return hideKnown(result + text.slice(rest));
}

/** `scheme://user:password@`; with a slash in the password libpq calls it a port, and the message about it shows the whole URL. */
const userinfo = /(:\/\/[^\s:/@]*:)(?:[^\s/]*@|(?!\d+\/)\S{0,256}?@)/g;

/** `password=...` of conninfo strings and URLs, `PGPASSWORD=...` of environments; values bare or quoted, as libpq and shells take them. */
const assignment = /((?:\b|ssl|PG)password\s*=\s*)(?:'(?:\\.|[^'\\])*'|"[^"\\]+"|(?:(?!&\w+=)(?:\\.|[^\s\\"]))+)/gi;

/** The text without secrets: registered values in all their encodings, passwords in URLs and in `password=...`. Else unchanged. */
export function redact(text: string): string {
  return hideKnown(hideKnown(text).replace(userinfo, `$1${mark}@`).replace(assignment, `$1${mark}`));
}
