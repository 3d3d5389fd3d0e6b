/**
 * test: what is read back is read to its very end: an archive that lacks a byte is none, nor are globals without their last line.
 */
import { execFileSync } from 'node:child_process';
import { Readable } from 'node:stream';
import { beforeAll, describe, expect, test } from 'vitest';
import { archiveStage, globalsCheck } from '../../../../src/engines/pg_dump/archive/stages.js';
import type { Installed } from '../../../../src/model/backup/client-choice.js';
import type { Stage } from '../../../../src/model/roles/flow.js';
import { runFlow } from '../../../../src/system/programs/flow.js';
import { cloneDatabase, program, serverPrograms } from '../../../fixtures/database.js';

/** Gives bytes to a stage; resolves when it was content. */
async function check(stage: Stage, bytes: Buffer): Promise<void> {
  const flow = runFlow([stage], { input: Readable.from([bytes]) });
  flow.output.resume();
  await flow.done;
}

describe('an archive', () => {
  let client: Installed;
  const archives: Record<string, Buffer> = {};
  beforeAll(async () => {
    client = await serverPrograms();
    const database = await cloneDatabase('shop');
    for (const level of ['0', '1'])
      archives[level] = execFileSync(program('pg_dump'), ['-Fc', '-Z', level, '-d', database.url], { maxBuffer: 1e8 });
    await database.drop();
  });

  test.each(['0', '1'])('compressed with %s: whole it is one, cut anywhere it is none', async (level) => {
    const whole = archives[level] ?? Buffer.alloc(0);
    await check(archiveStage(client), whole);
    for (const length of [whole.length - 1, Math.floor(whole.length * 0.6), 20, 0])
      await expect(check(archiveStage(client), whole.subarray(0, length)), `${length}`).rejects.toMatchObject({ code: 'archive' });
  });
});

describe('globals', () => {
  const text = `${'CREATE ROLE somebody;\n'.repeat(1000)}--\n-- PostgreSQL database cluster dump complete\n--\n\n`;

  test('whole they are taken, in whatever pieces', async () => {
    await check(globalsCheck, Buffer.from(text));
    const flow = runFlow([globalsCheck], { input: Readable.from(Array.from(text.slice(-300), (one) => Buffer.from(one))) });
    flow.output.resume();
    await flow.done;
  });

  test('cut before their last line they are not, nor when that line stands in the middle', async () => {
    const long = 'CREATE ROLE more;\n'.repeat(20);
    for (const short of [text.slice(0, text.indexOf('complete')), text.slice(0, 500), '', text + long])
      await expect(check(globalsCheck, Buffer.from(short))).rejects.toMatchObject({ code: 'archive' });
  });
});
