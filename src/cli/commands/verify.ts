/**
 * cli: `verify`, proves backups: their bytes, their whole archive, or a real restore that is compared.
 */
import { Option, type Command } from 'commander';
import { Failure } from '../../model/errors.js';
import { levels, type Level } from '../../model/backup/level.js';
import { addCommand, run } from '../command.js';
import { width, type GlobalOptions, type Outcome } from '../render.js';
import { openWork } from '../work.js';

interface Options {
  readonly level: Level;
  readonly all?: boolean;
  readonly database?: string;
  readonly keys?: boolean;
  readonly identity?: string;
}

const help = {
  examples: [
    ['verify', 'restores the newest backup of each database on a throwaway server and compares it'],
    ['verify latest --level archive', 'reads the whole archive of the newest backup, without a restore'],
    ['verify --all --level checksum', 'reads every stored byte of every backup'],
    ['verify --keys --identity /mnt/stick/age.key', 'proves that a key kept elsewhere opens what is sealed now'],
  ],
  exits: {
    2: 'no such backup',
    10: 'configuration, or no key to look inside with',
    20: 'a program or the server for the proof failed; nothing is said about the backup',
    21: 'a storage could not be read, or its disk reports an error',
    22: 'a backup is not what it should be',
    130: 'interrupted',
  },
} as const;

/** A key named by its file, for this once. */
const withIdentity = <T extends Options & GlobalOptions>(options: T): T =>
  options.identity === undefined ? options : { ...options, set: [...options.set, `verify.identity=file:${options.identity}`] };

async function drill(options: GlobalOptions): Promise<Outcome> {
  const [{ context }, { table }, { drillKeys }] = await Promise.all([
    openWork(options),
    import('../show/table.js'),
    import('../../core/keys.js'),
  ]);
  const drills = await drillKeys(context);
  const bad = drills.find(({ ok }) => !ok);
  const hint = 'this key does not open backups that are made now: find the right one, or change encryption.recipients';
  return {
    document: { results: [], keys: drills },
    text: (paint) => {
      const rows = drills.map((one) => [one.encryption, one.ok ? paint.green('proven') : paint.red('NOT PROVEN'), one.detail]);
      return table(['ENCRYPTION', 'RESULT', 'DETAIL'], rows, { width: width(), paint });
    },
    failure: bad && new Failure('verification', bad.detail, { hint }),
  };
}

async function body(given: Options & GlobalOptions, id: string | undefined): Promise<Outcome> {
  const options = withIdentity(given);
  if (options.keys) return drill(options);
  const [{ context }, { verifiedTable }, { verifyDocument }] = await Promise.all([
    openWork(options),
    import('../show/results.js'),
    import('../../core/documents/verify.js'),
  ]);
  const { document, failure } = await verifyDocument(context, { ...options, id });
  return {
    document,
    text: (paint) => verifiedTable(document.results, paint),
    failure,
  };
}

export function verifyCommand(program: Command): void {
  addCommand(program, 'verify', 'prove backups; without a target the newest of each database', help)
    .argument('[id]', 'a backup id, the beginning of one, or latest')
    .option('--all', 'every backup')
    .option('--database <name>', 'only those of this database')
    .option('--keys', 'the key drill: prove that a private key opens what is sealed now')
    .option('--identity <file>', 'a file with the private age key, instead of verify.identity')
    .addOption(new Option('--level <level>', 'how far to prove').choices([...levels]).default('restore'))
    .action(run(body));
}
