/**
 * system: under which account a throwaway server runs. PostgreSQL refuses root; everyone else runs as themselves.
 */
import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { Failure } from '../../model/errors.js';
import { ourUid } from '../files/folders.js';
import { onPath } from '../files/path.js';

interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

export interface Runner {
  /** The account to change to; null: programs run as we do. */
  readonly account: Account | null;
  /** A program and its arguments as the account runs them: to be given to `system/exec`. */
  command(file: string, args: readonly string[]): [file: string, args: string[]];
}

function accountOf(name: string): Account | undefined {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((each) => each.startsWith(`${name}:`));
  const [, , uid, gid] = line?.split(':') ?? [];
  return uid && gid ? { name, uid: Number(uid), gid: Number(gid) } : undefined;
}

/** Ourselves, or as root `postgres`, else `nobody`. Throws `failed` where neither is possible. */
export function runner(): Runner {
  if (ourUid() !== 0) {
    try {
      userInfo();
    } catch {
      throw new Failure('failed', `user id ${ourUid()} has no entry in /etc/passwd, and PostgreSQL's initdb wants one`, {
        hint: 'run it as a user that has a name, or set verify.server',
      });
    }
    return { account: null, command: (file, args) => [file, [...args]] };
  }
  const account = accountOf('postgres') ?? accountOf('nobody');
  const setpriv = onPath('setpriv');
  if (!account || !setpriv) {
    const missing = account ? 'setpriv (of util-linux) is not on PATH' : 'there is no account postgres or nobody';
    throw new Failure('failed', `PostgreSQL refuses to run as root, and ${missing}`, { hint: 'run it as an ordinary user' });
  }
  // the wish to die with us is lost when the user changes, so it comes after
  const identity = ['--reuid', String(account.uid), '--regid', String(account.gid), '--clear-groups', '--pdeathsig', 'KILL', '--'];
  // it may not be allowed into the folder that we are in
  const place = ['env', '--chdir=/'];
  return { account, command: (file, args) => [setpriv, [...identity, ...place, file, ...args]] };
}
