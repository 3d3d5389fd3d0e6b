/**
 * test: the scorecard, a line for each kind of fault: how often it was injected, and how many promises it broke.
 */
import type { Reporter, TestCase, TestModule } from 'vitest/node';
import { cell, writeBetween } from '../docs/marked.js';
import { isFull } from '../fixtures/counts.js';

export interface Score {
  /** Row of the fault matrix: `A2`. */
  readonly row: string;
  readonly what: string;
  /** How often; left out where the test itself is the count. */
  readonly n?: number;
  readonly violations: readonly string[];
  /** Figures beside the two: `12 records/s`. */
  readonly figures?: string;
}

declare module 'vitest' {
  interface TaskMeta {
    score?: Score;
  }
}

/** A test named after a row, `E4: ...`, counts once for it when it gives no score of its own. One that failed is never without violation. */
function scoreOf(test: TestCase): Score[] {
  const { score } = test.meta();
  if (score) return [test.ok() || score.violations.length > 0 ? score : { ...score, violations: ['failed'] }];
  const [, row, what] = /^([A-K]\d+)[^:]*: (.*)/.exec(test.name) ?? [];
  const { state } = test.result();
  if (row === undefined || what === undefined || state === 'skipped') return [];
  return [{ row, what, violations: state === 'passed' ? [] : ['failed'] }];
}

const line = ({ row, what, n, violations, figures }: Score): string =>
  `${row.padEnd(4)} n ${String(n ?? 1).padStart(5)}   violations ${violations.length}   ${what}${figures ? ` (${figures})` : ''}\n`;

/** For docs/reliability.md. */
function tableOf(scores: readonly Score[], minutes: number): string {
  const broken = scores.reduce((sum, { violations }) => sum + violations.length, 0);
  const times = scores.reduce((sum, { n = 1 }) => sum + n, 0);
  const when = `${new Date().toISOString().slice(0, 10)}, \`SCORECARD=write npm run test:faults\`, in ${minutes} minutes`;
  const rows = scores.map(({ row, what, n = 1, violations, figures }) =>
    [row, cell(what) + (figures ? ` (${cell(figures)})` : ''), n.toLocaleString('en'), violations.length].join(' | '),
  );
  const summary = `${scores.length} kinds, ${times.toLocaleString('en')} times, ${broken} promises broken: ${when}.`;
  return [summary, ['row | injected | times | broken', '---|---|---:|---:', ...rows].map((row) => `| ${row} |`).join('\n')].join('\n\n');
}

/** Prints what the tests scored when the full counts were asked for; with SCORECARD=write it is kept in the docs. */
export class Scorecard implements Reporter {
  readonly #started = performance.now();

  onTestRunEnd(modules: readonly TestModule[]): void {
    if (!isFull) return;
    const scores = modules
      .flatMap((module) => [...module.children.allTests()])
      .flatMap(scoreOf)
      .toSorted((a, b) => a.row.localeCompare(b.row, 'en', { numeric: true }));
    process.stdout.write(`\nScorecard, ${new Date().toISOString().slice(0, 16)}Z\n${scores.map(line).join('')}\n`);
    const minutes = Math.round((performance.now() - this.#started) / 60_000);
    if (process.env['SCORECARD'] === 'write') writeBetween('docs/reliability.md', 'scorecard', tableOf(scores, minutes));
  }
}
