/**
 * test: `npm run pictures:terminal`: a terminal in which the first commands were really typed, as docs/pictures/terminal.svg.
 * On a PostgreSQL of its own, under a pseudo-terminal of script(1); leaves nothing.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { shopSteps } from '../../src/cli/commands/demo/shop.js';
import { startCluster, type Cluster } from '../../src/system/postgres/cluster.js';
import { capture } from '../../src/system/programs/exec.js';
import { findOrFetchServer } from '../../src/system/programs/programs.js';
import { pictureOf, screenOf, type Cell } from './screen.js';

const root = process.cwd();
const columns = 92;
const typed = ['backup-automation execute', 'backup-automation verify', 'backup-automation backups'];
const configuration = { databases: { shop: { url: 'env:DATABASE_URL' } }, backupWindow: { start: '00:00', end: '00:00' } };

const say = (line: string) => void process.stderr.write(`${line}\n`);
const prompt = (line: string): Cell[] =>
  [...`$ ${line}`].map((character, index) => ({ character, bold: index > 1, dim: false, colour: index === 0 ? '#56d364' : null }));

/** What one command writes to a terminal. */
function written(line: string, folder: string, env: Record<string, string>): string {
  const inside = `stty cols ${columns} rows 50; ${line}`;
  const { status, stdout } = spawnSync('script', ['-qec', inside, '/dev/null'], { cwd: folder, env, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${line}: exit code ${status}\n${stdout}`);
  return stdout;
}

async function fill(cluster: Cluster, psql: string): Promise<void> {
  for (const [database, text] of [
    ['postgres', 'CREATE DATABASE shop;'],
    ['shop', shopSteps(4000).map((step) => step.sql).join('\n')], // prettier-ignore
  ] as const) {
    const { exitCode, stderr } = await capture(psql, ['-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', cluster.url(database)], { input: text });
    if (exitCode !== 0) throw new Error(stderr);
  }
}

const programs = await findOrFetchServer({ env: process.env, signal: new AbortController().signal, say });
const folder = mkdtempSync(join(tmpdir(), 'backup-automation-picture-'));
const cluster = await startCluster({ programs });
try {
  await fill(cluster, programs.file('psql'));
  mkdirSync(join(folder, 'bin'));
  const command = join(folder, 'bin/backup-automation');
  writeFileSync(command, `#!/bin/sh\nexec '${process.execPath}' '${root}/bin/backup-automation.js' "$@"\n`);
  chmodSync(command, 0o755);
  writeFileSync(join(folder, 'backup-automation.config.json'), JSON.stringify(configuration), { mode: 0o600 });
  const path = `${join(folder, 'bin')}:${programs.directory}:${process.env['PATH']}`;
  const env = { PATH: path, HOME: folder, TERM: 'xterm-256color', LANG: 'C.UTF-8', TZ: 'UTC', DATABASE_URL: cluster.url('shop') };
  const lines: Cell[][] = [];
  for (const line of typed) lines.push(prompt(line), ...screenOf(written(line, folder, env)), []);
  mkdirSync(join(root, 'docs/pictures'), { recursive: true });
  const title = 'A terminal: execute takes a backup, verify restores and compares it, backups lists it as proven';
  writeFileSync(join(root, 'docs/pictures/terminal.svg'), pictureOf(lines.slice(0, -1), columns, title));
} finally {
  await cluster.stop();
  rmSync(folder, { recursive: true, force: true });
}
