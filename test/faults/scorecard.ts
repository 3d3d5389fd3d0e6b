/**
 * test: the scorecard, a line for each kind of fault: how often it was injected, and how many promises it broke.
 */
import type { Reporter, TestModule } from 'vitest/node';
import { isFull } from '../fixtures/counts.js';

export interface Score {
  /** Rows of the fault matrix: `A2`. */
  readonly row: string;
  readonly what: string;
  readonly n: number;
  readonly violations: readonly string[];
  /** Figures beside the two: `12 records/s`. */
  readonly figures?: string;
}

declare module 'vitest' {
  interface TaskMeta {
    score?: Score;
  }
}

const line = ({ row, what, n, violations, figures }: Score, width: number): string =>
  `${row.padEnd(4)} ${what.padEnd(width)} n ${String(n).padStart(5)}   violations ${violations.length}${figures ? `   ${figures}` : ''}\n`;

/** Prints what the tests scored when the full counts were asked for. */
export class Scorecard implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    if (!isFull) return;
    const scores = modules
      .flatMap((module) => [...module.children.allTests()])
      .flatMap((test) => test.meta().score ?? [])
      .toSorted((a, b) => a.row.localeCompare(b.row, 'en', { numeric: true }));
    const width = Math.max(0, ...scores.map(({ what }) => what.length));
    process.stdout.write(`\nScorecard, ${new Date().toISOString().slice(0, 16)}Z\n${scores.map((score) => line(score, width)).join('')}\n`);
  }
}
