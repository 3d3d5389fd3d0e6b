/**
 * test: a page of the documentation, taken apart: its blocks of code with what comments say of them, its headings, its links.
 *
 * Comments that a reader of the page does not see say how a block is tried:
 *
 *     <!-- needs: age, curl -->          on its first lines: programs without which the page is not tried
 *     <!-- first: COMMANDS -->           what has to happen before the block, unseen
 *     <!-- exit: 75 -->                  how the block ends, when not with 0
 *     <!-- file: NAME -->                the block is also written to this file, for the blocks after it
 *     <!-- until: WORDS -->              it goes on in the background from when it said these words to the end of the page
 *     <!-- not run: REASON -->           it cannot be tried here
 *
 * A block of `text` right below one of `sh` is what is seen; a line of `...` stands for any lines, `...` in a line for any words.
 */

export interface Block {
  /** sh, text, json, ... */
  readonly language: string;
  readonly line: number;
  readonly code: string;
  /** What comments right above say: `exit`, `first`, ... */
  readonly said: Readonly<Record<string, string>>;
  /** Of `text`: whether it stands right below a block of `sh`, the words of a terminal after what was typed. */
  readonly seen: boolean;
}

export interface Page {
  readonly file: string;
  readonly text: string;
  readonly blocks: readonly Block[];
  readonly needs: readonly string[];
}

const fence = /^```(\w*)\n([\s\S]*?)^```$/gm;
const remark = /<!-- ([a-z ]+): ([\s\S]*?) -->/g;

/** The comments at the end of `above`, with nothing but space between. */
function saidAbove(above: string): Record<string, string> {
  const [tail = ''] = /(?:<!-- (?:(?! -->)[\s\S])* -->\s*)*$/.exec(above) ?? [];
  return Object.fromEntries([...tail.matchAll(remark)].map(([, key = '', value = '']) => [key, value]));
}

export function parsePage(file: string, text: string): Page {
  let end = 0;
  let before = '';
  const blocks = [...text.matchAll(fence)].map((match): Block => {
    const [whole, language = '', code = ''] = match;
    const between = text.slice(end, match.index);
    const seen = language === 'text' && before === 'sh' && between.trim() === '';
    end = match.index + whole.length;
    before = language;
    return { language, code, seen, line: text.slice(0, match.index).split('\n').length, said: saidAbove(between) };
  });
  const [, needs = ''] = /<!-- needs: (.*?) -->/.exec(text) ?? [];
  return { file, text, blocks, needs: needs.split(', ').filter(Boolean) };
}

/** What GitHub makes of a heading for `#...`. */
const anchor = (heading: string) =>
  heading.toLowerCase().replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').replace(/[^\p{L}\p{N}\s_-]/gu, '').replaceAll(' ', '-'); // prettier-ignore

const withoutCode = (text: string) => text.replace(fence, '').replace(/`[^`\n]*`/g, '');

export function anchorsOf(text: string): string[] {
  const headings = [...text.replace(fence, '').matchAll(/^#{1,6} (.*)$/gm)].map(([, heading = '']) => anchor(heading));
  return headings.map((one, index) => {
    const times = headings.slice(0, index).filter((other) => other === one).length;
    return times === 0 ? one : `${one}-${times}`;
  });
}

/** Where the links and pictures of a page lead to, in its own words. */
export const linksOf = (text: string): string[] => [
  ...[...withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link),
  ...[...withoutCode(text).matchAll(/(?:src|srcset|href)="([^"]+)"/g)].map(([, link = '']) => link),
];
