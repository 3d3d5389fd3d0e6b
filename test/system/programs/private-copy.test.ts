/**
 * test: the private copy is whole or not there, whoever else fetches it. apt-get and dpkg are stand-ins here that pack a folder;
 * with the true ones it is tried on a machine without PostgreSQL (`npm run demo`).
 */
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { capture } from '../../../src/system/programs/exec.js';
import { fetchPrivateCopy, privateDirectories } from '../../../src/system/programs/private-copy.js';
import { findProgram } from '../../../src/system/programs/programs.js';

let folder = '';
let env: Record<string, string> = {};

function script(name: string, text: string): void {
  const file = join(folder, 'bin', name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `#!/bin/sh\n${text}\n`);
  chmodSync(file, 0o755);
}

/** Packs two packages: a postgres that says its version and its libraries, and a large one that nobody needs. */
const apt = `
echo "$@" >> '__LOG__'
cp "$2" '__LOG__.conf'
case "$*" in *update*) exit 0;; esac
archives=$(sed -n 's/^Dir::Cache::archives "\\(.*\\)";/\\1/p' "$2")
tree=$(mktemp -d)
mkdir -p "$tree/usr/lib/postgresql/15/bin" "$tree/usr/lib/x86_64-linux-gnu" "$tree/usr/bin"
printf '#!/bin/sh\\necho "postgres (PostgreSQL) 15.9 $LD_LIBRARY_PATH"\\n' > "$tree/usr/lib/postgresql/15/bin/postgres"
printf '#!/bin/sh\\necho zstd "$@"\\n' > "$tree/usr/bin/zstd"
chmod 755 "$tree/usr/lib/postgresql/15/bin/postgres" "$tree/usr/bin/zstd"
tar -C "$tree" -cf "$archives/postgresql-15_15.9_amd64.deb" .
echo big > "$tree/usr/big"
tar -C "$tree" -cf "$archives/libllvm14_14_amd64.deb" .
rm -rf "$tree"`;

beforeEach(() => {
  folder = mkdtempSync("/tmp/it's a copy ");
  chmodSync(folder, 0o755);
  mkdirSync(join(folder, 'cache'), { mode: 0o755 });
  env = { PATH: join(folder, 'bin'), XDG_CACHE_HOME: join(folder, 'cache'), HOME: folder, TMPDIR: folder };
  script('apt-get', apt.replaceAll('__LOG__', '\'"$(dirname "$0")"/log\''));
  script('dpkg', 'tar -C "$3" -xf "$2"');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const fetch = (say: (line: string) => void = () => {}, signal = new AbortController().signal) => fetchPrivateCopy({ env, signal, say });
const copies = () => readdirSync(join(folder, 'cache/backup-automation'));

test('fetches programs that find their libraries, and is found again', async () => {
  const said: string[] = [];
  const bin = await fetch((line) => said.push(line));
  expect(bin.startsWith(join(folder, 'cache/backup-automation'))).toBe(true);
  const { stdout } = await capture(join(bin, 'postgres'), ['--version']);
  expect(stdout).toContain(`15.9 ${join(dirname(bin), 'usr/lib/x86_64-linux-gnu')}`);
  expect((await capture(join(bin, 'zstd'), ['-1', 'a b'])).stdout).toBe('zstd -1 a b');
  expect(privateDirectories(env)).toEqual([bin]);
  expect(findProgram('zstd', env)).toBe(join(bin, 'zstd'));
  expect(readdirSync(join(dirname(bin), 'usr'))).not.toContain('big');
  expect(said.length).toBeGreaterThan(0);
  expect(copies()).toHaveLength(1);
});

test("asks apt only to download, in folders of its own, without the system's hooks", async () => {
  await fetch();
  const asked = readFileSync(join(folder, 'bin/log'), 'utf8').trim().split('\n');
  expect(asked).toHaveLength(2);
  expect(asked[1]).toMatch(/--download-only install postgresql zstd$/);
  const configuration = readFileSync(join(folder, 'bin/log.conf'), 'utf8');
  for (const name of ['Dir::State', 'Dir::State::lists', 'Dir::Cache', 'Dir::Cache::archives', 'Dir::Log'])
    expect(configuration).toMatch(new RegExp(`^${name} ".*backup-automation-fetch-`, 'm'));
  expect(configuration).toContain('#clear APT::Update::Post-Invoke;');
});

test('two at once leave one whole copy', async () => {
  const [first, second] = await Promise.all([fetch(), fetch()]);
  expect(first).toBe(second);
  expect((await capture(join(first, 'postgres'), ['--version'])).exitCode).toBe(0);
  expect(copies()).toHaveLength(1);
});

test('replaces a copy that does not run any more', async () => {
  const bin = await fetch();
  rmSync(join(dirname(bin), 'usr/lib/postgresql'), { recursive: true });
  expect(await fetch()).toBe(bin);
  expect((await capture(join(bin, 'postgres'), ['--version'])).exitCode).toBe(0);
  expect(copies()).toHaveLength(1);
});

test.each([
  ['apt-get', 'echo "E: Unable to locate package postgresql" >&2; exit 100', /Unable to locate package postgresql/],
  ['dpkg', 'echo "dpkg-deb: error: no space left" >&2; exit 2', /no space left/],
])('says why %s fails and the one command to type, and leaves nothing', async (name, text, reason) => {
  script(name, text);
  const failure = await fetch().catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: 'server-missing', exit: 22, hint: expect.stringContaining('sudo apt-get install postgresql') });
  expect(failure).toHaveProperty('message', expect.stringMatching(reason));
  expect(copies()).toEqual([]);
});

test('stops when it is asked to, and leaves nothing', async () => {
  script('apt-get', 'sleep 600');
  const stop = new AbortController();
  const reason = new Error('stop');
  await expect(fetch(() => stop.abort(reason), stop.signal)).rejects.toBe(reason);
  expect(copies()).toEqual([]);
});

test('says so where there is no apt-get', async () => {
  rmSync(join(folder, 'bin/apt-get'));
  await expect(fetch()).rejects.toThrow(/there is no apt-get/);
});

test('programs that others could have put there are not believed', async () => {
  const bin = await fetch();
  chmodSync(join(folder, 'cache/backup-automation'), 0o777);
  expect(privateDirectories(env)).toEqual([]);
  expect(findProgram('zstd', env)).toBeNull();
  chmodSync(join(folder, 'cache/backup-automation'), 0o755);
  expect(privateDirectories(env)).toEqual([bin]);
});

test('a link in place of the cache folder is not followed: the temp folder has to do', async () => {
  mkdirSync(join(folder, 'elsewhere'));
  symlinkSync(join(folder, 'elsewhere'), join(folder, 'cache/backup-automation'));
  expect(dirname(dirname(dirname(await fetch())))).toBe(folder);
  expect(readdirSync(join(folder, 'elsewhere'))).toEqual([]);
});
