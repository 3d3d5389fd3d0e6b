/**
 * test: what is made durable before what, as the system is asked for it: the file, the folder, then the name, then the folder of the name.
 *
 * A power cut keeps what was made durable and may keep anything else, in any order: so the order of the calls is the promise.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { bundle, type Program } from '../fixtures/bundle.js';
import { eventId } from '../fixtures/ledger.js';
import { noPrlimit, noStrace } from './inject.js';

const source = `
import { mkdirSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { local } from './src/storages/local/local.js';
import { openLedger } from './src/system/ledger/ledger.js';
import { createAtomic, writeAtomic } from './src/system/files/files.js';
import { createWhole } from './src/system/files/whole-file.js';
import { openStorageMemory } from './src/system/files/storage-memory.js';
const [folder, wanted, id] = process.argv.slice(2);
const place = { database: 'shop', backupId: id };
const storage = local.create('near', { kind: 'local', path: folder + '/store' }, openStorageMemory(folder + '/state'));
const ledger = openLedger(folder + '/state', { clock: { now: () => new Date(0) }, log: (_level, message) => console.log(message) });
const deeds = {
  adopt: () => storage.adopt(),
  async commit() {
    const deposit = await storage.put(place);
    const sink = await deposit.write('database.dump');
    await new Promise((resolve) => sink.end('bytes', resolve));
    await deposit.seal('database.dump', 5);
    await deposit.commit(Buffer.from('{}'));
  },
  pin: () => storage.mark(place, 'PINNED', 'why'),
  unpin: () => storage.unmark(place, 'PINNED'),
  discard: () => storage.discard(place, '2026-01-01T00:00:00Z'),
  recover: () => storage.recover(place),
  remove: () => storage.remove(place),
  append: () => ledger.appendFact({ record: 'clear', cleared: 7, by: 'test', address: 'here' }),
  replace: async () => writeAtomic(folder + '/x', 'content'),
  create: async () => createAtomic(folder + '/y', 'content'),
  async output() {
    const file = await createWhole(folder + '/out');
    await pipeline([Buffer.alloc(5000)], file.stream);
    await file.keep();
  },
};
for (const deed of wanted.split(' ')) {
  // by which the calls of each are told apart
  if (wanted !== deed) mkdirSync(folder + '/now ' + deed);
  await deeds[deed]().catch((error) => { console.log(error.message); process.exitCode = 1; });
}
`;

let program: Program;
let folder: string;
beforeAll(async () => {
  program = await bundle(source);
});
afterAll(() => program.remove());
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'backup-automation-durable-'));
  mkdirSync(join(folder, 'state/locks'), { recursive: true, mode: 0o700 });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const id = eventId(1);
function run(deeds: string, under: readonly string[] = []) {
  const [file, ...args] = [...under, process.execPath, program.file, folder, deeds, id];
  const { status, stdout, stderr } = spawnSync(file, args, { encoding: 'utf8', env: { ...process.env, UV_THREADPOOL_SIZE: '1' } });
  return { status, said: stdout + stderr };
}

const calls = 'mkdir,open,openat,write,pwrite64,fsync,fdatasync,rename,link,unlink,unlinkat,rmdir';

/** What a call does to a path of ours, in a word or two; null: to none, or nothing that lasts. */
function told(line: string): string | null {
  const [, call = '', rest = ''] = /^\d+ +(\w+)\((.*)/.exec(line) ?? [];
  if (/= -1 |ENOENT/.test(rest) || !rest.includes(folder)) return null;
  const paths = [...rest.matchAll(/[<"](\/[^>"]*)[>"]/g)].flatMap(([, path = '']) => (path.startsWith(folder) ? [path] : []));
  const names = paths.map((path) =>
    path
      .slice(folder.length + 1)
      .replaceAll(id, 'ID')
      .replace(/[0-9a-f]{8,12}(?=\.(?:tmp|partial))/, 'RANDOM'),
  );
  const name = names[0] === '' ? '.' : names[0];
  if (call.startsWith('open')) return rest.includes('O_EXCL') ? `create ${name}` : null;
  if (call === 'rename' || call === 'link') return `${call} ${name} -> ${names[1]}`;
  return `${{ pwrite64: 'write', unlink: 'remove', unlinkat: 'remove', rmdir: 'remove' }[call] ?? call} ${name}`;
}

/** Does deeds one after the other, and tells what each asked the system for. Locks, which need not last, are left out. */
function asked(...deeds: readonly string[]): string[][] {
  for (const deed of deeds) rmSync(join(folder, `now ${deed}`), { recursive: true, force: true });
  const trace = join(folder, 'trace');
  const done = run(deeds.join(' '), ['strace', '-f', '--seccomp-bpf', '-qq', '-y', '-o', trace, '-e', `trace=${calls}`]);
  expect(done).toEqual({ status: 0, said: '' });
  const lines = readFileSync(trace, 'utf8')
    .split('\n')
    .flatMap((line) => told(line) ?? []);
  const own = lines.filter((line) => !line.includes('locks') && !line.includes('storages'));
  return deeds.map((deed) => {
    const from = own.indexOf(`mkdir now ${deed}`) + 1;
    const until = own.findIndex((line, index) => index >= from && line.startsWith('mkdir now'));
    return own.slice(from, until < 0 ? own.length : until);
  });
}

const segment = (number: number) => join(folder, 'state/ledger', `events-00000${number}.jsonl`);
const lines = (number: number) => readFileSync(segment(number), 'utf8').split('\n').filter(Boolean);

describe.skipIf(noStrace)(`made durable${noStrace ? ` (${noStrace})` : ''}`, () => {
  test('a backup: its files, its folder, its name', () => {
    expect(asked('adopt', 'commit')[1]).toEqual([
      'mkdir store/shop',
      'fsync store',
      'mkdir store/shop/ID.partial',
      'create store/shop/ID.partial/database.dump',
      'write store/shop/ID.partial/database.dump',
      'fsync store/shop/ID.partial/database.dump',
      'create store/shop/ID.partial/manifest.json',
      'write store/shop/ID.partial/manifest.json',
      'fsync store/shop/ID.partial/manifest.json',
      'fsync store/shop/ID.partial',
      'rename store/shop/ID.partial -> store/shop/ID',
      'fsync store/shop',
    ]);
  });

  test('a pin and its end; a removal: put aside, brought back, gone for good with the manifest first', () => {
    run('commit');
    const [pin, unpin, discard, recover] = asked('pin', 'unpin', 'discard', 'recover');
    expect(pin).toEqual([
      'create store/shop/ID/PINNED.new',
      'write store/shop/ID/PINNED.new',
      'fsync store/shop/ID/PINNED.new',
      'rename store/shop/ID/PINNED.new -> store/shop/ID/PINNED',
      'fsync store/shop/ID',
    ]);
    expect(unpin).toEqual(['remove store/shop/ID/PINNED', 'fsync store/shop/ID']);
    expect(discard?.slice(-3)).toEqual(['fsync store/shop/ID', 'rename store/shop/ID -> store/shop/ID.trash', 'fsync store/shop']);
    expect(recover?.slice(0, 2)).toEqual(['rename store/shop/ID.trash -> store/shop/ID', 'fsync store/shop']);
    const [, removed] = asked('discard', 'remove');
    expect(removed?.slice(0, 3)).toEqual([
      'remove store/shop/ID.trash/manifest.json',
      'fsync store/shop/ID.trash',
      'remove store/shop/ID.trash/database.dump',
    ]);
    expect(removed?.slice(-2)).toEqual(['remove store/shop/ID.trash', 'fsync store/shop']);
  });

  test('a line of the ledger: the first one with its segment, the next ones alone', () => {
    expect(asked('append', 'replace')[0]).toEqual([
      'mkdir state/ledger',
      'fsync state',
      'create state/ledger/events-000001.jsonl',
      'write state/ledger/events-000001.jsonl',
      'fsync state/ledger/events-000001.jsonl',
      'fsync state/ledger',
    ]);
    expect(asked('append', 'create')[0]).toEqual(['write state/ledger/events-000001.jsonl', 'fdatasync state/ledger/events-000001.jsonl']);
  });

  test('a file that is replaced, one that is made once, and what a restore puts out', () => {
    const [replace, create, output] = asked('replace', 'create', 'output');
    expect(replace).toEqual(['create .x.RANDOM.tmp', 'write .x.RANDOM.tmp', 'fsync .x.RANDOM.tmp', 'rename .x.RANDOM.tmp -> x', 'fsync .']);
    expect(create?.slice(-3)).toEqual(['link y.RANDOM.tmp -> y', 'remove y.RANDOM.tmp', 'fsync .']);
    const partial = 'out.RANDOM.partial';
    expect(output).toEqual([`create ${partial}`, `write ${partial}`, `fsync ${partial}`, `rename ${partial} -> out`, 'fsync .']);
  });

  test('B20: where names cannot be made durable files are written all the same, and the ledger says so', () => {
    const unable = (path: string) => ['strace', '-f', '-qq', '-o', '/dev/null', '-P', path, '-e', 'inject=fsync:error=EINVAL'];
    expect(run('replace create output', unable(folder))).toEqual({ status: 0, said: '' });
    expect(readdirSync(folder)).toEqual(expect.arrayContaining(['x', 'y', 'out']));
    mkdirSync(join(folder, 'state/ledger'), { mode: 0o700 });
    const done = run('append', unable(join(folder, 'state/ledger')));
    expect(done).toMatchObject({ status: 0, said: expect.stringContaining('cannot make names durable') as string });
    expect(lines(1).at(-1)).toContain('"record":"clear"');
  });

  test('B5: a line that could not be made durable is written again in a new segment', () => {
    run('append');
    const done = run('append', ['strace', '-f', '-qq', '-o', '/dev/null', '-P', segment(1), '-e', 'inject=fdatasync:error=EIO:when=1']);
    expect(done).toMatchObject({ status: 0, said: expect.stringContaining('could not be made durable (EIO)') as string });
    expect(lines(2).at(-1)).toContain('"record":"clear"');
  });
});

describe.skipIf(noPrlimit)('B8: what does not fit', () => {
  test('of a line of the ledger is an error, and the next line is whole', () => {
    run('append');
    const done = run('append', ['prlimit', `--fsize=${lines(1).join().length + 50}`]);
    expect(done).toMatchObject({ status: 1, said: expect.stringContaining('EFBIG') as string });
    expect(run('append')).toEqual({ status: 0, said: '' });
    expect(JSON.parse(lines(1).at(-1) ?? '')).toMatchObject({ record: 'clear' });
  });

  test('of what a restore puts out is an error, and no file has its name', () => {
    const done = run('output', ['prlimit', '--fsize=2000']);
    expect(done).toMatchObject({ status: 1, said: expect.stringContaining('EFBIG') as string });
    expect(readdirSync(folder)).not.toContain('out');
  });
});
