/**
 * test: the last line of a run, for people and for machines, and what was skipped and why.
 */
import type { Reporter, TestCase, TestModule } from 'vitest/node';

const stateOf = (test: TestCase): string => test.result().state;

/** Why: the note given when skipping, else the name says it. */
function describeSkipped(test: TestCase): string {
  const result = test.result();
  const note = result.state === 'skipped' && result.note ? `: ${result.note}` : '';
  return `skipped: ${test.module.relativeModuleId} > ${test.fullName}${note}\n`;
}

export class LastLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const count = (state: string) => tests.filter((test) => stateOf(test) === state).length;
    // a file that could not even be loaded has no tests to fail
    const broken = modules.filter((module) => module.errors().length > 0).length;
    const skipped = tests.filter((test) => stateOf(test) === 'skipped');
    process.stdout.write(skipped.map(describeSkipped).join(''));
    process.stdout.write(
      `${count('passed')} passed, ${count('failed') + broken + unhandledErrors.length} failed, ${skipped.length} skipped\n`,
    );
  }
}
