/**
 * bench: a goal, what was measured for it, and the pages that tell both. Pure.
 */
export interface Finding {
  readonly what: string;
  readonly limit: number;
  readonly figure: number;
  /** After limit and figure; none for a ratio. */
  readonly unit?: string;
  /** What else was seen. */
  readonly seen?: string;
  /** Why the goal may be missed, and what would help; shown when it is. */
  readonly whenMissed?: string;
}

/** What was measured in one setting: a size of the database. */
export interface Chapter {
  readonly title: string;
  readonly findings: readonly Finding[];
}

const met = ({ figure, limit }: Finding): boolean => figure <= limit;
const verdict = (finding: Finding): string => (met(finding) ? 'met' : 'missed');
const number = (value: number, unit = ''): string => `${unit ? Math.round(value * 10) / 10 : value.toFixed(2)}${unit && ` ${unit}`}`;
const cells = (finding: Finding): string[] => [
  finding.what,
  `<= ${number(finding.limit, finding.unit)}`,
  number(finding.figure, finding.unit),
  verdict(finding),
  finding.seen ?? '',
];
const head = ['what', 'goal', 'figure', 'verdict', 'seen'];

/** For the terminal. */
export function table(findings: readonly Finding[]): string {
  const rows = [head, ...findings.map(cells)];
  const widths = head.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((text, column) => text.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

const row = (texts: readonly string[]) => `| ${texts.map((text) => text.replaceAll('|', '\\|')).join(' | ')} |`;

const rows = (titles: readonly string[], lines: readonly (readonly string[])[]) =>
  [row(titles), row(titles.map(() => '---')), ...lines.map(row)].join('\n');

/** Every goal with its figure in each chapter that has it; a missed one in bold. */
function goals(chapters: readonly Chapter[]): string {
  const all = new Map(chapters.flatMap(({ findings }) => findings).map((finding) => [finding.what, finding]));
  const figure = (what: string, { findings }: Chapter): string => {
    const found = findings.find((finding) => finding.what === what);
    if (!found) return '';
    return met(found) ? number(found.figure, found.unit) : `**${number(found.figure, found.unit)}**`;
  };
  return rows(
    ['what', 'goal', ...chapters.map(({ title }) => title)],
    [...all.values()].map(({ what, limit, unit }) => [
      what,
      `<= ${number(limit, unit)}`,
      ...chapters.map((chapter) => figure(what, chapter)),
    ]),
  );
}

/** Chapters that tell of the same things side by side. */
function tables(chapters: readonly Chapter[]): string[] {
  const kindOf = ({ findings }: Chapter) => findings[0]?.what;
  return [...new Set(chapters.map(kindOf))].map((kind) => goals(chapters.filter((chapter) => kindOf(chapter) === kind)));
}

/** For docs/performance.md. */
export function page(chapters: readonly Chapter[], facts: readonly (readonly [string, string])[], command: string): string {
  const missed = new Map(chapters.flatMap(({ findings }) => findings).flatMap((one) => (met(one) ? [] : [[one.what, one.whenMissed]])));
  return (
    [
      '# Performance',
      `Made by \`${command}\`, which starts its own PostgreSQL, fills a database of each size, measures, and removes everything again.`,
      'Every ratio is taken within one round, in which each candidate ran once, in another order each round; what is shown is the median of the rounds.',
      'CPU is user and system time of the programs, their children and the sessions of the server. A goal is a bar we set ourselves, not a promise for your machine.',
      rows(['', ''], facts),
      '## Goals',
      'In bold what was missed.',
      ...tables(chapters),
      ...(missed.size > 0
        ? ['## Goals that were missed', [...missed].map(([what, why]) => `- **${what}**${why === undefined ? '' : `: ${why}`}`).join('\n')]
        : []),
      '## What was seen',
      ...chapters.flatMap(({ title, findings }) => [
        `### ${title}`,
        rows(
          ['what', 'figure', 'seen'],
          findings.filter(({ seen }) => seen).map((one) => [one.what, number(one.figure, one.unit), one.seen ?? '']),
        ),
      ]),
      '## What is compared',
      `- **The shell pipeline** is what a careful user writes: \`set -o pipefail; pg_dump -Fc -Z0 | zstd -1 -T1 | tee FILE.part | sha256sum\`, then the roles by \`pg_dumpall --globals-only\`, \`sync\`, \`mv\`, and \`sha256sum\` once more, which reads the file again as \`verify.afterBackup: checksum\` does. It writes no manifest, keeps no ledger, and checks no conditions.`,
      '- **The floor** is `pg_dump -Fp >/dev/null`: the least that any logical dump costs.',
      '- **`--jobs 2`** is measured without fingerprint and check, as what it is compared with does neither; `pg_dump -Fd -j2` compresses by gzip level 6.',
      '- **`pg_dump -Fc`** compresses by gzip level 6, what most people run.',
      '- **`node -e 0`** is the start of Node itself.',
      `- **Who compresses**, by pg_dump 17.11 from a database of 400 MB, five pairs: \`pg_dump -Fc --compress=zstd:1\` over \`pg_dump -Fc -Z0 | zstd -1 -T1\`, both into a file and a SHA-256: 0.77 of the wall time (0.70 to 0.87), 0.68 of the CPU. So pg_dump does it where it can. By several processes of pg_dump 15, which has gzip alone: packed by zstd afterwards 1.7 to 1.9 times the floor, gzip level 1 inside 1.9 and 15 % more bytes. \`execute --jobs 2\` by pg_dump 17.11 from 1 GB, three rounds: 1.42 times the floor, 0.18 of \`pg_dump -Fd -j2\`.`,
      '- The database: 40 % small rows, 45 % text and jsonb with a GIN index, 15 % bytes that do not compress, as a plain dump counts.',
    ].join('\n\n') + '\n'
  );
}
