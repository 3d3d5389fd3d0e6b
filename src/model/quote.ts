/**
 * model: names and texts as SQL writes them, so that they are only ever names and texts.
 */

export const identifier = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** As the server's quote_literal: right whatever `standard_conforming_strings` says. */
export function literal(text: string): string {
  const quoted = `'${text.replaceAll("'", "''")}'`;
  return text.includes('\\') ? `E${quoted.replaceAll('\\', '\\\\')}` : quoted;
}
