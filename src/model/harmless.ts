/**
 * model: makes text from elsewhere (a server's error, a table's name) unable to move a cursor, colour a screen or forge a line.
 */

// C0 but tab and line feed, DEL, C1, and what turns the direction of writing round
// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const control = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

const hex = (character: string) => character.charCodeAt(0).toString(16).padStart(4, '0');

/** Control characters as `\u001b`, which is JSON's escape too. Tabs and line feeds stay. */
export const harmless = (text: string): string => text.replace(control, (character) => `\\u${hex(character)}`);

/** The same with tabs and line feeds as `\t` and `\n`: one line, whatever was in it. */
export const oneLine = (text: string): string => harmless(text).replaceAll('\t', '\\t').replaceAll('\n', '\\n');
