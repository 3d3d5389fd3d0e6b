/**
 * cli: `demo`: the real commands one after the other, on a throwaway PostgreSQL with a sample database. Touches nothing of the user's.
 */
import type { Command } from 'commander';
import type { ChalkInstance } from 'chalk';
import { asFailure, Failure } from '../../../model/errors.js';
import { formatDuration } from '../../../model/units.js';
import type { Demo } from '../../../wire/demo.js';
import { addCommand, run } from '../../command.js';
import { paintFor, type GlobalOptions, type Outcome } from '../../render.js';
import { stopSignal } from '../../signals.js';

const customers = 4000;

/** Open at any hour, content with a small disk. */
const configuration = {
  databases: { shop: { url: 'env:DATABASE_URL' } },
  backupWindow: { start: '00:00', end: '00:00' },
  conditions: { minDiskSpace: 0.1 },
  schedules: { nightly: { cron: '0 2 * * *' } },
};

/** What is typed, what it shows, and the greatest exit code that is no failure. */
const commands = [
  { typed: ['execute'], about: 'One backup, read back whole before it counts.', worst: 0 },
  { typed: ['backups'], about: 'What there is to restore from, and how far each is proven.', worst: 0 },
  { typed: ['verify'], about: 'The proof: restored into a server of its own, every row counted again.', worst: 0 },
  { typed: ['events'], about: 'What happened, from a ledger that nobody can rewrite unnoticed.', worst: 0 },
  { typed: ['statistics'], about: 'The same ledger in figures.', worst: 0 },
  { typed: ['health'], about: 'Whether database, storage and automation are well: for people and monitoring.', worst: 1 },
] as const;

const farewell = (paint: ChalkInstance): string =>
  [
    '',
    'Server, database and backups of the demo are gone again. For one of yours:',
    '',
    `  ${paint.bold('$ npm install -g .')}                    the command, from this folder (not as root: add --prefix ~/.local)`,
    `  ${paint.bold('$ export DATABASE_URL=postgresql://USER@HOST/DATABASE')}`,
    `  ${paint.bold('$ backup-automation test')}              a full rehearsal that changes nothing`,
    `  ${paint.bold('$ backup-automation execute --force')}   a backup now, at any hour`,
  ].join('\n');

interface Stage {
  readonly demo: Demo;
  readonly paint: ChalkInstance;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

async function load({ demo, paint, say, signal }: Stage): Promise<void> {
  const { shopSteps } = await import('./shop.js');
  say(`PostgreSQL ${demo.serverVersion} runs in a folder of its own; loading a sample database:`);
  for (const { what, sql } of shopSteps(customers)) {
    const started = performance.now();
    await demo.sql(sql);
    signal.throwIfAborted();
    say(`  ${paint.green('✔')} ${what} ${paint.dim(`(${formatDuration(performance.now() - started)})`)}`);
  }
}

interface Step {
  readonly command: string;
  readonly exitCode: number | null;
  readonly duration: number;
}

/** Looks are handed on; what is shown as typed stays plain. */
const looks = (options: GlobalOptions): string[] => [
  ...(options.color ? [] : ['--no-color']),
  ...(options.quiet ? ['--quiet'] : []),
  ...(options.verbose ? ['--verbose'] : []),
];

async function perform({ demo, paint, say, signal }: Stage, options: GlobalOptions): Promise<Step[]> {
  const steps: Step[] = [];
  for (const { typed, about, worst } of commands) {
    const command = `backup-automation ${typed.join(' ')}`;
    say(`\n${paint.dim(`# ${about}`)}\n${paint.bold(`$ ${command}`)}`);
    const started = performance.now();
    const exitCode = await demo.run([...typed, ...looks(options)]);
    signal.throwIfAborted();
    steps.push({ command, exitCode, duration: Math.round(performance.now() - started) });
    if (exitCode === null || exitCode > worst)
      throw new Failure('failed', `\`${command}\` ended with ${exitCode ?? 'a signal'} in the demo`, { hint: 'its own message is above' });
  }
  return steps;
}

async function demonstrate(options: GlobalOptions): Promise<Outcome> {
  const signal = stopSignal();
  const stdout = options.json ? 'stderr' : 'stdout';
  const paint = paintFor(process[stdout], options);
  const say = (line: string) => void process[stdout].write(`${line}\n`);
  const { openDemo } = await import('../../../wire/demo.js');
  const demo = await openDemo({ configuration, stdout, signal, say });
  try {
    const stage = { demo, paint, say, signal };
    await load(stage);
    return { document: { ok: true, steps: await perform(stage, options) }, text: farewell };
  } catch (error) {
    return { document: { ok: false }, text: () => '', failure: asFailure(error) };
  } finally {
    await demo.close();
  }
}

/** Adds `demo`. */
export function demoCommand(program: Command): void {
  addCommand(program, 'demo', 'show the whole path on a throwaway PostgreSQL: back up, prove, look', {
    examples: [
      ['demo', 'finds PostgreSQL or fetches a private copy, and runs the main commands on a sample database'],
      ['demo --json', 'the same, all talk on stderr, what was run and how it ended as one document'],
    ],
    exits: { 1: 'a command of the demo failed', 22: 'there is no PostgreSQL, and none can be fetched', 130: 'interrupted' },
  }).action(run(demonstrate));
}
