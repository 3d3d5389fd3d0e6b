/**
 * cli: `guard -- COMMAND`, a proven backup, then the command; its exit code, and the way back when it fails.
 */
import type { Command } from 'commander';
import { addCommand, run } from '../command.js';
import { say, type GlobalOptions } from '../render.js';
import { stopSignal } from '../signals.js';
import { openWork } from '../work.js';

const help = {
  examples: [
    [
      'guard -- ./migrate.sh',
      'backs up every database, proves the archives, then runs the migration; when that fails, says how to get back',
    ],
    ['guard --database shop -- psql -f change.sql', 'guards one database only'],
  ],
  exits: {
    2: 'no command, no such program or database',
    10: 'configuration',
    20: 'no backup, so the command was not run',
    21: 'no backup, so the command was not run',
    75: 'too many backups are running, so the command was not run',
    1: "the command's own, whatever it is",
  },
} as const;

async function body(options: { database?: string } & GlobalOptions, command: string[]): Promise<number> {
  const { context } = await openWork(options);
  const [{ guard }, { runOnTerminal }] = await Promise.all([import('../../core/guard.js'), import('../../wire/run.js')]);
  const commands = await guard(context, options.database === undefined ? {} : { database: options.database });
  const wayBack = commands.map((line) => (options.config === undefined ? line : `${line} --config ${JSON.stringify(options.config)}`));
  say(`the backup is proven; running: ${command.join(' ')}`, options);
  const code = await runOnTerminal(command, stopSignal());
  // not to be silenced: it is what the backup was made for
  if (code !== 0)
    say(`the command ended with exit code ${code}; to have the data as it was before:\n  ${wayBack.join('\n  ')}`, { quiet: false });
  return code;
}

export function guardCommand(program: Command): void {
  addCommand(program, 'guard', 'a proven backup, then a command; the way back when it fails', help)
    .argument('<command...>', 'what to run, after --')
    .option('--database <name>', 'guard only this entry of `databases`, or this member of a cluster')
    .action(run(body));
}
