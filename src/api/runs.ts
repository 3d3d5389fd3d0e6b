/**
 * api: what was asked for and takes longer than an answer: a few at once, the others in line. What it does is never its concern, and
 * what goes wrong in one ends nothing but that one.
 */
import { asFailure } from '../model/errors.js';
import type { Log } from '../model/roles/log.js';
import { Refusal } from './problem.js';

/** Each may hold a connection to a server before it finds that there is no place for it. */
const atOnce = 8;
const longestLine = 200;
/** Rehearsals and proofs, each of which may start a server. */
const mostCostly = 2;

type Deed = () => Promise<unknown>;

export class Runs {
  readonly #log: Log;
  readonly #line: Deed[] = [];
  readonly #running = new Set<Promise<unknown>>();
  readonly #openings = new Map<string, Promise<unknown>>();
  #costly = 0;
  #closed = false;

  constructor(log: Log) {
    this.#log = log;
  }

  /** Throws 429 when the line is too long already. */
  refuseWhenFull(): void {
    if (this.#line.length >= longestLine) throw new Refusal(429, { detail: `${this.#line.length} backups are in line` });
  }

  add(deed: Deed): void {
    this.#line.push(deed);
    this.#next();
  }

  /** The deed of a key is done once at a time: who comes meanwhile gets what it comes to. */
  async once<T>(key: string, deed: () => Promise<T>): Promise<T> {
    // what lies under a key was put there by the same kind of deed
    const known = this.#openings.get(key) as Promise<T> | undefined;
    const opening = known ?? deed().finally(() => this.#openings.delete(key));
    this.#openings.set(key, opening);
    return opening;
  }

  /** Does it while somebody waits for it. Throws 429 when too many do. */
  async costly<T>(deed: () => Promise<T>): Promise<T> {
    if (this.#costly >= mostCostly) throw new Refusal(429, { detail: `${this.#costly} such are under way` });
    this.#costly += 1;
    const run = deed().finally(() => {
      this.#costly -= 1;
      this.#running.delete(run);
    });
    this.#running.add(run);
    return run;
  }

  /** Begins nothing more; resolves when what runs is done. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#running);
  }

  #next(): void {
    if (this.#closed || this.#running.size >= atOnce) return;
    const deed = this.#line.shift();
    if (!deed) return;
    const run = this.#survive(deed).finally(() => {
      this.#running.delete(run);
      this.#next();
    });
    this.#running.add(run);
  }

  async #survive(deed: Deed): Promise<void> {
    try {
      await deed();
    } catch (error) {
      this.#log('error', `a run ended with: ${asFailure(error).message}`);
    }
  }
}
