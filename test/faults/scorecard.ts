/**
 * test: the scorecard, a line for each kind of fault: how often it was injected, and how many promises it broke.
 */
import type { Reporter, TestCase, TestModule } from 'vitest/node';
import { cell, writeBetween } from '../docs/marked.js';
import { countOf } from '../../src/model/units.js';
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

/** A test named after a row, `E4: ...`, or in a group that is, counts once for it when it gives no score of its own. One that failed is never without violation. */
function scoreOf(test: TestCase): Score[] {
  const { score } = test.meta();
  if (score) return [test.ok() || score.violations.length > 0 ? score : { ...score, violations: ['failed'] }];
  const names = test.fullName.split(' > ').map((name) => /^([A-K]\d+)[^:]*: (.*)/.exec(name));
  const [, row, what] = names.findLast((found) => found !== null) ?? [];
  const { state } = test.result();
  if (row === undefined || what === undefined || state === 'skipped') return [];
  return [{ row, what, violations: state === 'passed' ? [] : ['failed'] }];
}

const line = ({ row, what, n, violations, figures }: Score): string =>
  `${row.padEnd(4)} n ${String(n ?? 1).padStart(5)}   violations ${violations.length}   ${what}${figures ? ` (${figures})` : ''}\n`;

const figured = ({ what, figures }: Score): string => what + (figures ? ` (${figures})` : '');

/** A line for each row of the matrix: what was counted by itself, and how many other cases there were. */
function lineOf(row: string, scores: readonly Score[]): string {
  const counted = scores.filter(({ n }) => n !== undefined);
  const told = counted.length > 0 ? counted : scores.slice(0, 1);
  const others = scores.length - told.length;
  const what = [...told.map(figured), ...(others > 0 ? [countOf(others, 'other case')] : [])].join('; ');
  const times = scores.reduce((sum, { n = 1 }) => sum + n, 0);
  const broken = scores.reduce((sum, { violations }) => sum + violations.length, 0);
  return `| ${row} | ${cell(what)} | ${times.toLocaleString('en')} | ${broken} |`;
}

/** For docs/reliability.md. */
function tableOf(scores: readonly Score[], when: string): string {
  const broken = scores.reduce((sum, { violations }) => sum + violations.length, 0);
  const times = scores.reduce((sum, { n = 1 }) => sum + n, 0);
  const rows = [...new Set(scores.map(({ row }) => row))].map((row) =>
    lineOf(
      row,
      scores.filter((one) => one.row === row),
    ),
  );
  const summary = `${scores.length} kinds, ${times.toLocaleString('en')} times, ${countOf(broken, 'promise')} broken: ${when}.`;
  return [summary, ['| row | injected | times | broken |', '|---|---|---:|---:|', ...rows].join('\n')].join('\n\n');
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
    const when = `${new Date().toISOString().slice(0, 10)}, \`SCORECARD=write npm run test:faults\`, in ${minutes} minutes`;
    if (process.env['SCORECARD'] === 'write') writeBetween('docs/reliability.md', 'scorecard', tableOf(scores, when));
  }
}
