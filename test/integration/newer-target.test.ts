/**
 * test: what was dumped from an older server by its own client comes back equal on a newer one, as before an upgrade.
 */
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { startCluster, type Cluster } from '../../src/system/postgres/cluster.js';
import { findServers } from '../../src/system/programs/programs.js';
import { cloneDatabase, type TestDatabase } from '../fixtures/database.js';
import { contentOf, ending, lab, type Lab } from '../fixtures/lab.js';

const { major, binDirectory } = inject('postgres');
const newest = (await findServers({ env: process.env })).toSorted((a, b) => b.major - a.major)[0];
const reason = newest && newest.major > major ? null : `no PostgreSQL newer than ${major} is to be found here`;

describe.skipIf(reason !== null)(`from ${major} to ${newest?.major}${reason ? ` (${reason})` : ''}`, () => {
  let source: TestDatabase;
  let target: Cluster;
  let project: Lab;
  const restore = (name: string, ...more: string[]) => project.json(['restore', 'latest', '--to', target.url(name), ...more]);

  beforeAll(async () => {
    if (!newest) throw new Error(reason ?? '');
    [source, target] = await Promise.all([cloneDatabase('shop'), startCluster({ programs: newest })]);
    project = lab({ shop: { url: source.url } }, { clientDirectory: binDirectory, fingerprint: 'content' });
    expect(ending(await project.json(['execute']))).toEqual({ exitCode: 0 });
    expect(ending(await restore('postgres', '--globals'))).toEqual({ exitCode: 0 });
  }, 60_000);
  afterAll(async () => {
    project.cleanup();
    await Promise.all([source.drop(), target.stop()]);
  });

  it.each([
    ['by its own client', 'older', binDirectory, []],
    ['by the newer one', 'newer', newest?.directory ?? '', []],
    ['over several connections', 'several', newest?.directory ?? '', ['--jobs', '2']],
  ] as const)('%s', async (_how, name, client, more) => {
    const { exitCode, document } = await restore(name, '--create', '--set', `clientDirectory=${client}`, ...more);
    expect({ exitCode, document }).toMatchObject({ exitCode: 0, document: { ok: true, compared: true, warnings: [] } });
    const rows = (text: string) => text.split('\n').filter((line) => /\|\d+\|[0-9a-f]{32}$|^large object/.test(line));
    expect(rows(await contentOf(target.url(name)))).toEqual(rows(await contentOf(source.url)));
  });

  it('verify proves it in a server of the newer version', async () => {
    const server = ['--set', 'verify.server=env:VERIFY_URL', '--set', `clientDirectory=${newest?.directory ?? ''}`];
    const { exitCode, document } = await project.json(['verify', 'latest', ...server], { env: { VERIFY_URL: target.url('postgres') } });
    expect({ exitCode, results: document.results }).toMatchObject({
      exitCode: 0,
      results: [{ ok: true, detail: expect.stringContaining('by content') }],
    });
  });
});
