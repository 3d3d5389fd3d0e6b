import { chmodSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { variables } from '../../src/config/environment.js';
import { checkConfig, loadConfig, locateState } from '../../src/config/load.js';
import { load, problems, temporaryFolder, write } from './folder.js';

const nothing = { set: [] };
const contract = readFileSync(join(import.meta.dirname, 'fixtures/contract.json'), 'utf8');

describe('defaults', () => {
  test("are the specification's", async () => {
    const { config, file } = await load({});
    expect(file).toBeNull();
    expect(config).toMatchObject({
      enabled: true,
      intelligentScheduling: true,
      loadBasedBackup: true,
      healthCheckBeforeBackup: true,
      autoRetry: true,
      maxRetries: 3,
      retryDelay: 30,
      alertOnFailure: true,
      alertOnSuccess: false,
      backupWindow: { start: '01:00', end: '06:00' },
      conditions: { maxDatabaseLoad: 80, minDiskSpace: 10, maxConcurrentBackups: 2 },
      retention: { keepLast: 7, minimum: 3 },
      databases: { default: {} },
    });
    expect(Object.entries(config.schedules).map(([name, { cron, retention }]) => [name, cron, retention?.keepLast])).toEqual([
      ['daily-backup', '0 2 * * *', 7],
      ['weekly-backup', '0 3 * * 0', 4],
      ['monthly-backup', '0 4 1 * *', 12],
    ]);
  });

  test('take the database from DATABASE_URL, as a reference', async () => {
    const { config, origins } = await load({ env: { DATABASE_URL: 'postgresql://u:secret@h/d' } });
    expect(config.databases).toEqual({ default: { url: 'env:DATABASE_URL' } });
    expect(origins['databases.default.url']).toBe('environment');
  });

  test('fill in nested keys that are left out, and keep the minimum of a given retention', async () => {
    const { config } = await load({ file: { backupWindow: { end: '23:00' }, retention: { keepLast: 2 }, compression: 'gzip' } });
    expect(config.backupWindow).toEqual({ start: '01:00', end: '23:00' });
    expect(config.retention).toEqual({ keepLast: 2, minimum: 3 });
    expect(config.compression).toEqual({ algorithm: 'gzip', level: 1 });
  });
});

test("the contract's whole sample is valid, and says what is not built yet", async () => {
  const cwd = temporaryFolder();
  write(cwd, contract);
  const { errors, warnings } = await checkConfig(nothing, { env: {}, cwd }, new Date('2026-01-01'));
  expect(errors).toEqual([]);
  expect(warnings.join()).toContain('encryption');
});

describe('precedence', () => {
  test('flag over environment over file over default, leaf by leaf', async () => {
    const { config, origins } = await load({
      file: { maxRetries: 1, retryDelay: 1, conditions: { maxDatabaseLoad: 1, minDiskSpace: 1 }, compression: 'zstd' },
      env: { DB_BACKUP_MAX_RETRIES: '2', DB_BACKUP_MAX_LOAD: '2', DB_BACKUP_WINDOW_START: '02:00' },
      set: ['maxRetries=3', 'compression.level=4', 'schedules.daily-backup.enabled=false', 'timezone=Europe/Berlin'],
    });
    expect(config).toMatchObject({
      maxRetries: 3,
      retryDelay: 1,
      backupWindow: { start: '02:00', end: '06:00' },
      conditions: { maxDatabaseLoad: 2, minDiskSpace: 1, maxConcurrentBackups: 2 },
      compression: { algorithm: 'zstd', level: 4 },
      timezone: 'Europe/Berlin',
    });
    expect(config.schedules['daily-backup']).toMatchObject({ enabled: false, cron: '0 2 * * *' });
    expect(origins).toMatchObject({
      maxRetries: 'flag',
      retryDelay: 'file',
      'conditions.maxDatabaseLoad': 'environment',
      'conditions.minDiskSpace': 'file',
      'conditions.maxConcurrentBackups': 'default',
      'backupWindow.start': 'environment',
      'backupWindow.end': 'default',
      'compression.algorithm': 'file',
      'compression.level': 'flag',
      'schedules.daily-backup.enabled': 'flag',
      'schedules.daily-backup.cron': 'default',
      timezone: 'flag',
    });
  });

  test('a whole object by flag replaces the one of the file', async () => {
    const { config, origins } = await load({
      file: { backupWindow: { start: '03:00', end: '04:00' } },
      set: ['backupWindow={"start":"05:00"}'],
    });
    expect(config.backupWindow).toEqual({ start: '05:00', end: '06:00' });
    expect(origins).toMatchObject({ 'backupWindow.start': 'flag', 'backupWindow.end': 'default' });
  });

  test('each of the 14 variables sets its key, and each refuses what is written wrong', async () => {
    const samples = { switch: ['no', false], number: ['7', 7], time: ['02:30', '02:30'] } as const;
    expect(variables).toHaveLength(14);
    for (const [name, key, kind] of variables) {
      const { config, origins } = await load({ env: { [name]: samples[kind][0] } });
      const value = key.split('.').reduce<unknown>((here, part) => (here as Record<string, unknown>)[part], config);
      expect([name, value, origins[key]]).toEqual([name, samples[kind][1], 'environment']);
      for (const wrong of ['maybe', '1e3', '0x10', ' 1', '25:00', 'NaN']) {
        const [problem] = await problems({ env: { [name]: wrong } });
        expect(problem).toMatchObject({ source: name, key, found: JSON.stringify(wrong) });
      }
    }
  });

  test('an empty variable sets nothing; a number out of range names the variable', async () => {
    expect((await load({ env: { DB_BACKUP_MAX_RETRIES: '' } })).config.maxRetries).toBe(3);
    expect(await problems({ file: { maxRetries: 1 }, env: { DB_BACKUP_MAX_LOAD: '101' } })).toEqual([
      { source: 'DB_BACKUP_MAX_LOAD', key: 'conditions.maxDatabaseLoad', found: '101', expected: 'a number from 0 to 100' },
    ]);
  });
});

describe('the file', () => {
  test('is the nearest from the working directory upwards, JSON, YAML or a key of package.json', async () => {
    const root = temporaryFolder();
    const inner = join(root, 'a/b c/d');
    mkdirSync(inner, { recursive: true });
    write(root, { name: 'x', 'backup-automation': { maxRetries: 6 } }, 'package.json');
    const retries = async () => (await loadConfig(nothing, { env: {}, cwd: inner })).config.maxRetries;
    expect(await retries()).toBe(6);
    write(join(root, 'a'), 'maxRetries: 7\nstateDirectory: ./seven\n', 'backup-automation.config.yml');
    expect(await retries()).toBe(7);
    expect(await locateState(nothing, { env: {}, cwd: inner })).toBe(join(root, 'a/seven'));
    write(join(root, 'a/b c'), { name: 'other', bin: { 'backup-automation': 'x' } }, 'package.json');
    expect(await retries()).toBe(7);
    write(join(root, 'a/b c'), { maxRetries: 8 });
    expect(await retries()).toBe(8);
  });

  test('is the one that --config names, else the variable; a program only by --config', async () => {
    const cwd = temporaryFolder();
    write(cwd, { maxRetries: 1 });
    const yaml = write(cwd, 'maxRetries: 2', 'two.yaml');
    const program = write(cwd, 'export default { maxRetries: 1 + 2 };', 'three.mjs');
    const env = { BACKUP_AUTOMATION_CONFIG: yaml };
    expect((await loadConfig(nothing, { env, cwd })).config.maxRetries).toBe(2);
    expect((await loadConfig({ set: [], config: 'three.mjs' }, { env, cwd })).config.maxRetries).toBe(3);
    await expect(loadConfig(nothing, { env: { BACKUP_AUTOMATION_CONFIG: program }, cwd })).rejects.toThrow('only by --config');
    await expect(loadConfig({ set: [], config: 'none.json' }, { env, cwd })).rejects.toThrow('none.json: there is no such file');
    await expect(loadConfig({ set: [], config: write(cwd, '', 'x.toml') }, { env, cwd })).rejects.toThrow('no kind of configuration');
  });

  test('never imports another by $import', async () => {
    const cwd = temporaryFolder();
    write(cwd, 'maxRetries: 9', 'other.yaml');
    write(cwd, '$import: ./other.yaml', 'backup-automation.config.yaml');
    await expect(loadConfig(nothing, { env: {}, cwd })).rejects.toThrow('$import');
  });

  test('makes relative paths relative to itself, those of flags to the working directory', async () => {
    const root = temporaryFolder();
    mkdirSync(join(root, 'here'));
    write(root, {
      clientDirectory: '../bin',
      log: { file: 'log' },
      databases: { a: { passwordFile: 'pw', sslrootcert: 'system', sslcert: '/abs/cert' }, b: { url: 'file:url' } },
      storages: { one: { kind: 'local', path: 'one' }, two: { kind: 'local', path: './two' } },
    });
    const { config, base } = await loadConfig({ set: ['storages.two.path=mine'] }, { env: {}, cwd: join(root, 'here') });
    expect(base).toBe(root);
    expect(config).toMatchObject({
      stateDirectory: join(root, '.backup-automation'),
      clientDirectory: join(root, '../bin'),
      log: { file: join(root, 'log') },
      databases: { a: { passwordFile: join(root, 'pw'), sslrootcert: 'system', sslcert: '/abs/cert' }, b: { url: `file:${root}/url` } },
      storages: { one: { path: join(root, 'one') }, two: { path: join(root, 'here/mine') } },
    });
  });

  test('locateState agrees with loadConfig', async () => {
    const cwd = temporaryFolder();
    for (const [file, set] of [
      [undefined, []],
      [{ stateDirectory: 'x/y' }, []],
      [{ stateDirectory: '/abs' }, []],
      [{ stateDirectory: 'x' }, ['stateDirectory=../flag']],
      [{ stateDirectory: 'x' }, ['stateDirectory="quoted"']],
      [{ maxRetries: 1 }, []],
    ] as const) {
      if (file) write(cwd, file);
      const { config } = await loadConfig({ set }, { env: {}, cwd });
      expect(await locateState({ set }, { env: {}, cwd })).toBe(config.stateDirectory);
    }
  });
});

describe('I6: a file that others may write', () => {
  test.each([0o666, 0o602, 0o622])('is refused with mode %o, through a link too', async (mode) => {
    const cwd = temporaryFolder();
    const file = write(cwd, {}, 'real.json');
    chmodSync(file, mode);
    symlinkSync(file, join(cwd, 'link.json'));
    for (const config of ['real.json', 'link.json'])
      await expect(loadConfig({ set: [], config }, { env: {}, cwd })).rejects.toThrow("nobody else may write it: chmod go-w '");
    await expect(locateState({ set: [], config: file }, { env: {}, cwd })).rejects.toThrow('chmod go-w');
  });

  test('others may read it, since no secret is in it', async () => {
    const cwd = temporaryFolder();
    chmodSync(write(cwd, { maxRetries: 4 }), 0o644);
    expect((await loadConfig(nothing, { env: {}, cwd })).config.maxRetries).toBe(4);
  });

  test.skipIf(process.geteuid?.() !== 0)('belongs to another user (needs root)', async () => {
    const { chownSync } = await import('node:fs');
    const cwd = temporaryFolder();
    chownSync(write(cwd, {}), 4242, 4242);
    await expect(loadConfig(nothing, { env: {}, cwd })).rejects.toThrow('belongs to user 4242');
  });

  test('a folder in its place is refused, not passed over', async () => {
    const cwd = temporaryFolder();
    mkdirSync(join(cwd, 'backup-automation.config.json'));
    await expect(loadConfig(nothing, { env: {}, cwd })).rejects.toThrow('no regular file');
  });
});
