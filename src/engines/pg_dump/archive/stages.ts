/**
 * engines: the programs of the dump as stages, with what their ends mean.
 */
import { basename } from 'node:path';
import { Transform } from 'node:stream';
import type { Installed } from '../../../model/backup/client-choice.js';
import { Failure, type FailureCode } from '../../../model/errors.js';
import type { ProgramExit, ProgramStage, Stage } from '../../../model/roles/flow.js';
import { classifyServerMessage } from '../../../model/sqlstate.js';

/** What a program complained of, without its name in front, with what stands in the way, but no row's values; at most a few lines, each once. */
export function complaints(stderr: string): string {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '');
  const errors = lines.filter((line) => /error:|fatal:|^DETAIL: .* depends on /i.test(line));
  const said = (errors.length > 0 ? errors : lines.slice(-3)).map((line) => line.replace(/^\S*pg_\w+: (error: )?/, ''));
  return [...new Set(said)].slice(0, 5).join('; ').slice(0, 2000);
}

/** The Failure that an unsuccessful end stands for; `fallback` where the messages say nothing known. */
export function explainExit(name: string, exit: ProgramExit, fallback: FailureCode): Failure {
  const program = basename(exit.file);
  if (exit.signal) return new Failure('engine-killed', `${name}: ${program} was killed by ${exit.signal}`);
  if (/worker process died/.test(exit.stderr)) return new Failure('engine-killed', `${name}: one of the processes of ${program} died`);
  const said = complaints(exit.stderr) || `exit code ${exit.exitCode ?? 'none'} and no message`;
  return new Failure(classifyServerMessage(exit.stderr) ?? fallback, `${name}: ${program} failed: ${said}`);
}

/** The last line of every text of pg_dumpall. */
const trailer = /^-- PostgreSQL database cluster dump complete$/m;

/** Swallows SQL text and fails unless it ends as pg_dumpall ends it. */
function trailerCheck(): Transform {
  let tail = '';
  return new Transform({
    transform: (data: Buffer, _encoding, next) => {
      tail = (tail + data.toString('latin1')).slice(-200);
      next();
    },
    flush: (next) =>
      next(trailer.test(tail) ? null : new Failure('archive', 'the globals end before their last line: the text is cut short')),
  });
}

/** Reads the text of the globals to its very end. */
export const globalsCheck: Stage = { kind: 'transform', create: trailerCheck };

/** Reads an archive to its very end, from its input or the directory at `path`, and fails when anything is wrong with it. */
export function archiveStage(client: Installed, path?: string): ProgramStage {
  return {
    kind: 'program',
    file: client.file('pg_restore'),
    stopsReading: true,
    args: ['--file=/dev/null', ...(path === undefined ? [] : [path])],
    explain: (exit) => {
      const failure = explainExit('the archive', exit, 'archive');
      if (/unsupported version/.test(exit.stderr)) return new Failure('client-too-old', failure.message);
      return failure.code === 'engine-killed' ? failure : new Failure('archive', failure.message);
    },
  };
}
