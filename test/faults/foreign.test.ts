/**
 * test: B19, B23: what lies in a storage and is nobody's, or somebody else's: leftovers of many dead runs beside living ones, and files
 * that are not ours at all.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { BackupEvent } from '../../src/model/events/event.js';
import { count } from '../fixtures/counts.js';
import { cloneDatabase, type TestDatabase } from '../fixtures/database.js';
import { afterwards, openRig, type Rig } from './rig.js';

let database: TestDatabase;
let rig: Rig;
beforeAll(async () => {
  database = await cloneDatabase('shop');
});
afterAll(() => database.drop());
afterEach(() => rig.cleanup());

test('B19: leftovers of many dead runs go, those of living ones stay', { timeout: count(60_000, 1_800_000) }, async ({ task }) => {
  rig = openRig(database);
  expect(await rig.execute()).toMatchObject({ exitCode: 0 });
  const context = await rig.context();
  const [known] = (await rig.events()).events;
  if (!known) throw new Error('nothing to start from');
  const { result: _result, ...rest } = known;
  const partialOf = (id: string) => join(rig.store, 'shop', `${id}.partial`);
  const leave = async (): Promise<string> => {
    const event: BackupEvent = { ...rest, id: context.newId(), status: 'pending', pid: 2 ** 22 + 1 };
    await context.ledger.appendEvent(event);
    await context.ledger.appendEvent({ ...event, status: 'running' });
    mkdirSync(partialOf(event.id));
    writeFileSync(join(partialOf(event.id), 'database.dump'), 'half');
    return event.id;
  };
  const living = [await leave(), await leave()];
  const locks = await Promise.all(living.map((id) => context.locks.claimEvent(id)));
  const dead: string[] = [];
  for (let k = 0; k < count(20, 1000); k += 1) {
    const id = await leave();
    writeFileSync(join(rig.state, 'run', `${id}.lock`), '');
    dead.push(id);
  }
  const left = () => dead.filter((id) => existsSync(partialOf(id))).length;
  let starts = 0;
  for (let before = dead.length; before > 0; starts += 1) {
    await rig.run(['health']);
    const now = left();
    // a start has better things to do than to tidy up for long, but each does its share
    expect(now).toBeLessThan(before);
    before = now;
  }
  const violations = living.filter((id) => !existsSync(partialOf(id))).map((id) => `the living ${id} lost what it writes`);
  for (const lock of locks) lock?.release();
  violations.push(...(await afterwards(rig)));
  task.meta.score = { row: 'B19', what: 'leftovers of dead runs', n: dead.length, violations, figures: `gone after ${starts} starts` };
  expect(violations).toEqual([]);
});

test('B23: foreign files, deep folders and odd names in a storage are passed over, and never removed', async ({ task }) => {
  rig = openRig(database, { settings: { retention: { keepLast: 1, minimum: 1 } } });
  expect(await rig.execute()).toMatchObject({ exitCode: 0 });
  const id = (await rig.context()).newId();
  const files = [
    'notes.txt',
    'lost+found/x',
    `${'deep/'.repeat(60)}x`,
    'with\na newline/x',
    '--help/$(id);`id`',
    'n'.repeat(255),
    '\u{1f4a3} ünïcödé\u2028/x',
    'UPPER/x',
    '.hidden/x',
    `shop/notes.txt`,
    `shop/${id}x/manifest.json`,
    `shop/old-${id}/database.dump`,
    `shop/.trash/x`,
    `shop/${id}.trash/precious`,
    `shop/${id}.partial/precious`,
    `other/${id}/precious`,
  ];
  for (const file of files) {
    mkdirSync(dirname(join(rig.store, file)), { recursive: true });
    writeFileSync(join(rig.store, file), `foreign ${file}`);
  }
  execFileSync('mkfifo', [join(rig.store, 'pipe'), join(rig.store, 'shop/pipe')]);
  symlinkSync('.', join(rig.store, 'loop'));
  symlinkSync(join(rig.store, 'lost+found'), join(rig.store, 'shop/link'));
  const violations: string[] = [];
  const deeds = [
    ['execute', '--force'],
    ['execute', '--force'],
    ['backups'],
    ['verify', '--all', '--level', 'checksum'],
    ['backups', 'prune', '--yes', '--force'],
    ['backups', 'prune', '--undo'],
    ['backups', 'prune', '--yes', '--force'],
    ['health'],
    ['metrics'],
  ];
  for (const deed of deeds) {
    const { exitCode, stderr } = await rig.run(deed);
    if (stderr.includes('this is a bug') || exitCode === null) violations.push(`${deed.join(' ')} ended with ${exitCode}: ${stderr}`);
    if (deed[0] === 'execute' && exitCode !== 0) violations.push(`execute ended with ${exitCode}: ${stderr}`);
  }
  for (const file of files) {
    const path = join(rig.store, file);
    if (!existsSync(path) || readFileSync(path, 'utf8') !== `foreign ${file}`)
      violations.push(`${JSON.stringify(file)} is gone, or another`);
  }
  for (const name of ['pipe', 'shop/pipe', 'loop', 'shop/link'])
    if (!lstatSync(join(rig.store, name), { throwIfNoEntry: false })) violations.push(`${name} is gone`);
  const { backups } = await rig.catalog();
  // retention went its way among them
  expect(backups).toHaveLength(1);
  expect(readdirSync(join(rig.store, 'shop'))).toContain(backups[0]?.backupId);
  task.meta.score = { row: 'B23', what: 'foreign files in a storage', n: files.length + 4, violations };
  expect(violations).toEqual([]);
});
