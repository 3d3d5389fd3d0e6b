/**
 * faults: slots of one schedule and database, looked at in the same moment by many processes: one after the other, never twice.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { openSlotEvent } from '../../src/core/event/record.js';
import { count, isFull } from '../fixtures/counts.js';
import { cloneDatabase } from '../fixtures/database.js';
import { inProcess, lab } from '../fixtures/lab.js';
import { shimDirectory } from '../fixtures/shims.js';

test('F9: different slots of one schedule and database never run side by side', { timeout: 600_000 }, async ({ task }) => {
  const database = await cloneDatabase('empty');
  const rounds = count(1, 20);
  const violations: string[] = [];
  try {
    for (let round = 0; round < rounds; round += 1) {
      const schedules = { hourly: { cron: '0 0 1 1 *' } };
      const conditions = { maxConcurrentBackups: 6, minDiskSpace: 0 };
      const project = lab({ shop: { url: database.url } }, { schedules, conditions, fingerprint: 'none', timezone: 'UTC' });
      const log = join(project.directory, 'dumps.log');
      // neither the version asked for nor the try whether it has zstd is a dump
      const counted = (real: string) =>
        `#!/bin/sh\ncase "$*" in *--version*|*--host=/dev/null*) exec '${real}' "$@";; esac\necho + >>'${log}'\nsleep 1\n'${real}' "$@"; status=$?\necho - >>'${log}'\nexit $status\n`;
      const shims = shimDirectory({ pg_dump: counted });
      const due = () => project.json(['execute', '--due', '--quiet', '--set', `clientDirectory=${shims.directory}`]);
      await due();
      const context = await inProcess(project);
      for (const minute of [1, 2]) {
        const at = new Date(Date.now() - minute * 60_000);
        await openSlotEvent(context, 'hourly', { key: `hourly@${at.toISOString().slice(0, 16)}[UTC]`, at }, 'shop');
      }
      await Promise.all(Array.from({ length: count(4, 6) }, due));
      // what waited for its turn has it now
      await due();
      const marks = readFileSync(log, 'utf8').split('\n').filter(Boolean).join('');
      const { events } = (await project.json(['events'])).document;
      const ended = events.map(({ status }) => status).join();
      if (marks !== '+-+-' || ended !== 'completed,completed') violations.push(`round ${round}: ${marks}, ${ended}`);
      shims.remove();
      project.cleanup();
    }
  } finally {
    await database.drop();
  }
  task.meta.score = { row: 'F9', what: 'two slots of one schedule and database at once', n: rounds, violations };
  expect(violations).toEqual([]);
});

const slow = isFull ? test : test.skip;

slow(
  'A7: five processes find one slot while the ledger’s lock is held by one that stands still: it runs once (takes half a minute: FAULTS=full)',
  { timeout: 600_000 },
  async ({ task }) => {
    const database = await cloneDatabase('empty');
    const project = lab({ shop: { url: database.url } }, { schedules: { hourly: { cron: '0 0 1 1 *' } }, timezone: 'UTC' });
    const due = () => project.json(['execute', '--due', '--quiet']);
    await due();
    const at = new Date(Date.now() - 60_000);
    await openSlotEvent(await inProcess(project), 'hourly', { key: `hourly@${at.toISOString().slice(0, 16)}[UTC]`, at }, 'shop');
    const holder = spawn('flock', ['-x', join(project.directory, '.backup-automation/locks/ledger.lock'), 'sleep', '600'], {
      stdio: 'ignore',
      detached: true,
    });
    const violations: string[] = [];
    try {
      await sleep(500);
      const ended = await Promise.all(Array.from({ length: 5 }, due));
      const exits = ended.map(({ exitCode }) => exitCode);
      if (exits.some((code) => code !== 0)) violations.push(`exit codes ${exits.join(', ')}`);
      const { events } = (await project.json(['events'])).document;
      const states = events.map(({ status }) => status).join();
      if (states !== 'completed') violations.push(`events: ${states}`);
      const stored = (await project.json(['backups'])).document.backups.length;
      if (stored !== 1) violations.push(`${stored} backups`);
      const chain = (await project.json(['events', 'verify'])).document;
      if (chain['ok'] !== true || chain['nolock'] !== 2) violations.push(`the chain: ${JSON.stringify(chain)}`);
    } finally {
      if (holder.pid !== undefined) process.kill(-holder.pid, 'SIGKILL');
      await database.drop();
      project.cleanup();
    }
    task.meta.score = { row: 'A7', what: 'five backups of one slot beside a stopped holder of the lock', n: 5, violations };
    expect(violations).toEqual([]);
  },
);
