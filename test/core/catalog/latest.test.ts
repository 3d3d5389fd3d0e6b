/** test: `latest` is the newest backup that nothing speaks against. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findBackup } from '../../../src/core/catalog/catalog.js';
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
