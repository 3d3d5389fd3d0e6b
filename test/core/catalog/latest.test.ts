/** test: `latest` is the newest backup that nothing speaks against. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { catalog, findBackup, foreignAdvice } from '../../../src/core/catalog/catalog.js';
import { execute } from '../../../src/core/execute.js';
import { verifyBackup } from '../../../src/core/verify.js';
import { fakeEngine, yields } from '../../fakes/engine.js';
import { byHand, inProcess, lab } from '../../fixtures/lab.js';

test('B15: a newest one that failed its verification is passed over, and that is said; when all did, none is taken', async () => {
  const project = lab({ shop: { host: 'nowhere.invalid' } }, { compression: 'none' });
  const said: string[] = [];
  const announce = (one: object) => void ('message' in one && said.push(String(one.message)));
  const context = { ...(await inProcess(project)), engine: fakeEngine(yields(() => [Buffer.from('rows')])), announce };
  const [older, newer] = [await execute(context, byHand), await execute(context, byHand)].map(({ events }) => events[0]?.id ?? '');
  expect((await findBackup(context, 'latest')).backupId).toBe(newer);
  for (const id of [newer, older]) {
    const file = join(project.backups, 'shop', id ?? '', 'database.dump');
    writeFileSync(
      file,
      readFileSync(file).map((byte) => byte ^ 1),
    );
    await verifyBackup(context, await findBackup(context, id ?? ''), 'checksum');
    if (id === newer) expect((await findBackup(context, 'latest')).backupId).toBe(older);
  }
  expect(said.join()).toContain(`${newer} is newer, and passed over because it is suspect`);
  await expect(findBackup(context, 'latest')).rejects.toMatchObject({ message: 'every backup is suspect' });
  project.cleanup();
});

test('F2: one that a clock which was ahead has dated is passed over for the newest of those before it, and that is said', async () => {
  const project = lab({ shop: { host: 'nowhere.invalid' } }, { compression: 'none' });
  const said: string[] = [];
  const announce = (one: object) => void ('message' in one && said.push(String(one.message)));
  const context = { ...(await inProcess(project)), engine: fakeEngine(yields(() => [Buffer.from('rows')])), announce };
  const { events } = await execute(context, byHand);
  const id = events[0]?.id ?? '';
  const at = (days: number) => ({ ...context, clock: { ...context.clock, now: () => new Date(Date.now() + days * 86_400_000) } });
  expect((await findBackup(at(-400), 'latest')).backupId).toBe(id); // there is no other
  const older = (await execute({ ...at(-300), newId: () => '01900000-0000-7000-8000-000000000001' }, byHand)).events[0]?.id ?? '';
  expect((await findBackup(at(-200), 'latest')).backupId).toBe(older);
  expect(said.join()).toMatch(new RegExp(`${id} is newer, and passed over because it is dated in the future, 20`));
  expect((await findBackup(context, 'latest')).backupId).toBe(id);
  project.cleanup();
});

test('one that another installation made is told as such, with its host, also by health', async () => {
  const ours = lab({ shop: { host: 'nowhere.invalid' } }, { compression: 'none' });
  const storages = { storages: { local: { kind: 'local', path: ours.backups } } };
  const other = lab({ shop: { host: 'nowhere.invalid' } }, { compression: 'none', ...storages });
  const engine = fakeEngine(yields(() => [Buffer.from('rows')]));
  const { events } = await execute({ ...(await inProcess(other)), engine }, byHand);
  const said: string[] = [];
  const announce = (one: object) => void ('message' in one && said.push(String(one.message)));
  const context = { ...(await inProcess(ours)), engine, announce };
  expect((await findBackup(context, 'latest')).backupId).toBe(events[0]?.id);
  expect(said).toEqual([expect.stringContaining(`${events[0]?.id} was made by another installation, on `)]);
  expect(foreignAdvice(await catalog(context))).toEqual([expect.stringMatching(/^1 backup was made by another installation, on /)]);
  for (const project of [ours, other]) project.cleanup();
});
