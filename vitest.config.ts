import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { Scorecard } from './test/faults/scorecard.js';
import { LastLine } from './test/reporter.js';
import { PatientFirst } from './test/sequencer.js';

const { version } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8')) as { version: string };

export default defineConfig({
  define: { VERSION: JSON.stringify(version) },
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['node_modules/**'],
    globalSetup: ['test/global-setup.ts'],
    reporters: ['default', new Scorecard(), new LastLine()],
    testTimeout: process.env['FAULTS'] === 'full' ? 900_000 : 180_000,
    hookTimeout: 180_000,
    // one more than cores: there is always one that waits for a server, a lock or a minute; not many more, for they share places
    maxWorkers: Math.min(availableParallelism() + 1, 4),
    // real servers, real processes and real minutes on a machine that others use too: CI tries a failed test once more, and says so
    retry: process.env['CI'] ? 1 : 0,
    sequence: { sequencer: PatientFirst },
  },
});
