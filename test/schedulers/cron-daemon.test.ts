/** test: a real cron, started by the test, that starts a real backup. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { alwaysOpen, temporaryProject, type TemporaryProject } from '../fixtures/cli.js';
import { cloneDatabase } from '../fixtures/database.js';
import { noSpool, temporarySpool, type Spool } from '../fixtures/spool.js';

const reason = noSpool();

describe.skipIf(reason !== null)(`cron${reason === null ? '' : ` (skipped: ${reason})`}`, () => {
  let project: TemporaryProject;
  let spool: Spool;
  beforeEach(() => {
    project = temporaryProject();
    spool = temporarySpool();
  });
  afterEach(() => {
    spool.cleanup();
    project.cleanup();
  });

  test('cron itself starts a backup, from a folder with a space, a quote and a percent sign', { timeout: 300_000 }, async () => {
    const database = await cloneDatabase('shop');
    const home = "it's 100% here";
    const file = project.file(join(home, 'backup-automation.config.json'), {
      ...alwaysOpen,
      databases: { shop: { url: 'env:SHOP_URL' } },
      schedules: { often: { cron: '* * * * *' } },
    });
    const variables = project.file(join(home, 'my env'), `SHOP_URL=${database.url}\n`);
    const at = { under: spool.under };
    const daemon = spawn(spool.under[0] ?? '', [...spool.under.slice(1), '/usr/sbin/cron', '-f'], { stdio: 'ignore' });
    try {
      const installed = await project.run(['schedule', 'install', '--config', file, '--environment', variables], at);
      expect(installed.stderr).not.toContain('error');
      expect(installed).toMatchObject({ exitCode: 0 });
      const completed = async () => {
        const { stdout } = await project.run(['events', '--json', '--config', file, '--status', 'completed']);
        return (JSON.parse(stdout) as { events: { scheduleId?: string; type: string }[] }).events;
      };
      await expect
        .poll(completed, { timeout: 240_000, interval: 1000 })
        .toContainEqual(expect.objectContaining({ scheduleId: 'often', type: 'scheduled' }));
      expect(await project.run(['schedule', 'check', '--config', file], at)).toMatchObject({ exitCode: 0 });
      const log = join(project.directory, home, '.backup-automation/schedule.log');
      expect(existsSync(log) ? readFileSync(log, 'utf8') : '').not.toContain('error');
    } finally {
      daemon.kill('SIGKILL');
      await database.drop();
    }
  });
});
