/** test: a throwaway server starts as anyone, is ours alone, and leaves nothing, even after its owner was killed. */
import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { Failure } from '../../../src/model/errors.js';
import { startCluster } from '../../../src/system/postgres/cluster.js';
import { openScratch } from '../../../src/system/postgres/scratch.js';
import { serverPrograms, sql } from '../../fixtures/database.js';

let parent = '';
beforeAll(() => {
  parent = mkdtempSync('/tmp/a space ');
  chmodSync(parent, 0o755);
});
afterAll(() => rmSync(parent, { recursive: true, force: true }));

describe('startCluster', () => {
  test('takes connections on a socket that only we can reach, in a path with a space', async () => {
    const cluster = await startCluster({ programs: await serverPrograms(), directory: parent });
    try {
      expect(cluster.socketDirectory).toContain(parent);
      expect(await sql(cluster.url('postgres'), 'SELECT current_user, inet_server_addr() IS NULL')).toBe('postgres|t');
      expect(statSync(cluster.socketDirectory).mode & 0o777).toBe(0o700);
      expect(cluster.major).toBe(inject('postgres').major);
    } finally {
      await cluster.stop();
    }
    expect(existsSync(dirname(cluster.dataDirectory))).toBe(false);
    await cluster.stop();
  });

  test('listens on loopback with passwords when asked to', async () => {
    const cluster = await startCluster({ programs: await serverPrograms(), tcp: true, settings: { max_connections: '7' } });
    try {
      expect(await sql(cluster.url('postgres'), "CREATE ROLE guest LOGIN PASSWORD 'secret'; SHOW max_connections")).toBe('7');
      expect(await sql(`postgresql://guest:secret@127.0.0.1:${cluster.port}/postgres`, 'SELECT current_user')).toBe('guest');
      await expect(sql(`postgresql://guest:wrong@127.0.0.1:${cluster.port}/postgres`, 'SELECT 1')).rejects.toThrow(/password/);
    } finally {
      await cluster.stop();
    }
  });

  test('keeps the encoding where the locale does not exist', async () => {
    const programs = await serverPrograms();
    const cluster = await startCluster({ programs, encoding: 'LATIN1', locale: 'xx_XX.ISO-8859-1' });
    try {
      expect(await sql(cluster.url('postgres'), 'SHOW server_encoding; SHOW lc_messages')).toBe('LATIN1\nC');
    } finally {
      await cluster.stop();
    }
  });

  test('says why it does not start, and leaves nothing', async () => {
    const programs = await serverPrograms();
    const before = readdirSync(parent);
    const attempt = startCluster({ programs, directory: parent, settings: { shared_buffers: 'plenty' } });
    await expect(attempt).rejects.toThrow(/postgres says "[^\n]*plenty/);
    expect(readdirSync(parent)).toEqual(before);
  });

  test('stops when it is asked to while it starts', async () => {
    const reason = new Failure('interrupted', 'stop');
    const attempt = startCluster({ programs: await serverPrograms(), directory: parent, signal: AbortSignal.abort(reason) });
    await expect(attempt).rejects.toBe(reason);
    expect(readdirSync(parent)).toEqual([]);
  });

  test.each(['open', 'caged'])('does not outlive a killed owner, and the next one removes what was left (%s)', async (cage) => {
    const source = join(import.meta.dirname, '../../fixtures/cluster-owner.ts');
    const esbuild = join(import.meta.dirname, '../../../node_modules/.bin/esbuild');
    const bundle = join(import.meta.dirname, '../../../node_modules/.cache/cluster-owner.mjs');
    const built = spawn(esbuild, [source, '--bundle', '--format=esm', '--platform=node', '--packages=external', `--outfile=${bundle}`]);
    await new Promise((resolve) => built.on('close', resolve));
    const owner = spawn(process.execPath, [bundle, inject('postgres').binDirectory, parent, cage], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const url = await new Promise<string>((resolve) => owner.stdout.setEncoding('utf8').once('data', resolve));
    expect(await sql(url, 'SELECT 1')).toBe('1');
    owner.kill('SIGKILL');
    await expect.poll(() => sql(url, 'SELECT 1').catch(() => 'gone')).toBe('gone');
    const left = readdirSync(parent);
    expect(left).toHaveLength(1);
    const next = await startCluster({ programs: await serverPrograms(), directory: parent });
    const now = readdirSync(parent);
    await next.stop();
    expect(now).not.toContain(left[0]);
  });
});

describe('openScratch', () => {
  const elsewhere = { source: [], last: '/tmp', reserve: 0 };
  const request = { ...elsewhere, encoding: 'UTF8', collate: 'C', ctype: 'C', signal: new AbortController().signal };

  test('gives an empty database of the encoding that was asked for', async () => {
    const { major } = inject('postgres');
    const scratch = await openScratch({ ...request, serverMajor: major, encoding: 'EUC_JP', collate: 'ja_JP.nowhere', ctype: null });
    try {
      const answer = await sql(scratch.url, "SHOW server_encoding; SELECT current_database() ~ '^backup-automation_verify_[0-9a-f]{8}$'");
      expect(answer).toBe('EUC_JP\nt');
    } finally {
      await scratch.close();
    }
  });

  test('names what is missing for a newer server', async () => {
    const failure = await openScratch({ ...request, serverMajor: 99 }).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'server-missing', exit: 22 });
    expect((failure as Failure).hint).toContain('postgresql-99');
  });
});
