/**
 * system: hands the threads of Node something to do every few seconds, so that nothing which was handed to them before stays forgotten.
 *
 * Seen (Node 20, glibc 2.36): an `lstat` waited for ever while all threads slept, and was answered as soon as the next call came. glibc may
 * lose the signal that wakes a thread (its bug 25847, mended in 2.41).
 */
import { stat } from 'node:fs';

const every = 5000;
let beats = false;

/** From now on, once for this process. It keeps nothing alive. */
export function keepAwake(): void {
  if (beats) return;
  beats = true;
  setInterval(() => stat('/', () => {}), every).unref();
}
