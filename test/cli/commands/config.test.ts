import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { temporaryProject, type TemporaryProject } from '../../fixtures/cli.js';

let project: TemporaryProject;
beforeEach(() => {
  project = temporaryProject();
});
afterEach(() => project.cleanup());

const document = async (...args: string[]) => {
  const { stdout, exitCode } = await project.run([...args, '--json']);
  return { exitCode, ...(JSON.parse(stdout) as Record<string, unknown>) };
};

test('config shows every value and where it comes from, and writes nothing', async () => {
  project.file('backup-automation.config.json', { retryDelay: 5 });
  const env = { DB_BACKUP_MAX_LOAD: '50', COLUMNS: '100' };
  const { stdout, exitCode } = await project.run(['config', '--set', 'maxRetries=9'], { env });
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/^KEY +ORIGIN +VALUE$/m);
  expect(stdout).toMatch(/^maxRetries +flag +9$/m);
  expect(stdout).toMatch(/^conditions\.maxDatabaseLoad +environment +50$/m);
  expect(stdout).toMatch(/^retryDelay +file +5$/m);
  expect(stdout).toMatch(/^jobs +default +1$/m);
  expect(readdirSync(project.directory).sort()).toEqual(['backup-automation.config.json', 'home']);
});

test('config --json is the document of the contract', async () => {
  const file = project.file('backup-automation.config.json', { retryDelay: 5 });
  expect(await document('config')).toMatchObject({
    exitCode: 0,
    configuration: { retryDelay: 5, maxRetries: 3, databases: { default: {} } },
    origins: { retryDelay: 'file', maxRetries: 'default' },
    file,
  });
});

test('config get is one value, a part, or the nearest names', async () => {
  project.file('backup-automation.config.json', { backupWindow: { start: '02:00' } });
  expect(await document('config', 'get', 'backupWindow.end')).toEqual({
    exitCode: 0,
    key: 'backupWindow.end',
    value: '06:00',
    origin: 'default',
  });
  expect(await document('config', 'get', 'backupWindow')).toMatchObject({ value: { start: '02:00', end: '06:00' }, origin: 'file' });
  expect(await document('config', 'get', 'timezone')).toMatchObject({ value: null, origin: 'default' });
  expect((await project.run(['config', 'get', 'backupWindow.start'])).stdout).toBe('02:00\n');
  expect(await document('config', 'get', 'condition')).toMatchObject({
    exitCode: 2,
    error: { code: 'not-found', hint: expect.stringContaining('conditions') as string },
  });
});

test('config update takes negative numbers to the schema, and warns of the environment on stderr', async () => {
  expect(await document('config', 'update', 'conditions.maxDatabaseLoad', '70')).toMatchObject({
    exitCode: 0,
    key: 'conditions.maxDatabaseLoad',
    value: 70,
    previous: 80,
    file: join(project.directory, 'backup-automation.config.json'),
  });
  expect(await document('config', 'update', 'maxRetries', '-1')).toMatchObject({ exitCode: 10, error: { code: 'configuration' } });
  const { stderr } = await project.run(['config', 'update', 'maxRetries', '5'], { env: { DB_BACKUP_MAX_RETRIES: '1' } });
  expect(stderr).toContain('warning: DB_BACKUP_MAX_RETRIES in the environment overrides maxRetries');
  const file = readFileSync(join(project.directory, 'backup-automation.config.json'), 'utf8');
  expect(JSON.parse(file)).toEqual({ conditions: { maxDatabaseLoad: 70 }, maxRetries: 5 });
});

test('config validate lists errors structurally, exit 10', async () => {
  expect(await document('config', 'validate')).toEqual({ exitCode: 0, ok: true, errors: [], warnings: [] });
  const file = project.file('backup-automation.config.json', { maxRetrys: 1, jobs: 0 });
  expect(await document('config', 'validate')).toMatchObject({
    exitCode: 10,
    ok: false,
    errors: [
      { source: file, key: 'jobs', found: '0', expected: 'a whole number from 1 to 64' },
      { source: file, key: 'maxRetrys', found: '1', expected: 'no such key (did you mean "maxRetries"?)' },
    ],
    error: { code: 'configuration', class: 'permanent' },
  });
  const { stderr } = await project.run([
    'config',
    'validate',
    '--set',
    'alerts.a={"kind":"slack","url":"env:X"}',
    '--config',
    project.file('good.json', {}),
  ]);
  expect(stderr).toBe('');
});

test('config init and schema', async () => {
  expect(await document('config', 'init')).toMatchObject({ exitCode: 0 });
  expect(existsSync(join(project.directory, 'backup-automation.schema.json'))).toBe(true);
  expect(await document('config', 'init')).toMatchObject({ exitCode: 10 });
  expect(await document('config', 'validate')).toMatchObject({ ok: true });
  expect((await project.run(['config', 'schema'])).stdout).toBe(
    readFileSync(join(project.directory, 'backup-automation.schema.json'), 'utf8'),
  );
});

test('no secret is shown: references stay references', async () => {
  project.file('backup-automation.config.json', {
    databases: { d: { url: 'env:SHOP_URL' }, e: { host: 'h', password: 'env:SHOP_PASSWORD' } },
  });
  const env = { SHOP_URL: 'postgresql://u:hunter2hunter2@h/d', SHOP_PASSWORD: 'hunter2hunter2' };
  for (const args of [['config'], ['config', '--json'], ['config', 'get', 'databases'], ['config', 'validate', '--verbose']]) {
    const { stdout, stderr } = await project.run(args, { env });
    expect(stdout + stderr).not.toContain('hunter2');
  }
  const { stderr, exitCode } = await project.run(['config', '--set', 'databases.e.password=hunter2hunter2'], { env });
  expect(exitCode).toBe(10);
  expect(stderr).not.toContain('hunter2');
});
