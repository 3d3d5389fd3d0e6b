/**
 * api: the overview and the health as they were a moment ago, so that looking at the page, from however many screens, asks little of
 * storages and nothing of databases.
 */
import { msPerMinute, msPerSecond } from '../../model/units.js';
import type { Clock } from '../../model/roles/clock.js';

/** What was found, and when. */
export interface Found<T> {
  readonly value: T;
  readonly at: Date;
}

/** Looks again no sooner than `rest` ms after, and ten times as long as the look itself took, a minute at most. */
export class Overlook<T> {
  readonly #clock: Pick<Clock, 'now' | 'monotonic'>;
  readonly #look: () => Promise<T>;
  readonly #rest: number;
  #last: Promise<Found<T>> | null = null;
  #until = 0;

  constructor(clock: Pick<Clock, 'now' | 'monotonic'>, look: () => Promise<T>, rest: number = 3 * msPerSecond) {
    this.#clock = clock;
    this.#look = look;
    this.#rest = rest;
  }

  /** Who asks meanwhile gets what is being found. */
  find(): Promise<Found<T>> {
    if (this.#last && this.#clock.monotonic() < this.#until) return this.#last;
    this.#until = Number.POSITIVE_INFINITY;
    const began = this.#clock.monotonic();
    const found = this.#look().then((value) => ({ value, at: this.#clock.now() }));
    found.then(
      () => {
        if (this.#last !== found) return;
        const now = this.#clock.monotonic();
        this.#until = now + Math.min(msPerMinute, Math.max(this.#rest, 10 * (now - began)));
      },
      () => this.#last === found && this.forget(),
    );
    this.#last = found;
    return found;
  }

  /** Something happened: the next one looks. */
  forget(): void {
    this.#last = null;
  }
}
