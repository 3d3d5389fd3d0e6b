/**
 * codecs: a codec's program as a stage; what all of them have in common, and never a codec itself.
 */
import { basename } from 'node:path';
import { Failure } from '../model/errors.js';
import type { ProgramStage } from '../model/roles/flow.js';

export const programStage = (file: string, args: readonly string[]): ProgramStage => ({
  kind: 'program',
  file,
  args,
  explain: (exit) => {
    const how = exit.signal ? `was killed by ${exit.signal}` : `failed with exit code ${exit.exitCode}`;
    return new Failure(
      exit.signal ? 'engine-killed' : 'archive',
      `${basename(file)} ${how}: ${exit.stderr.split('\n').at(-1) || 'no message'}`,
    );
  },
});
