/**
 * test: what a whole run needs once: the built command, PostgreSQL's programs (fetched where there are none) and one throwaway
 * server with the databases that tests clone.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { shopSteps } from '../src/cli/commands/demo/shop.js';
import { startCluster } from '../src/system/postgres/cluster.js';
import { capture } from '../src/system/programs/exec.js';
import { findOrFetchServer } from '../src/system/programs/programs.js';

export interface TestServer {
  readonly socketDirectory: string;
  readonly port: number;
  readonly superuser: string;
  readonly binDirectory: string;
  readonly major: number;
}

declare module 'vitest' {
  export interface ProvidedContext {
    postgres: TestServer;
  }
}

const root = join(import.meta.dirname, '..');
const say = (line: string) => void process.stderr.write(`${line}\n`);

function newest(folder: string): number {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return Math.max(...entries.filter((entry) => entry.isFile()).map((entry) => statSync(join(entry.parentPath, entry.name)).mtimeMs));
}

/** `npm test` has built it before; `npx vitest` has not. */
function buildWhenStale(): void {
  try {
    if (statSync(join(root, 'dist/cli/main.js')).mtimeMs > newest(join(root, 'src'))) return;
  } catch {
    // never built
  }
  try {
    execFileSync('npm', ['run', '-s', 'build:js'], { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
  } catch {
    say('the command could not be built; tests that run it test the last build, or fail');
  }
}

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  buildWhenStale();
  const programs = await findOrFetchServer({ env: process.env, signal: new AbortController().signal, say });
  const cluster = await startCluster({ programs });
  const sql = async (database: string, text: string) => {
    const { exitCode, stderr } = await capture(programs.file('psql'), ['-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', cluster.url(database)], {
      input: text,
      timeoutMs: 120_000,
    });
    if (exitCode !== 0) throw new Error(stderr);
  };
  try {
    await sql('postgres', 'CREATE DATABASE template_empty TEMPLATE template0;\nCREATE DATABASE template_shop TEMPLATE template0;');
    await sql(
      'template_shop',
      shopSteps(200)
        .map((step) => step.sql)
        .join('\n'),
    );
    await sql('postgres', "UPDATE pg_database SET datallowconn = false WHERE datname LIKE 'template\\__%';");
  } catch (error) {
    await cluster.stop();
    throw error;
  }
  const { socketDirectory, port, superuser, major } = cluster;
  project.provide('postgres', { socketDirectory, port, superuser, major, binDirectory: programs.directory });
  return () => cluster.stop();
}
