/**
 * schedulers: the user's crontab, of which it owns a block between two marks and touches nothing else.
 *
 * A crontab's own settings (`PATH=`, `TZ=`) hold for every line below them, other people's too: so everything is said within our line.
 */
import { userInfo } from 'node:os';
import { Failure } from '../model/errors.js';
import type { Entry, Installed, Scheduler } from '../model/roles/scheduler.js';
import { onPath } from '../system/files/path.js';
import { capture } from '../system/programs/exec.js';
import { isRunning } from '../system/programs/processes.js';
import { runBare, shellLine, word } from './shell.js';

const begin = (id: string) => `# BEGIN backup-automation ${id} (written by \`backup-automation schedule install\`: not by hand)`;
const end = (id: string) => `# END backup-automation ${id}`;
const blocks = /^(# BEGIN backup-automation (\S+)[^\n]*\n(?:[^\n]*\n)*?# END backup-automation \2)(?:\n|$)/gm;

/** cron cuts a command here, in silence. */
const longest = 998;

/** As cron(8) of Debian starts a command. */
const cronsOwn = () => {
  const { username, homedir } = userInfo();
  return { HOME: homedir, LOGNAME: username, SHELL: '/bin/sh', PATH: '/usr/bin:/bin' };
};

/** The block of an entry; an unescaped `%` is a line end to cron. */
function blockOf(entry: Entry): string {
  const command = `${shellLine(entry, entry.words)} >>${word(entry.logFile)} 2>&1`.replaceAll('%', '\\%');
  if (command.length > longest)
    throw new Failure('scheduler', `the line for cron has ${command.length} characters, it takes ${longest}`, {
      hint: 'use shorter paths, or `backup-automation schedule install --with systemd`',
    });
  return `${begin(entry.id)}\n* * * * * ${command}\n${end(entry.id)}`;
}

async function read(): Promise<string> {
  const { exitCode, stdout, stderr } = await capture('crontab', ['-l']);
  if (exitCode === 0) return stdout === '' ? '' : `${stdout.trimEnd()}\n`;
  if (/no crontab for/.test(stderr)) return '';
  throw new Failure('scheduler', `crontab -l: ${stderr || `exit code ${exitCode}`}`, { hint: 'see whether this user may use cron' });
}

/** Replaces the crontab as a whole, which crontab(1) does in one step, and looks that it stands. */
async function write(text: string): Promise<void> {
  const { exitCode, stderr } = await capture('crontab', ['-'], { input: text });
  if (exitCode !== 0) throw new Failure('scheduler', `crontab: ${stderr || `exit code ${exitCode}`}`);
  if ((await read()) !== text)
    throw new Failure('scheduler', 'the crontab is not what was written: somebody else changed it at the same moment', {
      hint: 'look with `crontab -l`, then repeat',
    });
}

const without = (text: string, id: string): string => text.replace(blocks, (all, _block, found: string) => (found === id ? '' : all));

const daemons = ['cron', 'crond', 'fcron', 'busybox crond'];

async function installed(id: string, text: string): Promise<Installed> {
  const problem = (await isRunning(daemons)) ? null : 'no cron daemon is running; start it, e.g. `service cron start`';
  return { id, place: `the crontab of ${userInfo().username}`, text, problem };
}

const scheduler: Scheduler = {
  kind: 'cron',
  async probe() {
    const found = onPath('crontab');
    return { available: found !== null, detail: found ?? 'there is no crontab program; install it, e.g. `apt-get install cron`' };
  },
  attempt: (entry, words, signal) => runBare(shellLine(entry, words), cronsOwn(), signal),
  async install(entry) {
    const block = blockOf(entry);
    await write(`${without(await read(), entry.id)}${block}\n`);
    return installed(entry.id, block);
  },
  async remove(id) {
    const before = await read();
    const after = without(before, id);
    if (after !== before) await write(after);
    return after !== before;
  },
  async list() {
    const found = [...(await read()).matchAll(blocks)];
    return Promise.all(found.map(([, text = '', id = '']) => installed(id, text)));
  },
};

export const cron = { kind: 'cron', create: (): Scheduler => scheduler } as const;
