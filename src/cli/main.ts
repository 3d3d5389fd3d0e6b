/**
 * cli: the front door. Knows every command by name, turns commander's own errors into exit code 2, and nothing else.
 */
import { Command, CommanderError } from 'commander';
import { withGlobalOptions } from './command.js';

export async function main(argv: readonly string[]): Promise<void> {
  const program = withGlobalOptions(new Command('backup-automation'))
    .description('Automates PostgreSQL backups and proves that each one restores')
    .version(VERSION)
    .exitOverride()
    .showSuggestionAfterError();
  try {
    await program.parseAsync(argv);
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  }
}

declare const VERSION: string;
