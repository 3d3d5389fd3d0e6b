/**
 * cli: `serve`, the REST API. It starts it, and says where it listens.
 */
import { Option, type Command } from 'commander';
import { asFailure } from '../../model/errors.js';
import { addCommand, duration, run } from '../command.js';
import { say, type GlobalOptions } from '../render.js';
import { stopSignal } from '../signals.js';

interface Options extends GlobalOptions {
  readonly schedule?: boolean;
  readonly insecure?: boolean;
  readonly grace: number;
}

/** A bug in one run ends that run, not the server. */
function outlive(options: GlobalOptions): void {
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.removeAllListeners(event);
    process.on(event, (error: unknown) => say(`error: ${asFailure(error).message}`, options));
  }
}

async function body(options: Options): Promise<number> {
  const { serve } = await import('../../api/serve.js');
  const signal = stopSignal();
  outlive(options);
  const { schedule = false, insecure = false } = options;
  await serve({ ...options, schedule, insecure, signal, say: (line) => say(line, options) });
  return 0;
}

const grace = new Option('--grace <duration>', 'how long running backups may go on after SIGTERM, before they are cancelled')
  .argParser(duration)
  .default(60_000, '1m');

export function serveCommand(program: Command): void {
  addCommand(program, 'serve', 'the REST API; with --schedule it does what is due as well, in the place of cron', {
    examples: [
      ['serve', 'listens on 127.0.0.1:8484, for whoever has a token (`backup-automation token create`)'],
      ['serve --schedule', 'one process for everything: no entry in cron is needed'],
    ],
    exits: {
      2: 'wrong usage',
      10: 'configuration: no token, no TLS beyond loopback, a port that is taken',
      74: 'the ledger cannot be read',
      143: 'a second signal ended it at once',
    },
  })
    .option('--schedule', 'do what is due every minute')
    .option('--insecure', 'ask nobody for a token: everybody on this machine may do everything; on loopback alone')
    .addOption(grace)
    .action(run(body));
}
