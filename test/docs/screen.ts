/** test: what a terminal shows in the end of all that was written to it, and that as a picture. It knows what our commands write, no more. */

interface Style {
  readonly bold: boolean;
  readonly dim: boolean;
  readonly colour: string | null;
}

export interface Cell extends Style {
  readonly character: string;
}

const plain: Style = { bold: false, dim: false, colour: null };
const colours: Readonly<Record<number, string>> = {
  31: '#ff7b72',
  32: '#56d364',
  33: '#e3b341',
  34: '#79c0ff',
  35: '#d2a8ff',
  36: '#76e3ea',
  90: '#8b949e',
};

function styled(style: Style, codes: string): Style {
  return codes.split(';').reduce((now, code): Style => {
    const number = Number(code);
    if (number === 0) return plain;
    if (number === 1) return { ...now, bold: true };
    if (number === 2) return { ...now, dim: true };
    if (number === 22) return { ...now, bold: false, dim: false };
    return number === 39 ? { ...now, colour: null } : { ...now, colour: colours[number] ?? now.colour };
  }, style);
}

// eslint-disable-next-line no-control-regex
const parts = /\u001b\[([?\d;]*)([A-Za-z])|([\r\n])|([^\u001b\r\n])/gu;

/** The lines that are left: spinners that were written over are gone. */
export function screenOf(written: string): Cell[][] {
  const lines: Cell[][] = [[]];
  let [row, column, style] = [0, 0, plain];
  const go = (to: number) => {
    row = Math.max(0, to);
    while (lines.length <= row) lines.push([]);
  };
  for (const [, given = '', command, turn, character] of written.matchAll(parts)) {
    const line = lines[row] ?? [];
    if (character !== undefined) {
      while (line.length < column) line.push({ character: ' ', ...plain });
      line[column++] = { character, ...style };
    } else if (turn === '\n') go(row + 1);
    else if (turn === '\r') column = 0;
    else if (command === 'G') column = Number(given || 1) - 1;
    else if (command === 'A') go(row - Number(given || 1));
    else if (command === 'K') line.length = given === '2' ? 0 : Math.min(line.length, column);
    else if (command === 'm') style = styled(style, given || '0');
  }
  while (lines.at(-1)?.length === 0) lines.pop();
  return lines;
}

const width = 8.4;
const height = 20;
const escaped = (text: string) => text.replaceAll(' ', '\u00a0').replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
const sameStyle = (a: Style, b: Style) => a.bold === b.bold && a.dim === b.dim && a.colour === b.colour;

/** Neighbours of one style, with the column where they begin. */
function spansOf(line: readonly Cell[]): { at: number; text: string; style: Style }[] {
  const spans: { at: number; text: string; style: Style }[] = [];
  for (const [at, cell] of line.entries()) {
    const last = spans.at(-1);
    if (last && sameStyle(last.style, cell)) last.text += cell.character;
    else spans.push({ at, text: cell.character, style: cell });
  }
  return spans.filter(({ text }) => text.trim() !== '');
}

function lineOf(line: readonly Cell[], row: number): string {
  const y = 52 + row * height;
  return spansOf(line)
    .map(({ at, text, style }) => {
      const length = (text.trimEnd().length * width).toFixed(1);
      const look = `${style.bold ? ' font-weight="bold"' : ''}${style.dim ? ' opacity="0.6"' : ''}${style.colour ? ` fill="${style.colour}"` : ''}`;
      return `<text x="${(20 + at * width).toFixed(1)}" y="${y}" textLength="${length}"${look}>${escaped(text.trimEnd())}</text>`;
    })
    .join('');
}

/** On a dark ground of its own: readable on a light page and on a dark one. */
export function pictureOf(lines: readonly (readonly Cell[])[], columns: number, title: string): string {
  const [w, h] = [Math.round(columns * width + 40), 52 + lines.length * height + 10];
  const dots = ['#ff5f57', '#febc2e', '#28c840'].map((fill, index) => `<circle cx="${22 + index * 20}" cy="18" r="6" fill="${fill}"/>`);
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${w}" height="${h}" viewBox="0 0 ${w} ${h}" role="img" aria-label="${title}">
<rect x="0.5" y="0.5" width="${w - 1}" height="${h - 1}" rx="8" fill="#0d1117" stroke="#30363d"/>
${dots.join('')}
<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="14" fill="#e6edf3">
${lines.map(lineOf).filter(Boolean).join('\n')}
</g>
</svg>
`;
}
