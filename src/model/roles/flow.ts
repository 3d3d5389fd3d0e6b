/**
 * model: the Stage, one link of the chain that bytes flow through, as data; `system/exec` runs the chain.
 *
 * Neighbouring programs are joined by a kernel pipe, so raw bytes never pass through this process.
 */
import type { Duplex, Readable } from 'node:stream';
import type { Failure } from '../errors.js';

/** How a program ended. `stderr` is its bounded tail, decoded, secrets redacted. */
export interface ProgramExit {
  readonly file: string;
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly stderr: string;
}

export interface ProgramStage {
  readonly kind: 'program';
  /** Absolute path of the program. Never a shell. */
  readonly file: string;
  readonly args: readonly string[];
  /** The whole environment of the child but for the few names `system/exec` always passes (PATH, HOME, locale). */
  readonly env?: Readonly<Record<string, string>>;
  /** It may end well having read all that it needs, before it was told of its input's end: what is left is read all the same. */
  readonly stopsReading?: true;
  /** It has children of its own, which must not outlive it or us. */
  readonly forks?: true;
  /** Turns an unsuccessful end into the Failure to throw. */
  explain(exit: ProgramExit): Failure | Promise<Failure>;
  /** Whether an end with another exit code than 0 is a good one all the same. */
  isGood?(exit: ProgramExit): boolean;
  /** Called with what a *successful* program said on stderr, line by line. */
  warned?(lines: readonly string[]): void;
}

/** A transform inside this process, for where there is no program. */
export interface TransformStage {
  readonly kind: 'transform';
  create(): Duplex;
}

export type Stage = ProgramStage | TransformStage;

/** A running chain. `output` ERRORS when any stage fails, so a pipeline from it can never succeed by mistake. */
export interface Flow {
  readonly output: Readable;
  /** Resolves once every stage ended well and `output` was consumed; rejects with the first stage's Failure. */
  readonly done: Promise<void>;
  /** TERM to every child's process group, KILL after 10 s. */
  stop(reason: Failure): void;
}

/** Runs stages in order; `input` feeds the first, when that one reads; programs keep to `core`. */
export type RunFlow = (stages: readonly Stage[], options?: { input?: Readable; signal?: AbortSignal; core?: number }) => Flow;
