/**
 * system: an end in time for work that waits for someone else; it starts nothing and repeats nothing.
 */

/**
 * Runs `work` with a signal that aborts when `signal` does, or after `ms`. Rejects with the signal's reason, or with an Error that names
 * the time, as soon as `work` gives up.
 */
export async function within<T>(ms: number, signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  signal.throwIfAborted();
  const controller = new AbortController();
  const end = () => controller.abort(signal.reason);
  const timer = setTimeout(() => controller.abort(new Error(`no answer within ${Math.ceil(ms / 1000)} s`)), ms);
  signal.addEventListener('abort', end, { once: true });
  try {
    return await work(controller.signal);
  } catch (error) {
    controller.signal.throwIfAborted();
    throw error;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', end);
  }
}
