/** test: a timer of systemd, its folders and its systemctl the test's own, its files judged by the real systemd-analyze. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { alwaysOpen, temporaryProject, type TemporaryProject } from '../fixtures/cli.js';

const reason =
  process.getuid?.() !== 0
    ? 'mounts are for root'
    : !existsSync('/etc/systemd/system') || !existsSync('/run')
      ? 'there is no systemd here'
      : spawnSync('unshare', ['-m', 'true']).status === 0
        ? null
        : 'there are no mount namespaces here';

describe.skipIf(reason !== null)(`the timer${reason === null ? '' : ` (skipped: ${reason})`}`, () => {
  let project: TemporaryProject;
  let folder: string;
  beforeEach(() => {
    project = temporaryProject();
    folder = mkdtempSync(join(tmpdir(), 'backup-automation-systemd-'));
    for (const name of ['units', 'run', 'run/systemd', 'run/systemd/system', 'bin']) mkdirSync(join(folder, name));
    const systemctl = `#!/bin/sh\necho "$*" >>'${folder}/said'\ncase "$1" in is-active) echo active;; esac\n`;
    writeFileSync(join(folder, 'bin/systemctl'), systemctl, { mode: 0o755 });
    project.file('backup-automation.config.json', alwaysOpen);
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
    project.cleanup();
  });

  const schedule = (...words: string[]) => {
    const mounts = `mount --bind '${folder}/units' /etc/systemd/system && mount --bind '${folder}/run' /run && exec "$@"`;
    const env = { PATH: `${folder}/bin:${project.env['PATH']}` };
    return project.run(['schedule', ...words], { under: ['unshare', '-m', 'sh', '-c', mounts, 'sh'], env });
  };
  const unit = (suffix: string) => readdirSync(join(folder, 'units')).find((name) => name.endsWith(suffix)) ?? '';

  test('two unit files that systemd takes; looked after, and taken away again', async () => {
    expect(await schedule('install', '--with', 'systemd', '--force')).toMatchObject({ exitCode: 0 });
    const said = readFileSync(join(folder, 'said'), 'utf8');
    expect(said).toMatch(/daemon-reload\nenable --now backup-automation-\w+\.timer/);
    expect(readFileSync(join(folder, 'units', unit('.service')), 'utf8')).toMatch(/^ExecStart="\/.*" "execute" "--due" "--quiet"$/m);
    if (existsSync('/usr/bin/systemd-analyze')) {
      const paths = [unit('.service'), unit('.timer')].map((name) => join(folder, 'units', name));
      const { stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', ...paths], { encoding: 'utf8' });
      expect(stderr.split('\n').filter((line) => line.includes('backup-automation'))).toEqual([]);
    }
    expect(await schedule('check')).toMatchObject({ exitCode: 0 });
    writeFileSync(join(folder, 'units', unit('.service')), '[Service]\nExecStart=/bin/true\n');
    expect((await schedule('check')).stderr).toContain('was edited');
    expect(await schedule('remove')).toMatchObject({ exitCode: 0, stdout: 'removed from systemd\n' });
    expect(readdirSync(join(folder, 'units'))).toEqual([]);
  });

  test('is refused with the reason where systemd did not start the machine', async () => {
    rmSync(join(folder, 'run/systemd/system'), { recursive: true });
    const { exitCode, stderr } = await schedule('install', '--with', 'systemd', '--force');
    expect(exitCode).toBe(1);
    expect(stderr).toContain('not started by systemd');
  });
});
