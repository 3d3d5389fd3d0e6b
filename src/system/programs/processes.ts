/**
 * system: which programs run on this machine, by the kernel's own list; touches none of them.
 */
import { readdir, readFile } from 'node:fs/promises';

/** Whether a process of one of these names runs: `cron`, or `busybox crond` for a program of many names. */
export async function isRunning(names: readonly string[]): Promise<boolean> {
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name));
  for (const pid of pids) {
    const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    const [program = '', first = ''] = line.split('\0');
    const name = program.split('/').at(-1) ?? '';
    if (names.includes(name) || names.includes(`${name} ${first}`)) return true;
  }
  return false;
}
