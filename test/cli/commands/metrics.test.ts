/** cli/metrics: the built command, with a database that is not there, read by Prometheus' own tool and by a strict reader of ours. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { metrics } from '../../../src/model/metrics/names.js';
import { alwaysOpen, temporaryProject, type TemporaryProject } from '../../fixtures/cli.js';
import { cloneDatabase } from '../../fixtures/database.js';
import { readExposition, type ReadFamily } from '../../fixtures/exposition.js';

const page = readFileSync(join(import.meta.dirname, '../../../docs/metrics.md'), 'utf8');
const hasPromtool = spawnSync('promtool', ['--version']).status === 0;

let project: TemporaryProject;
beforeEach(() => {
  project = temporaryProject();
  project.file('backup-automation.config.json', {
    timezone: 'UTC',
    databases: { shop: { host: '127.0.0.1', port: 1, database: 'shop' }, crm: { host: '127.0.0.1', port: 1, database: 'crm' } },
    storages: { local: { kind: 'local', path: './backups' }, 'far-away': { kind: 'local', path: './far' } },
    schedules: { daily: { cron: '0 2 * * *', databases: ['shop'] } },
    alerts: { ops: { kind: 'command', command: ['/bin/true'] } },
  });
});
afterEach(() => project.cleanup());

const valuesOf = (families: readonly ReadFamily[], name: string) =>
  Object.fromEntries(
    families
      .flatMap(({ samples }) => samples)
      .filter((sample) => sample.name === `backup_automation_${name}`)
      .map(({ labels, value }) => [Object.values(labels).join(' '), value]),
  );

describe('metrics', () => {
  it('tells everything from the first start, without a database, and writes nothing', async () => {
    const { exitCode, stdout, stderr } = await project.run(['metrics']);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    const families = readExposition(stdout);
    expect(families.map(({ name }) => name)).toEqual(Object.keys(metrics).map((name) => `backup_automation_${name}`));
    expect(families.filter(({ samples }) => samples.length === 0)).toEqual([]);
    for (const { name, samples } of families)
      for (const { labels } of samples) {
        const known = Object.entries(metrics).find(([one]) => name === `backup_automation_${one}`)?.[1].labels ?? [];
        expect(Object.keys(labels).filter((label) => label !== 'le')).toEqual(known);
      }
    expect(valuesOf(families, 'backup_last_success_timestamp_seconds')).toEqual({ 'daily shop': 0, '(none) shop': 0, '(none) crm': 0 });
    expect(valuesOf(families, 'backup_runs_total')).toMatchObject({ 'daily shop completed': 0, 'daily shop failed': 0 });
    expect(valuesOf(families, 'backup_expected_timestamp_seconds')).toMatchObject({ '(none) shop': Number.NaN });
    expect(valuesOf(families, 'backup_expected_timestamp_seconds')['daily shop']).toBeGreaterThan(1e9);
    expect(valuesOf(families, 'target_up')).toEqual({ local: 1, 'far-away': 1 });
    expect(valuesOf(families, 'alerts_owed')).toEqual({ ops: 0 });
    expect(valuesOf(families, 'health_status')).toEqual({ '': 0 });
    expect(readdirSync(project.directory)).toEqual(['backup-automation.config.json', 'home']);
  });

  it.skipIf(!hasPromtool)('is read by promtool without a complaint', async () => {
    const { stdout } = await project.run(['metrics']);
    const checked = spawnSync('promtool', ['check', 'metrics'], { input: stdout, encoding: 'utf8' });
    expect({ status: checked.status, said: checked.stdout + checked.stderr }).toEqual({ status: 0, said: '' });
  });

  it('tells of a real backup and its proof, also when the database is gone', async () => {
    const shop = await cloneDatabase('shop');
    project.file('backup-automation.config.json', {
      ...alwaysOpen,
      databases: { shop: { url: 'env:SHOP' } },
      schedules: { daily: { cron: '0 2 * * *' } },
    });
    const env = { SHOP: shop.url };
    expect(await project.run(['execute', 'daily', '--quiet'], { env })).toMatchObject({ exitCode: 0 });
    expect(await project.run(['verify', 'latest', '--quiet'], { env })).toMatchObject({ exitCode: 0 });
    await shop.drop();
    const { exitCode, stdout } = await project.run(['metrics'], { env });
    const families = readExposition(stdout);
    const now = valuesOf(families, 'generated_timestamp_seconds')[''] ?? 0;
    const recent = (name: string, series: string) => {
      const at = valuesOf(families, name)[series] ?? 0;
      expect(at).toBeGreaterThan(now - 300);
      expect(at).toBeLessThanOrEqual(now);
    };
    recent('backup_last_success_timestamp_seconds', 'daily shop');
    recent('backup_last_verified_timestamp_seconds', 'shop restore');
    expect({
      exitCode,
      level: valuesOf(families, 'backup_verified_level')['daily shop'],
      runs: valuesOf(families, 'backup_runs_total')['daily shop completed'],
      kept: valuesOf(families, 'retention_backups')['daily shop local'],
    }).toEqual({ exitCode: 0, level: 3, runs: 1, kept: 1 });
    for (const name of ['backup_size_bytes', 'backup_source_size_bytes', 'backup_last_duration_seconds'])
      expect(valuesOf(families, name)['daily shop']).toBeGreaterThan(0);
    expect(valuesOf(families, 'restore_expected_duration_seconds')['shop']).toBeGreaterThan(0);
  });

  it('puts it into a file that everybody may read, in one step, and says nothing', async () => {
    const target = project.file('collector/old.prom', 'old');
    symlinkSync(target, join(project.directory, 'collector/link.prom'));
    const under = ['sh', '-c', 'umask 077; exec "$@"', 'sh'];
    for (const name of ['new.prom', 'old.prom', 'link.prom']) {
      const file = `collector/${name}`;
      expect(await project.run(['metrics', '--output', file], { under })).toMatchObject({ exitCode: 0, stdout: '', stderr: '' });
      expect(statSync(join(project.directory, file)).mode & 0o777).toBe(0o644);
      expect(readExposition(readFileSync(join(project.directory, file), 'utf8')).length).toBe(Object.keys(metrics).length);
    }
    // no temporary file for a collector to trip over
    expect(readdirSync(join(project.directory, 'collector')).toSorted()).toEqual(['link.prom', 'new.prom', 'old.prom']);
  });

  it('is one document for a program', async () => {
    const { exitCode, stdout } = await project.run(['metrics', '--json', '--output', 'a.prom']);
    const document = JSON.parse(stdout) as { metrics: readonly { name: string; samples: readonly object[] }[]; file: string };
    expect({ exitCode, file: document.file }).toEqual({ exitCode: 0, file: join(project.directory, 'a.prom') });
    expect(document.metrics.find(({ name }) => name === 'backup_automation_backup_size_bytes')).toEqual({
      name: 'backup_automation_backup_size_bytes',
      type: 'gauge',
      help: metrics.backup_size_bytes.help,
      samples: [['daily', 'shop'], ['(none)', 'shop'], ['(none)', 'crm']].map(([schedule, database]) => ({ name: 'backup_automation_backup_size_bytes', labels: { schedule, database }, value: null })), // prettier-ignore
    });
  });

  it('says what is wrong, and leaves the old file', async () => {
    expect(await project.run(['metrics', '--output', 'nowhere/a.prom'])).toMatchObject({
      exitCode: 2,
      stdout: '',
      stderr: expect.stringMatching(/nowhere\/a\.prom cannot be written: there is no such folder$/m) as string,
    });
    mkdirSync(join(project.directory, 'folder.prom'));
    expect(await project.run(['metrics', '--output', 'folder.prom'])).toMatchObject({ exitCode: 2 });
    const old = project.file('old.prom', 'old');
    project.file('backup-automation.config.json', '{"maxRetires": 1}');
    expect(await project.run(['metrics', '--output', old])).toMatchObject({ exitCode: 10 });
    expect(readFileSync(old, 'utf8')).toBe('old');
    expect(readdirSync(project.directory).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });
});

it.each(Object.entries(metrics))('the page tells of %s', (name, { type, labels, help }) => {
  expect(page).toContain(`| \`backup_automation_${name}\` | ${type} | ${labels.join(', ')} | ${help} |`);
});
