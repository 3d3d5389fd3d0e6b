/** cli/health: the real command on a real database: words, document, and the exit codes of monitoring plugins. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { alwaysOpen, temporaryProject, type TemporaryProject } from '../../fixtures/cli.js';
import { cloneDatabase, type TestDatabase } from '../../fixtures/database.js';

let shop: TestDatabase;
let project: TemporaryProject;
beforeAll(async () => {
  shop = await cloneDatabase('shop');
  project = temporaryProject(shop.url);
  project.file('backup-automation.config.json', alwaysOpen);
});
afterAll(async () => {
  project.cleanup();
  await shop.drop();
});

describe('health', () => {
  it('prints one document, and exits 0 when all is well', async () => {
    const { exitCode, stdout } = await project.run(['health', '--json']);
    expect(exitCode).toBe(0);
    const report = JSON.parse(stdout) as Record<string, unknown>;
    expect(report).toMatchObject({
      status: 'healthy',
      issues: [],
      activeBackups: 0,
      configuration: { maxRetries: 3 },
      advice: expect.arrayContaining([expect.stringContaining('nobody is told')]),
    });
    const check = {
      name: expect.any(String) as string,
      status: expect.stringMatching(/^(healthy|unknown)$/) as string,
      detail: expect.any(String) as string,
      hint: '',
    };
    expect(report['checks']).toContainEqual(expect.objectContaining({ name: 'ledger', status: 'healthy' }));
    for (const one of report['checks'] as object[]) {
      expect(one).toMatchObject(check);
      expect(Object.keys(one)).toEqual(expect.arrayContaining(['value', 'limit']));
    }
  });

  it('shows a table without colours where there is no terminal', async () => {
    const { stdout } = await project.run(['health']);
    expect(stdout).toMatch(/^healthy, 0 backups are running\n/);
    expect(stdout).toMatch(/connection-pool default +healthy +the connection pool utilization is \d+(\.\d+)? %, the limit is 90 %/);
    expect(stdout).not.toContain('\u001b');
  });

  it('knows a backup that was made, and exits 1 for a warning', async () => {
    expect(await project.run(['execute', 'daily-backup'])).toMatchObject({ exitCode: 0 });
    const dead = { DATABASE_URL: 'postgresql://backup@127.0.0.1:1/shop' };
    expect(await project.run(['execute', 'daily-backup'], { env: dead })).toMatchObject({ exitCode: 20 });
    const { exitCode, stdout } = await project.run(['health', '--json']);
    const report = JSON.parse(stdout) as { status: string; issues: string[]; checks: { name: string; subject: string; value: unknown }[] };
    expect([exitCode, report.status]).toEqual([1, 'warning']);
    expect(report.issues).toEqual([
      expect.stringMatching(/^last-run of default: the last run failed .*127\.0\.0\.1:1.*`backup-automation events show /),
    ]);
    expect(report.checks.find(({ subject }) => subject === 'default (daily-backup)')?.value).toMatch(/^\d{4}-/);
  });

  it('exits 2 when the database is down, with the reason and without the password', async () => {
    const env = { DATABASE_URL: 'postgresql://backup:topsecret@127.0.0.1:1/shop' };
    const { exitCode, stdout, stderr } = await project.run(['health', '--json'], { env });
    expect(exitCode).toBe(2);
    const report = JSON.parse(stdout) as { status: string; issues: string[] };
    expect(report.status).toBe('critical');
    expect(report.issues).toContainEqual(expect.stringMatching(/^database of default: .*127\.0\.0\.1:1/));
    expect(stdout + stderr).not.toContain('topsecret');
  });

  it('exits 3 for wrong usage and configuration', async () => {
    const usage = await project.run(['health', '--bogus', '--json']);
    expect(usage.exitCode).toBe(3);
    const configuration = await project.run(['--set', 'maxRetries=x', 'health', '--json']);
    expect(configuration.exitCode).toBe(3);
    expect(JSON.parse(configuration.stdout)).toMatchObject({ error: { code: 'configuration' } });
  });
});
