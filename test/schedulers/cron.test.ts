/** test: cron: a block of our own in the user's crontab, tried before it is written. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { alwaysOpen, temporaryProject, type TemporaryProject } from '../fixtures/cli.js';
import { noSpool, temporarySpool, type Spool } from '../fixtures/spool.js';

const reason = noSpool();

describe.skipIf(reason !== null)(`the crontab${reason === null ? '' : ` (skipped: ${reason})`}`, () => {
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

  const schedule = (...words: string[]) => project.run(['schedule', ...words], { under: spool.under });
  const others = 'MAILTO=dba@example.com\n# nightly things\n5 5 * * * /bin/true # 100%\n';

  test('nothing is written when the rehearsal fails as cron would start it, though the shell has what it needs', async () => {
    project.file('backup-automation.config.json', { ...alwaysOpen, databases: { shop: { url: 'env:SHOP_URL' } } });
    spool.write(others);
    const env = { SHOP_URL: 'postgresql://nobody@localhost:1/shop' };
    const { exitCode, stderr } = await project.run(['schedule', 'install'], { under: spool.under, env });
    expect({ exitCode, crontab: spool.text() }).toEqual({ exitCode: 1, crontab: others });
    expect(stderr).toContain('SHOP_URL is not set');
    expect(stderr).toContain('--environment');
  });

  test('its block comes and goes, and every other line stays as it was', async () => {
    project.file('backup-automation.config.json', alwaysOpen);
    spool.write(others);
    expect(await schedule('install', '--force')).toMatchObject({ exitCode: 0 });
    const once = spool.text();
    expect(once.startsWith(others)).toBe(true);
    expect(once.match(/^\* \* \* \* \* .*$/gm)).toHaveLength(1);
    expect(await schedule('install', '--force')).toMatchObject({ exitCode: 0 });
    expect(spool.text()).toBe(once);
    expect(await schedule('remove')).toMatchObject({ exitCode: 0, stdout: 'removed from cron\n' });
    expect(spool.text()).toBe(others);
    expect(await schedule('remove')).toMatchObject({ exitCode: 0, stdout: 'there was nothing to remove\n' });
  });

  test('a file of variables that others may read is refused, and so is one that is not there', async () => {
    project.file('backup-automation.config.json', alwaysOpen);
    const missing = await schedule('install', '--environment', 'no.env');
    expect(missing).toMatchObject({ exitCode: 10 });
    expect(missing.stderr).toContain('there is no such file');
    expect(spool.text()).toBe('');
  });

  test('an entry that vanished, and one that was edited, are noticed', async () => {
    project.file('backup-automation.config.json', alwaysOpen);
    await schedule('install', '--force');
    const written = spool.text();
    spool.write(written.replace('--quiet', '--verbose'));
    const edited = await schedule('check', '--json');
    expect(JSON.parse(edited.stdout)).toMatchObject({ ok: false, entries: [{ kind: 'cron', own: true }] });
    spool.write(others);
    const vanished = await schedule('check');
    expect(vanished).toMatchObject({ exitCode: 1 });
    expect(vanished.stderr).toContain('the entry in cron has vanished');
    const health = await project.run(['health', '--json'], { under: spool.under });
    expect(JSON.parse(health.stdout).checks).toContainEqual(expect.objectContaining({ name: 'scheduler', status: 'critical' }));
  });

  test("another configuration's entry is shown as such, and not removed", async () => {
    project.file('backup-automation.config.json', alwaysOpen);
    project.file('other/backup-automation.config.json', alwaysOpen);
    await schedule('install', '--force', '--config', 'other/backup-automation.config.json');
    expect(JSON.parse((await schedule('check', '--json')).stdout)).toMatchObject({ entries: [{ own: false }] });
    expect((await schedule('remove')).stdout).toBe('there was nothing to remove\n');
    expect(spool.text()).toContain('other/backup-automation.config.json');
  });
});
