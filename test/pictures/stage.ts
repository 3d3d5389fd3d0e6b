/**
 * pictures: a small company's databases on a throwaway server, two weeks of nightly backups by the real command, and `serve` beside it.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { shopSteps } from '../../src/cli/commands/demo/shop.js';
import { startCluster } from '../../src/system/postgres/cluster.js';
import { capture } from '../../src/system/programs/exec.js';
import { findOrFetchServer } from '../../src/system/programs/programs.js';
import { runCli, startCli, type CliOptions, type CliResult } from '../fixtures/cli.js';

const nights = 14;
/** Last night one of them was looked for under another name. */
const failing = ['--set', 'databases.crm.url=env:RENAMED_URL'];
const databases = ['crm', 'shop', 'warehouse'];

export interface Stage {
  readonly url: string;
  readonly directory: string;
  /** By role. */
  readonly tokens: Readonly<Record<string, string>>;
  run(...args: string[]): Promise<CliResult>;
  sql(database: string, text: string): Promise<string>;
  close(): Promise<void>;
}

/** What differs from the defaults so that any hour will do, and a machine with a small disk. */
const configuration = {
  timezone: 'Europe/Berlin',
  backupWindow: { start: '00:00', end: '00:00' },
  conditions: { minDiskSpace: 0.1, maxConcurrentBackups: 4 },
  healthCheckBeforeBackup: false,
  intelligentScheduling: false,
  databases: Object.fromEntries(databases.map((name) => [name, { url: `env:${name.toUpperCase()}_URL` }])),
  storages: { local: { kind: 'local', path: './backups' }, vault: { kind: 'local', path: './vault' } },
  schedules: {
    nightly: { cron: '0 2 * * *', retention: { keepLast: 14 } },
  },
  api: { port: 0, rateLimit: 100_000 },
};

/** Without `history` nothing has happened yet. */
export async function openStage({ history }: { readonly history: boolean }): Promise<Stage> {
  const say = (line: string) => void process.stderr.write(`${line}\n`);
  const programs = await findOrFetchServer({ env: process.env, signal: new AbortController().signal, say });
  const cluster = await startCluster({ programs });
  const directory = mkdtempSync(join(tmpdir(), 'backup-automation-pictures-'));
  const sql = async (database: string, text: string) => {
    const { exitCode, stdout, stderr } = await capture(
      programs.file('psql'),
      ['-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-d', cluster.url(database)],
      {
        input: text,
        timeoutMs: 120_000,
      },
    );
    if (exitCode !== 0) throw new Error(stderr);
    return stdout;
  };
  const env = {
    HOME: directory,
    TZ: 'Europe/Berlin',
    ...Object.fromEntries(databases.map((name) => [`${name.toUpperCase()}_URL`, cluster.url(name)])),
    RENAMED_URL: cluster.url('crm').replace(/dbname=crm|\/crm\b/, (found) => found.replace('crm', 'crm_old')),
  };
  const config = { ...configuration, clientDirectory: programs.directory };
  writeFileSync(join(directory, 'backup-automation.config.json'), JSON.stringify(config), { mode: 0o600 });
  const run = (args: readonly string[], options: CliOptions = {}) => runCli(args, { cwd: directory, env, ...options });

  for (const [index, name] of databases.entries()) {
    await sql('postgres', `CREATE DATABASE ${name};`);
    for (const step of shopSteps(200 * (index + 1))) await sql(name, step.sql);
  }
  if (history)
    for (let night = nights; night >= 1; night -= 1) {
      const under = ['faketime', '-f', `@${at(night)}`];
      const { exitCode, stderr } = await run(['execute', 'nightly', '--quiet', ...(night === 1 ? failing : [])], {
        under,
        env: { ...env, DONT_FAKE_MONOTONIC: '1', FAKETIME_DONT_FAKE_MONOTONIC: '1' },
      });
      if (exitCode !== 0) say(`night ${night}: ${exitCode} ${stderr}`);
      await sql(
        'shop',
        `INSERT INTO visits SELECT timestamptz '2024-06-01Z' + i * interval '1 minute', '/night/' || random(), gen_random_uuid() FROM generate_series(1, 4000) i;`,
      );
      await sql(
        'warehouse',
        `INSERT INTO visits SELECT timestamptz '2024-06-01Z' + i * interval '1 minute', '/night/' || random(), gen_random_uuid() FROM generate_series(1, ${night % 3} * 900) i;`,
      );
    }
  const tokens: Record<string, string> = {};
  for (const role of ['read', 'operate', 'admin']) {
    const { stdout } = await run(['token', 'create', '--name', `the-${role}`, '--role', role, '--json']);
    tokens[role] = (JSON.parse(stdout) as { token: string }).token;
  }
  const { child, done } = startCli(['serve'], { cwd: directory, env });
  let said = '';
  await new Promise<void>((resolve, reject) => {
    child.stderr?.on('data', (text: string) => {
      said += text;
      if (/listening on \S+/.test(said)) resolve();
    });
    done.then(({ stderr }) => reject(new Error(stderr)), reject);
  });
  return {
    url: /listening on ([^\s,]+)/.exec(said)?.[1] ?? '',
    directory,
    tokens,
    run: (...args) => run(args),
    sql,
    async close() {
      child.kill('SIGTERM');
      await done.catch(() => {});
      await cluster.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** 02:00 so many nights ago, as faketime reads it in Berlin. */
function at(night: number): string {
  const day = new Date(Date.now() - (night - 1) * 86_400_000);
  return `${day.toISOString().slice(0, 10)} 02:00:0${night % 9}`;
}
