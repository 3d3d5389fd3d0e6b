import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { alwaysOpen, temporaryProject, type TemporaryProject } from '../../fixtures/cli.js';
import { cloneDatabase, program, sql, type TestDatabase } from '../../fixtures/database.js';

let database: TestDatabase;
let project: TemporaryProject;

beforeAll(async () => {
  database = await cloneDatabase('shop');
  project = temporaryProject(database.url);
  project.file('backup-automation.config.json', { ...alwaysOpen, databases: { shop: { url: 'env:DATABASE_URL' } } });
});

afterAll(async () => {
  project.cleanup();
  await database.drop();
});

const count = () => sql(database.url, 'SELECT count(*) FROM customers;');

describe('guard', () => {
  test('the printed command brings back what a failed command destroyed', async () => {
    const before = await count();
    const guarded = ['guard', '--', program('psql'), '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', database.url];
    const { exitCode, stderr } = await project.run([...guarded, '-c', 'TRUNCATE customers CASCADE', '-c', 'SELECT 1/0']);
    expect(exitCode).toBe(1);
    expect(await count()).toBe('0');
    const wayBack = /^ {2}backup-automation (restore .*)$/m.exec(stderr)?.[1];
    expect(wayBack).toContain('--force-target');
    const bin = join(import.meta.dirname, '../../../bin/backup-automation.js');
    const typed = spawnSync('/bin/sh', ['-c', `'${process.execPath}' '${bin}' ${wayBack}`], { cwd: project.directory, env: project.env });
    expect([typed.status, typed.stderr.toString()]).toEqual([0, expect.any(String)]);
    expect(await count()).toBe(before);
  });

  test('a command that succeeds gets its way, and its exit code', async () => {
    const { exitCode, stdout, stderr } = await project.run(['guard', '--', 'echo', 'migrated']);
    expect([exitCode, stdout]).toEqual([0, 'migrated\n']);
    expect(stderr).not.toContain('restore');
    const { exitCode: own } = await project.run(['guard', '--', 'sh', '-c', 'exit 41']);
    expect(own).toBe(41);
  });

  test('the backup is proven at level archive whatever the configuration says', async () => {
    await project.run(['guard', '--set', 'verify.afterBackup=none', '--', 'true']);
    const { stdout } = await project.run(['backups', '--json']);
    expect(JSON.parse(stdout).backups[0].proven.level).toBe('archive');
  });

  test('without a backup the command does not run', async () => {
    const { exitCode, stdout } = await project.run(['guard', '--', 'echo', 'ran'], {
      env: { ...project.env, DATABASE_URL: 'postgresql://127.0.0.1:1/x' },
    });
    expect([exitCode, stdout]).toEqual([20, '']);
    const { stdout: events } = await project.run(['events', '--status', 'pending', '--json']);
    expect(JSON.parse(events).events).toEqual([]);
  });

  test('a program that is not there is said, with exit code 2', async () => {
    const { exitCode, stderr } = await project.run(['guard', '--', 'no-such-program']);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('no-such-program');
  });
});
