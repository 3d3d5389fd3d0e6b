/**
 * cli: shows on stderr what the core announces: a spinner and ticks on a terminal, plain lines elsewhere. Never on stdout.
 */
import { isTerminal } from '../../model/events/event.js';
import { harmless, oneLine } from '../../model/harmless.js';
import { stepWords, type Announce } from '../../model/roles/progress.js';
import { redact } from '../../model/redact.js';
import { formatBytes, formatDuration } from '../../model/units.js';
import { paintFor, type GlobalOptions } from '../render.js';

/** `stop` finishes the last line, ticked or crossed, and leaves the cursor on a line of its own. */
export type Listener = Announce & { stop(good?: boolean): void };

interface Step {
  readonly name: string;
  /** Milliseconds of the given clock. */
  readonly since: number;
  bytes: number;
  total: number | null;
  toldAt: number;
}

/** Where lines go: `say` stays, `show` is the one line that changes. */
interface Screen {
  readonly showEvery: number;
  say(line: string): void;
  show(text: string): void;
  stop(): void;
}

const write = (line: string) => process.stderr.write(`${line}\n`);

/** A line every half minute is enough where nobody watches. */
const plain: Screen = { showEvery: 30_000, say: write, show: write, stop: () => {} };

/** ora is loaded while the first step runs, for it costs as much as the rest of the start; it keeps other lines off its own. */
function lively(): Screen {
  let text = '';
  let stopped = false;
  const spinner = import('ora').then(({ default: ora }) => {
    const made = ora({ stream: process.stderr, interval: 100, discardStdin: false });
    return stopped ? made : made.start(text);
  });
  let loaded: Awaited<typeof spinner> | null = null;
  spinner.then((made) => (loaded = made)).catch(() => {});
  return {
    showEvery: 100,
    say: write,
    show(line) {
      text = line.slice(0, Math.max(10, process.stderr.columns - 3));
      if (loaded) loaded.text = text;
    },
    stop() {
      stopped = true;
      loaded?.stop();
    },
  };
}

/** `1.2 GB, 98 MB/s, 43 %, 1m 20s left`: the latter two where the total is known and not yet passed. */
function amount({ bytes, total, since }: Step, now: number): string {
  if (bytes === 0) return '';
  const elapsed = now - since;
  const parts = [formatBytes(bytes)];
  if (elapsed > 0) parts.push(`${formatBytes((bytes / elapsed) * 1000)}/s`);
  if (total !== null && bytes <= total) {
    parts.push(`${Math.floor((bytes / total) * 100)} %`);
    if (elapsed > 1000) parts.push(`${formatDuration(((total - bytes) / bytes) * elapsed)} left`);
  }
  return parts.join(', ');
}

const silent: Listener = Object.assign(() => {}, { stop: () => {} });

/** There is one terminal, so there is one listener to stop when a command ends. */
let current: Listener = silent;
export const stopListening = (good: boolean): void => current.stop(good);

/** What to give to the core as its `announce`. `now` counts milliseconds. */
export function listen(options: GlobalOptions, now: () => number = () => performance.now()): Listener {
  if (options.quiet) return silent;
  // plain lines too where colours are not wanted, and where the width is unknown: ora clears without end at 0 columns
  const paint = paintFor(process.stderr, options);
  const watched = process.stdout.isTTY && paint.level > 0 && process.stderr.columns > 0;
  const screen = watched ? lively() : plain;
  const steps = new Map<string, Step>();

  const finish = (database: string, good: boolean) => {
    const step = steps.get(database);
    steps.delete(database);
    if (!step || !watched) return;
    const took = [formatDuration(now() - step.since), step.bytes ? formatBytes(step.bytes) : ''].filter(Boolean).join(', ');
    screen.say(`${good ? paint.green('✔') : paint.red('✖')} ${step.name} ${paint.dim(`(${took})`)}`);
  };
  const begin = (database: string, name: string) => {
    if (steps.get(database)?.name === name) return;
    finish(database, true);
    steps.set(database, { name, since: now(), bytes: 0, total: null, toldAt: now() });
    screen.show(name);
  };
  const count = (database: string, bytes: number, total: number | null) => {
    const step = steps.get(database);
    if (!step) return;
    Object.assign(step, { bytes, total });
    if (now() - step.toldAt < screen.showEvery) return;
    step.toldAt = now();
    screen.show(`${step.name}: ${amount(step, now())}`);
  };
  const stop = (good = true) => {
    for (const database of steps.keys()) finish(database, good);
    screen.stop();
    if (current === listener) current = silent;
  };

  const hear: Announce = (progress) => {
    if (progress.kind === 'bytes') return count(progress.database, progress.bytes, progress.total);
    if (progress.kind === 'warning')
      return screen.say(
        `${paint.yellow('warning:')} ${harmless(redact(`${progress.database === null ? '' : `${progress.database}: `}${progress.message}`))}`,
      );
    if (progress.kind === 'step')
      return begin(progress.database, oneLine(redact(`${progress.database}: ${stepWords[progress.step]} ${progress.detail}`.trim())));
    if (isTerminal(progress.event.status)) finish(progress.event.database, progress.event.status === 'completed');
  };
  const listener = Object.assign(hear, { stop });
  current = listener;
  return listener;
}
