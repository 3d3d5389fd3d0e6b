/**
 * cli: `test`, the full rehearsal, a line a step as it happens.
 */
import type { Command } from 'commander';
import type { Context } from '../../core/context.js';
import type { RehearsalStep } from '../../core/rehearse.js';
import { Failure } from '../../model/errors.js';
import { harmless } from '../../model/harmless.js';
import { redact } from '../../model/redact.js';
import { formatDuration } from '../../model/units.js';
import { addCommand, run } from '../command.js';
import { paintFor, say, width, type GlobalOptions, type Outcome } from '../render.js';
import { openWork } from '../work.js';

const help = {
  examples: [
    ['test', 'tries storages, connections, conditions and tools, then dumps, restores and compares the schema of each database'],
    ['test --alerts', 'sends a test message to every channel, and tells which took it'],
    ['test --adopt local', "takes over a storage whose marker is missing or another one's, after you looked"],
  ],
  exits: { 1: 'a step failed', 2: 'no such storage', 10: 'configuration', 21: 'the storage cannot be adopted' },
} as const;

async function adopt(context: Context, name: string): Promise<Outcome> {
  const storage = context.storages.find((one) => one.name === name);
  if (!storage)
    throw new Failure('not-found', `there is no storage "${name}"`, {
      hint: `there are: ${context.storages.map((one) => one.name).join(', ')}`,
    });
  await storage.adopt();
  const { detail } = await storage.probe();
  return {
    document: { ok: true, steps: [{ name: `adopt ${name}`, ok: true, detail, duration: 0 }] },
    text: () => `adopted ${name}: ${detail}`,
  };
}

async function body(options: { adopt?: string; alerts?: boolean } & GlobalOptions): Promise<Outcome> {
  const { context } = await openWork(options);
  if (options.adopt !== undefined) return adopt(context, options.adopt);
  const paint = paintFor(process.stderr, options);
  const { hanging } = await import('../show/table.js');
  const tell = ({ name, ok, detail, duration }: RehearsalStep) => {
    const verdict = ok ? paint.green('ok    ') : paint.red('FAILED');
    const headline = `${verdict} ${paint.bold(name)} ${paint.dim(formatDuration(duration))}`;
    say(hanging(headline, harmless(redact(detail)), 7, width(process.stderr)), options);
  };
  const quiet = { ...context, announce: () => {} };
  const steps = options.alerts
    ? await (await import('../../core/notify/proof.js')).proveChannels(quiet, tell)
    : (await (await import('../../core/rehearse.js')).rehearse(quiet, tell)).steps;
  const failure = (await import('../../core/rehearse.js')).shortcoming(steps);
  const ok = failure === undefined;
  return { document: { ok, steps }, text: () => (ok ? `all ${steps.length} steps passed` : ''), failure };
}

export function testCommand(program: Command): void {
  addCommand(program, 'test', 'rehearse everything that a backup and its restore need; nothing of it lasts', help)
    .option('--adopt <storage>', 'take over a storage whose marker is missing or another')
    .option('--alerts', 'send a test message to every channel instead')
    .action(run(body));
}
