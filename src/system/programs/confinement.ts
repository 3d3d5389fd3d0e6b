/**
 * system: keeps processes to one core by taskset(1), where there are several and it may.
 */
import { readFile } from 'node:fs/promises';
import { constants, setPriority } from 'node:os';
import type { Confinement } from '../../model/roles/confinement.js';
import { onPath } from '../files/path.js';
import { capture } from './exec.js';

/** The cores that this process may use, `0-3,8` in the kernel's words. */
async function allowed(): Promise<number[]> {
  const status = await readFile('/proc/self/status', 'utf8').catch(() => '');
  const [, list = ''] = /^Cpus_allowed_list:\s*(\S+)$/m.exec(status) ?? [];
  return list.split(',').flatMap((range) => {
    const [from = Number.NaN, to = from] = range.split('-').map(Number);
    return Number.isNaN(from) ? [] : Array.from({ length: to - from + 1 }, (_, index) => from + index);
  });
}

/** Whether it was allowed. */
async function move(pid: number, ...cores: readonly number[]): Promise<boolean> {
  const { exitCode } = await capture('taskset', ['-a', '-p', '-c', cores.join(), String(pid)], { timeoutMs: 5000 });
  return exitCode === 0;
}

export const confinement: Confinement = {
  async core() {
    if (!onPath('taskset')) return 'there is no taskset program (util-linux)';
    const cores = await allowed();
    const last = cores.at(-1);
    // the first one is where most interrupts are served
    return last === undefined || cores.length < 2 ? 'there is one core only' : last;
  },
  async keep(pids, core) {
    const kept = await Promise.all(pids.map(async (pid) => ((await move(pid, core)) ? [pid] : [])));
    return kept.flat();
  },
  async standBack(core) {
    try {
      setPriority(constants.priority.PRIORITY_LOW);
    } catch {
      // it goes on as it is
    }
    const cores = await allowed();
    await move(process.pid, core);
    return async () => void (await move(process.pid, ...cores));
  },
};
