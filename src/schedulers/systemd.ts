/**
 * schedulers: a timer of systemd, the system's own for root, else the user's; two unit files and nothing else are its own.
 */
import { readdir, readFile, rm } from 'node:fs/promises';
import { mkdirSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';
import { Failure } from '../model/errors.js';
import type { Entry, Installed, Scheduler } from '../model/roles/scheduler.js';
import { writeAtomic } from '../system/files/files.js';
import { isFolder, onPath } from '../system/files/path.js';
import { capture } from '../system/programs/exec.js';
import { runBare, shellLine } from './shell.js';

const isRoot = () => process.getuid?.() === 0;
const folder = () => (isRoot() ? '/etc/systemd/system' : join(homedir(), '.config/systemd/user'));
const nameOf = (id: string) => `backup-automation-${id}`;

/** Quoted in C's way, and `%` doubled, since it means something to systemd. */
const quoted = (text: string) => `"${text.replace(/["\\]/g, '\\$&').replaceAll('%', '%%')}"`;
/** A word of ExecStart, where variables would be put in. */
const argument = (text: string) => quoted(text).replaceAll('$', '$$$$');
/** A path that is the whole rest of a line. */
const plain = (text: string) => text.replaceAll('%', '%%');

function serviceOf({ environment, program, words, folder: home, logFile }: Entry): string {
  return `[Unit]
Description=backup-automation: whatever is due

[Service]
Type=oneshot
WorkingDirectory=${plain(home)}
${Object.entries(environment)
  .map(([name, value]) => `Environment=${quoted(`${name}=${value}`)}`)
  .join('\n')}
ExecStart=${[...program, ...words].map(argument).join(' ')}
StandardOutput=append:${plain(logFile)}
StandardError=append:${plain(logFile)}
`;
}

const timer = `[Unit]
Description=backup-automation every minute

[Timer]
OnCalendar=*-*-* *:*:00
AccuracySec=1s

[Install]
WantedBy=timers.target
`;

const systemctl = (...words: string[]) => capture('systemctl', [...(isRoot() ? [] : ['--user']), ...words]);

async function must(...words: string[]): Promise<void> {
  const { exitCode, stderr } = await systemctl(...words);
  if (exitCode !== 0) throw new Failure('scheduler', `systemctl ${words.join(' ')}: ${stderr || `exit code ${exitCode}`}`);
}

async function text(id: string, suffix: 'service' | 'timer'): Promise<string> {
  return readFile(join(folder(), `${nameOf(id)}.${suffix}`), 'utf8').catch(() => '');
}

async function installed(id: string): Promise<Installed> {
  const { stdout } = await systemctl('is-active', `${nameOf(id)}.timer`);
  const state = stdout.trim() || 'unknown to systemd';
  const problem = state === 'active' ? null : `its timer is ${state}; start it with \`systemctl start ${nameOf(id)}.timer\``;
  const place = `${join(folder(), nameOf(id))}.timer (${isRoot() ? 'the system' : userInfo().username})`;
  return { id, place, text: `${await text(id, 'service')}${await text(id, 'timer')}`.trimEnd(), problem };
}

const scheduler: Scheduler = {
  kind: 'systemd',
  async probe() {
    if (!onPath('systemctl')) return { available: false, detail: 'there is no systemctl program' };
    return isFolder('/run/systemd/system')
      ? { available: true, detail: isRoot() ? 'the system manager' : `the manager of ${userInfo().username}` }
      : { available: false, detail: 'this machine was not started by systemd' };
  },
  // as systemd starts a system unit of root: no HOME, no login
  attempt: (entry, words, signal) =>
    runBare(shellLine(entry, words), { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' }, signal),
  async install(entry) {
    mkdirSync(folder(), { recursive: true, mode: 0o755 });
    writeAtomic(join(folder(), `${nameOf(entry.id)}.service`), serviceOf(entry), 0o644);
    writeAtomic(join(folder(), `${nameOf(entry.id)}.timer`), timer, 0o644);
    await must('daemon-reload');
    await must('enable', '--now', `${nameOf(entry.id)}.timer`);
    return installed(entry.id);
  },
  async remove(id) {
    if ((await text(id, 'timer')) === '' && (await text(id, 'service')) === '') return false;
    await systemctl('disable', '--now', `${nameOf(id)}.timer`);
    for (const suffix of ['timer', 'service']) await rm(join(folder(), `${nameOf(id)}.${suffix}`), { force: true });
    await must('daemon-reload');
    return true;
  },
  async list() {
    const names = await readdir(folder()).catch(() => []);
    const ids = names.flatMap((name) => /^backup-automation-(\w+)\.timer$/.exec(name)?.[1] ?? []);
    return Promise.all(ids.map(installed));
  },
};

export const systemd = { kind: 'systemd', create: (): Scheduler => scheduler } as const;
