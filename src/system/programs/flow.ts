/**
 * system: runs a chain of stages so that it can never end well when one of them did not.
 *
 * Measured: piping a child's stdout SUCCEEDS when the child fails, so the output here ends only after every exit status
 * was seen to be 0, and errors otherwise.
 */
import { Transform, type Readable, type Writable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { asFailure, Failure } from '../../model/errors.js';
import type { ProgramExit, ProgramStage, RunFlow, Stage } from '../../model/roles/flow.js';
import { start, type Running } from './exec.js';
import { errnoOf } from '../files/files.js';

/** A program is asked to stop by TERM, and gets KILL this much later. */
const patience = 10_000;
/** Read and hand on in large pieces: every piece costs a turn of the event loop. */
const piece = 1024 * 1024;

const wentWell = (stage: ProgramStage, exit: ProgramExit): boolean =>
  exit.signal === null && (exit.exitCode === 0 || stage.isGood?.(exit) === true);
/** 141 is what a shell makes of SIGPIPE. */
const lostItsReader = (exit: ProgramExit): boolean =>
  exit.signal === 'SIGPIPE' || exit.exitCode === 141 || /broken pipe|connection reset/i.test(exit.stderr);

/** The failure to report: the first in the chain, but a stage that only lost its reader points at the one behind it. */
async function verdict(programs: readonly Running[]): Promise<Failure | null> {
  const ends = await Promise.all(programs.map(async ({ stage, exit }) => ({ stage, exit: await exit })));
  for (const { stage, exit } of ends) {
    const lines = exit.stderr.split('\n').filter(Boolean);
    if (wentWell(stage, exit) && lines.length > 0) stage.warned?.(lines);
  }
  const failed = ends.filter(({ stage, exit }) => !wentWell(stage, exit));
  const culprit = failed.find(({ exit }) => !lostItsReader(exit)) ?? failed.at(-1);
  return culprit ? culprit.stage.explain(culprit.exit) : null;
}

/** What a source is told when its reader is gone. */
const fromBehind = new Set(['EPIPE', 'ECONNRESET', 'ERR_STREAM_PREMATURE_CLOSE']);

/**
 * Hands a source to a program that may stop reading. When it ended well, the source is read to its own end, for who counts and hashes
 * it; when not, there is no use in the rest.
 */
async function feed(source: Readable, { stage, stdin, exit }: Running): Promise<void> {
  if (!stdin) return;
  stdin.once('close', () => {
    source.unpipe(stdin);
    void exit.then((how) => (wentWell(stage, how) ? source.resume() : source.destroy()));
  });
  source.pipe(stdin);
  try {
    await finished(source, { writable: false });
  } catch (error) {
    stdin.destroy();
    throw error;
  }
}

/** Joins a source inside this process to what is behind it. */
const join = (source: Readable, behind: Writable, reader: Running | undefined): Promise<void> =>
  reader?.stage.stopsReading ? feed(source, reader) : pipeline(source, behind);

/** What broke: bytes that a transform cannot make sense of, or the source that was to give them. */
type OnBreak = (error: unknown, code: 'archive' | 'storage') => void;

interface Chain {
  readonly programs: Running[];
  readonly tail: Readable;
  /** Joints that run inside this process. */
  readonly joints: Promise<void>[];
}

/**
 * Starts the stages from the last to the first, so that each can be given its reader's own descriptor. `onBreak` hears of a source
 * inside this process that failed, before the stage behind it can see the end of its input.
 */
function assemble(stages: readonly Stage[], { input, core }: { input?: Readable; core?: number }, onBreak: OnBreak): Chain {
  const programs: Running[] = [];
  const joints: Promise<void>[] = [];
  let head: Writable | null = null;
  let tail: Readable | null = null;
  let behindIsProgram = false;
  for (const [index, stage] of [...stages.entries()].toReversed()) {
    const behind: Writable | null = head;
    let stdout: Readable | null;
    if (stage.kind === 'transform') {
      const duplex = stage.create();
      stdout = duplex;
      head = duplex;
      duplex.once('error', (error) => onBreak(error, 'archive'));
    } else {
      const stdin = index > 0 || input ? 'pipe' : 'ignore';
      const running = start(stage, stdin, behindIsProgram && behind ? behind : 'pipe', core);
      programs.unshift(running);
      ({ stdout, stdin: head } = running);
      head?.on('error', () => {});
      if (behindIsProgram) behind?.destroy();
    }
    if (behind && stdout && !(stage.kind === 'program' && behindIsProgram))
      joints.push(join(stdout, behind, behindIsProgram ? programs[0] : undefined));
    tail ??= stdout;
    behindIsProgram = stage.kind === 'program';
  }
  if (!tail) throw new Failure('internal', 'a flow without stages');
  if (input && head) {
    input.once('error', (error) => onBreak(error, 'storage'));
    joints.push(join(input, head, behindIsProgram ? programs[0] : undefined));
  }
  return { programs, tail, joints };
}

/** See `Flow`: the output errors, and `done` rejects, whenever any stage did not end well. */
export const runFlow: RunFlow = (stages, options = {}) => {
  // a program must not take the break for the end, and seal or load what it has: it is killed before its input is closed
  const onBreak: OnBreak = (error, code) => {
    if (!fromBehind.has(errnoOf(error))) stop(asFailure(error, code), 'SIGKILL');
  };
  const { programs, tail, joints } = assemble(stages, options, onBreak);
  let stopped: Failure | null = null;
  let over = false;
  let timer: NodeJS.Timeout | undefined;

  const signalAll = (name: NodeJS.Signals) => programs.forEach((program) => program.signal(name));
  const stop = (reason: Failure, first: NodeJS.Signals = 'SIGTERM') => {
    if (stopped) return;
    stopped = reason;
    if (!over) {
      signalAll(first);
      timer = setTimeout(() => signalAll('SIGKILL'), patience);
    }
    output.destroy(reason);
    options.input?.destroy();
  };
  const onAbort = () => stop(asFailure(options.signal?.reason, 'interrupted'));

  const joined = Promise.allSettled(joints);
  const ended = verdict(programs).then(async (failure) => {
    const broken = (await joined).find((joint) => joint.status === 'rejected');
    over = true;
    clearTimeout(timer);
    options.signal?.removeEventListener('abort', onAbort);
    const reason = stopped ?? failure ?? (broken ? asFailure(broken.reason, 'engine') : null);
    if (reason) throw reason;
  });

  const output = new Transform({
    readableHighWaterMark: piece,
    writableHighWaterMark: piece,
    transform: (data, _encoding, next) => next(null, data),
    flush: (next) => void ended.then(() => next(), next),
    destroy: (error, next) => {
      if (error) stop(asFailure(error));
      next(error);
    },
  });
  output.on('error', () => {});
  ended.catch((error: unknown) => output.destroy(asFailure(error)));
  const consumed = pipeline(tail, output);
  consumed.catch(() => {});
  const done = ended.then(() => consumed);
  done.catch(() => {});

  if (options.signal?.aborted) onAbort();
  else options.signal?.addEventListener('abort', onAbort, { once: true });
  return { output, done, stop };
};
