/**
 * model: shell globs over names of databases, which may hold any character: `*` takes line feeds, dots and slashes too. Decides only.
 */

/** `*`, `?`, a class such as `[a-f]` or `[!x]`, or a character that a pattern would take for something else. */
const special = /\*+|\?|\[[!^]?\]?[^\]]*\]|[$()+./[\\\]^{|}]/gu;

function translate(token: string): string {
  if (token.startsWith('*')) return '.*';
  if (token === '?') return '.';
  const [, negated, members] = /^\[([!^]?)(.+)\]$/su.exec(token) ?? [];
  if (members !== undefined) return `[${negated ? '^' : ''}${members.replace(/[\\\][^]/g, '\\$&')}]`;
  return `\\${token}`;
}

/** Whether a glob fits a whole name; a name always fits itself. */
export function matches(glob: string, name: string): boolean {
  if (glob === name) return true;
  try {
    return new RegExp(`^${glob.replace(special, translate)}$`, 'su').test(name);
  } catch {
    return false; // a range that runs backwards
  }
}
