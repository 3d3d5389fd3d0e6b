import { chmodSync, lstatSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { updateConfig } from '../../src/config/update.js';
import { temporaryFolder, write } from './folder.js';

const contract = readFileSync(join(import.meta.dirname, 'fixtures/contract.json'), 'utf8');
const text = (cwd: string) => readFileSync(join(cwd, 'backup-automation.config.json'), 'utf8');
const update = (cwd: string, key: string, value: string, env: NodeJS.ProcessEnv = {}) =>
  updateConfig(key, value, { set: [] }, { env, cwd });

test('creates the file where there is none', () => {
  const cwd = temporaryFolder();
  const file = join(cwd, 'backup-automation.config.json');
  expect(update(cwd, 'maxRetries', '5')).toEqual({ key: 'maxRetries', value: 5, previous: 3, file, warnings: [] });
  expect(text(cwd)).toBe('{\n  "maxRetries": 5\n}\n');
  expect(statSync(file).mode & 0o777).toBe(0o644);
  expect(readdirSync(cwd)).toEqual(['backup-automation.config.json']);
});

test('changes one value and leaves every other character', () => {
  const cwd = temporaryFolder();
  write(cwd, contract);
  expect(update(cwd, 'conditions.maxDatabaseLoad', '70').previous).toBe(80);
  expect(text(cwd)).toBe(contract.replace('"maxDatabaseLoad": 80', '"maxDatabaseLoad": 70'));
  update(cwd, 'health.minCacheHitRatio', '60');
  update(cwd, 'stateDirectory', './elsewhere');
  expect(text(cwd)).toBe(
    contract
      .replace('"maxDatabaseLoad": 80', '"maxDatabaseLoad": 70')
      .replace('"minCacheHitRatio": 70', '"minCacheHitRatio": 60')
      .replace('./.backup-automation', './elsewhere'),
  );
});

test('adds a key behind the others, in the style of its object', () => {
  const cwd = temporaryFolder();
  write(cwd, '{\n\t"maxRetries": 1,\n\t"conditions": { "minDiskSpace": 1 }\n}\n');
  update(cwd, 'conditions.maxDatabaseLoad', '7');
  update(cwd, 'backupWindow.start', '02:00');
  expect(text(cwd)).toBe(
    '{\n\t"maxRetries": 1,\n\t"conditions": { "minDiskSpace": 1, "maxDatabaseLoad": 7 },\n\t"backupWindow": {\n\t\t"start": "02:00"\n\t}\n}\n',
  );
});

test('a key inside a default section brings the section with it', () => {
  const cwd = temporaryFolder();
  update(cwd, 'schedules.daily-backup.enabled', 'false');
  const { schedules } = JSON.parse(text(cwd)) as { schedules: Record<string, object> };
  expect(Object.keys(schedules)).toEqual(['daily-backup', 'weekly-backup', 'monthly-backup']);
  expect(schedules['daily-backup']).toEqual({ cron: '0 2 * * *', retention: { keepLast: 7 }, enabled: false });
});

test('warns when the environment overrides the key, and judges the file without it', () => {
  const cwd = temporaryFolder();
  const { warnings } = update(cwd, 'maxRetries', '5', { DB_BACKUP_MAX_RETRIES: '9', DB_BACKUP_MAX_LOAD: 'broken' });
  expect(warnings).toEqual(['DB_BACKUP_MAX_RETRIES in the environment overrides maxRetries: 9 holds']);
  expect(text(cwd)).toContain('"maxRetries": 5');
});

test('keeps the mode, follows a link, and changes our key in package.json', () => {
  const cwd = temporaryFolder();
  mkdirSync(join(cwd, 'real'));
  const real = write(join(cwd, 'real'), { maxRetries: 1 }, 'real.json');
  chmodSync(real, 0o640);
  symlinkSync(real, join(cwd, 'backup-automation.config.json'));
  expect(update(cwd, 'maxRetries', '2')).toMatchObject({ file: real, previous: 1 });
  expect(lstatSync(join(cwd, 'backup-automation.config.json')).isSymbolicLink()).toBe(true);
  expect(statSync(real).mode & 0o777).toBe(0o640);
  const other = temporaryFolder();
  const file = write(other, { name: 'x', 'backup-automation': { maxRetries: 1 }, version: '1' }, 'package.json');
  update(other, 'maxRetries', '2');
  expect(readFileSync(file, 'utf8')).toBe('{"name":"x","backup-automation":{"maxRetries":2},"version":"1"}');
});

describe('bad input loses nothing', () => {
  test.each([
    ['maxRetries', '-1', 'config update: maxRetries is -1'],
    ['maxRetries', 'many', 'config update: maxRetries is "many"'],
    ['maxRetrys', '5', 'did you mean "maxRetries"'],
    ['conditions', '{"maxDatabaseLoad": 120}', 'config update: conditions.maxDatabaseLoad is 120'],
    ['maxRetries.x', '1', 'maxRetries is no object'],
    ['__proto__.x', '1', 'no such key'],
    ['', '1', 'no such key'],
    ['databases.shop.url', 'postgresql://u:hunter2@h/d', 'a URL with a password'],
    ['storages.local.path', '""', 'storages.local.path is ""'],
  ])('%s = %s', (key, value, message) => {
    const cwd = temporaryFolder();
    write(cwd, contract);
    expect(() => update(cwd, key, value)).toThrow(message);
    expect(() => update(cwd, key, value)).not.toThrow('hunter2');
    expect(text(cwd)).toBe(contract);
    expect(readdirSync(cwd)).toEqual(['backup-automation.config.json']);
  });

  test('nor is a file made of it', () => {
    const cwd = temporaryFolder();
    expect(() => update(cwd, 'maxRetries', '-1')).toThrow('config update');
    expect(readdirSync(cwd)).toEqual([]);
  });

  test('a broken file, a YAML file and one that others may write stay as they are', () => {
    const cwd = temporaryFolder();
    const file = write(cwd, '{"maxRetries": 1,}');
    expect(() => update(cwd, 'maxRetries', '2')).toThrow('line 1');
    chmodSync(write(cwd, '{}'), 0o666);
    chmodSync(file, 0o666);
    expect(() => update(cwd, 'maxRetries', '2')).toThrow('chmod go-w');
    const other = temporaryFolder();
    write(other, 'maxRetries: 1', 'backup-automation.config.yaml');
    expect(() => update(other, 'maxRetries', '2')).toThrow('is no JSON file');
  });
});
