/**
 * cli: `token create`, `list` and `revoke`: who may use the REST API. A token is shown once.
 */
import { InvalidArgumentError, Option, type Command } from 'commander';
import { roles, type Role } from '../../model/access/token.js';
import { actor } from '../actor.js';
import { addCommand, duration, run } from '../command.js';
import { say, width, type GlobalOptions, type Outcome } from '../render.js';

const exits = { 2: 'wrong usage', 10: 'the tokens cannot be trusted', 74: 'the ledger cannot be written' };
const help = {
  all: {
    examples: [
      ['token create --name grafana --role read', 'a token for who only looks'],
      ['token list', 'who may do what, and until when'],
    ],
    exits,
  },
  create: {
    examples: [
      ['token create --name me --role admin', 'a token that may do everything; it is shown this once'],
      ['token create --name ci --role operate --expires 90d', 'one that may start backups, for ninety days'],
    ],
    exits,
  },
  list: {
    examples: [
      ['token list', 'names, roles and when they end; never the tokens themselves'],
      ['token list --json', 'the same for a program'],
    ],
    exits,
  },
  revoke: {
    examples: [
      ['token revoke ci', 'it opens nothing from now on'],
      ['token revoke 0192f3a4', 'by the beginning of its id'],
    ],
    exits: { ...exits, 2: 'no such token' },
  },
} as const;

const open = async (options: GlobalOptions) => (await import('../../wire/access.js')).openAccess(options);

/** Fit for a ledger line and a table. */
function nameOf(value: string): string {
  if (!/^[\w.@-]{1,63}$/.test(value)) throw new InvalidArgumentError('expected letters, digits, ".", "_", "-" and "@", at most 63.');
  return value;
}

interface CreateOptions extends GlobalOptions {
  readonly name: string;
  readonly role: Role;
  readonly expires?: number;
}

async function create(options: CreateOptions): Promise<Outcome> {
  const { createToken } = await import('../../core/tokens.js');
  const { name, role, expires } = options;
  const made = await createToken(await open(options), { name, role, lifetime: expires ?? null }, actor());
  say('keep it now: it is shown this once, and stored as a hash', options);
  return { document: { ...made }, text: () => made.token };
}

async function list(options: GlobalOptions): Promise<Outcome> {
  const [{ listTokens }, { table }, { localMinute }] = await Promise.all([
    import('../../core/tokens.js'),
    import('../show/table.js'),
    import('../../model/moment/here.js'),
  ]);
  const tokens = listTokens(await open(options));
  return {
    document: { tokens },
    text: (paint) => {
      if (tokens.length === 0) return 'no tokens yet; make one with `backup-automation token create`';
      const end = ({ expiresAt, expired }: (typeof tokens)[number]) =>
        expired ? paint.red('over') : expiresAt === null ? 'never' : localMinute(expiresAt);
      const rows = tokens.map((one) => [one.name, one.role, localMinute(one.createdAt), end(one), one.id]);
      return table(['NAME', 'ROLE', 'MADE', 'ENDS', 'ID'], rows, { width: width(), paint, ids: 4 });
    },
  };
}

async function revoke(options: GlobalOptions, which: string): Promise<Outcome> {
  const { revokeToken } = await import('../../core/tokens.js');
  const revoked = await revokeToken(await open(options), which, actor());
  return { document: { revoked }, text: () => `revoked ${revoked.name} (${revoked.role}): it opens nothing from now on` };
}

export function tokenCommand(program: Command): void {
  const token = addCommand(program, 'token', 'who may use the REST API', help.all);
  addCommand(token, 'create', 'make a token, and show it this once', help.create)
    .requiredOption('--name <name>', 'whose it is: it stands in the audit trail', nameOf)
    .addOption(new Option('--role <role>', 'what it may do').choices([...roles]).default('read'))
    .option('--expires <duration>', 'how long it holds, e.g. 90d; for ever when left out', duration)
    .action(run(create));
  addCommand(token, 'list', 'the tokens, without what they are', help.list).action(run(list));
  addCommand(token, 'revoke <token>', 'end a token, by its name, its id or the beginning of one', help.revoke).action(run(revoke));
}
