/**
 * test: databases that mean harm are proven by a restore, in a server that is caged (row G11 of docs/reliability.md).
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCluster, type Cluster } from '../../src/system/postgres/cluster.js';
import { noProgramOfOurs, serverPrograms, sql } from '../fixtures/database.js';
import { ending, lab, type Lab } from '../fixtures/lab.js';

let source: Cluster;
let project: Lab;
let reading: Lab;
const folder = mkdtempSync(join(tmpdir(), 'backup-automation-canary '));
const secret = join(folder, 'secret');
const bin = join(folder, 'bin');

/** Whether there is a cage to be had at all. */
const reason = ((): string | null => {
  const foreign = noProgramOfOurs();
  if (foreign) return foreign;
  try {
    const own = process.getuid?.() === 0 ? [] : ['--user', '--map-current-user', '--keep-caps'];
    execFileSync('unshare', [...own, '--mount', '--net', '--ipc', 'mount', '-t', 'tmpfs', 'none', '/mnt'], { stdio: 'ignore' });
    return null;
  } catch {
    return 'no namespaces are to be had here';
  }
})();

/** What a dumped function does at the source, where it would harm the test itself: nothing. No dump holds this setting. */
const spared = "current_setting('harm.less', true) = 'yes'";
const program = (name: string) => `EXECUTE $e$COPY (SELECT 1) TO PROGRAM 'touch "${folder}/canary ${name}"'$e$`;
/** A function that does the deed, and one that says of itself that it does nothing at all: it may be in an index. */
const harm = (name: string, deed: string) => `CREATE FUNCTION ${name}_deed() RETURNS int LANGUAGE plpgsql AS $f$
    BEGIN IF ${spared} THEN RETURN 1; END IF; ${deed}; RETURN 1; EXCEPTION WHEN others THEN RETURN 1; END $f$;
  CREATE FUNCTION ${name}(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $f$ BEGIN RETURN public.${name}_deed(); END $f$;`;
const inCheck = (name: string, deed: string) =>
  `${harm(name, deed)} CREATE TABLE t_${name} (n int CHECK (public.${name}(n) > 0)); INSERT INTO t_${name} VALUES (1);`;

/** By the canary that each would leave. */
const harms: Readonly<Record<string, string>> = {
  check: inCheck('check_', program('check')),
  domain: `${harm('domain_', program('domain'))} CREATE DOMAIN d AS int CHECK (public.domain_(value) > 0); CREATE TABLE t_domain (n d); INSERT INTO t_domain VALUES (1);`,
  index: `${harm('index_', program('index'))} CREATE TABLE t_index (n int); INSERT INTO t_index VALUES (1); CREATE INDEX ON t_index (public.index_(n));`,
  generated: `${harm('generated_', program('generated'))} CREATE TABLE t_gen (n int, g int GENERATED ALWAYS AS (public.generated_(n)) STORED); INSERT INTO t_gen VALUES (1);`,
  view: `${harm('view_', program('view'))} CREATE MATERIALIZED VIEW m AS SELECT public.view_(1) AS n;`,
  'event trigger': `CREATE FUNCTION event_() RETURNS event_trigger LANGUAGE plpgsql AS $f$
    BEGIN IF ${spared} THEN RETURN; END IF; ${program('event trigger')}; EXCEPTION WHEN others THEN RETURN; END $f$;
    CREATE EVENT TRIGGER harm ON ddl_command_end EXECUTE FUNCTION event_();`,
  lo_export: inCheck(
    'export_',
    `PERFORM lo_from_bytea(777, 'x'); PERFORM lo_export(777, '${folder}/canary lo_export'); PERFORM lo_unlink(777)`,
  ),
  copy: inCheck('copy_', `EXECUTE $e$COPY (SELECT 1) TO '${folder}/canary copy'$e$`),
};
const canaries = () =>
  readdirSync(folder)
    .filter((name) => name.startsWith('canary'))
    .map((name) => name.slice('canary '.length));
const clear = () => canaries().forEach((name) => rmSync(join(folder, `canary ${name}`)));

async function backedUp(name: string, text: string): Promise<Lab> {
  await sql(source.url('postgres'), `CREATE DATABASE ${name}; ALTER DATABASE ${name} SET harm.less = 'yes';`);
  await sql(source.url(name), text);
  const made = lab({ harm: { url: source.url(name) } });
  expect(ending(await made.json(['execute']))).toEqual({ exitCode: 0 });
  return made;
}

beforeAll(async () => {
  chmodSync(folder, 0o777);
  writeFileSync(secret, 'secret', { mode: 0o644 });
  mkdirSync(bin);
  writeFileSync(join(bin, 'unshare'), '#!/bin/sh\necho "unshare: unshare failed: Operation not permitted" >&2; exit 1\n', { mode: 0o755 });
  source = await startCluster({ programs: await serverPrograms() });
  project = await backedUp('harm', Object.values(harms).join('\n'));
  reading = await backedUp(
    'reading',
    `CREATE FUNCTION unread(int) RETURNS boolean LANGUAGE plpgsql AS $f$ BEGIN IF ${spared} THEN RETURN true; END IF;
       PERFORM pg_read_file('${secret}'); RETURN false; EXCEPTION WHEN others THEN RETURN true; END $f$;
     CREATE TABLE t (n int CHECK (public.unread(n))); INSERT INTO t VALUES (1);`,
  );
});
afterAll(async () => {
  for (const each of [project, reading]) each.cleanup();
  await source.stop();
  rmSync(folder, { recursive: true, force: true });
});

const uncaged = { env: { PATH: `${bin}:${process.env['PATH']}` } };
const why = 'unshare: unshare failed: Operation not permitted';
const said = `the proof of a restore is not caged here: ${why}`;

describe.skipIf(reason !== null)(`a proof by a restore${reason === null ? '' : ` (${reason})`}`, () => {
  it(`G11: starts no program and writes no file outside, called by ${Object.keys(harms).join(', ')}`, async () => {
    const { document } = await project.json(['verify']);
    expect(document.results).toEqual([expect.objectContaining({ ok: true })]);
    expect(document.results).toEqual([expect.not.objectContaining({ uncaged: expect.anything() as unknown })]);
    expect(canaries()).toEqual([]);
    expect((await project.json(['health'])).document['advice']).not.toContainEqual(expect.stringContaining('not caged'));
  });

  it('G11: reads no file of ours', async () => {
    expect((await reading.json(['verify'])).document.results).toMatchObject([{ ok: true }]);
  });
});

describe('a proof by a restore without a cage', () => {
  it('G11: is said to be one, by health too; all of that harm is done there', async () => {
    const { document } = await project.json(['verify'], uncaged);
    expect(document.results).toMatchObject([{ ok: true, uncaged: why }]);
    expect(canaries().toSorted()).toEqual(Object.keys(harms).toSorted());
    clear();
    expect((await project.json(['health'])).document['advice']).toContainEqual(expect.stringContaining(said));
    expect((await reading.json(['verify'], uncaged)).document.results).toMatchObject([{ ok: false }]);
  });
});
