/**
 * test: every codec, by its program and by Node: the same bytes come back, and what was cut or changed never comes back in silence.
 */
import { randomBytes } from 'node:crypto';
import { PassThrough, Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import { codecs, type CodecKind } from '../../src/codecs/index.js';
import type { Stage } from '../../src/model/roles/flow.js';
import { runFlow } from '../../src/system/programs/flow.js';
import { count } from '../fixtures/counts.js';

const kinds = Object.keys(codecs) as CodecKind[];
const path = process.env['PATH'] ?? '';
afterEach(() => {
  process.env['PATH'] = path;
});

async function through(stage: Stage, bytes: Buffer): Promise<Buffer> {
  const input = new PassThrough();
  input.end(bytes);
  const flow = runFlow([stage], { input });
  const [out] = await Promise.all([buffer(flow.output), flow.done]);
  return out;
}

const samples = [
  Buffer.alloc(0),
  Buffer.from('x'),
  randomBytes(70_000),
  Buffer.alloc(3_000_000, 'again '),
  Buffer.from([31, 139, 8, 40, 181, 47, 253]),
];

describe.each(kinds)('%s', (kind) => {
  /** Without the programs, where Node can do it by itself. */
  const withoutProgram = (): boolean => {
    process.env['PATH'] = '/nonexistent';
    return codecs[kind].isAvailable();
  };

  it.each([1, 3, 9, 19])('level %i: every sample comes back as it was', async (level) => {
    const codec = codecs[kind].create(level);
    for (const sample of samples) expect((await through(codec.decode(), await through(codec.encode(), sample))).equals(sample)).toBe(true);
  });

  it('by the program and by Node are one format', async (test) => {
    const codec = codecs[kind].create(1);
    const byProgram = await through(codec.encode(), samples[2] ?? Buffer.alloc(0));
    if (!withoutProgram()) return test.skip(`this Node has no ${kind}`);
    expect((await through(codec.decode(), byProgram)).equals(samples[2] ?? Buffer.alloc(0))).toBe(true);
    const byNode = await through(codec.encode(), samples[3] ?? Buffer.alloc(0));
    process.env['PATH'] = path;
    expect((await through(codec.decode(), byNode)).equals(samples[3] ?? Buffer.alloc(0))).toBe(true);
  });

  it('what was cut at any length or changed at any place fails', async () => {
    const codec = codecs[kind].create(1);
    const encoded = await through(codec.encode(), Buffer.concat([randomBytes(5000), Buffer.alloc(50_000, 'text ')]));
    const tries = count(8, 100);
    for (let round = 0; round < tries; round += 1) {
      const at = Math.floor((encoded.length * round) / tries) + 1;
      await expect(through(codec.decode(), encoded.subarray(0, Math.min(at, encoded.length - 1)))).rejects.toMatchObject({
        name: 'Failure',
      });
    }
    await expect(through(codec.decode(), encoded.subarray(0, -1))).rejects.toMatchObject({ name: 'Failure' });
    const flipped = Buffer.from(encoded);
    flipped.writeUInt8(flipped.readUInt8(2500) ^ 4, 2500);
    await expect(through(codec.decode(), flipped)).rejects.toMatchObject({ name: 'Failure' });
  });

  it('garbage is an archive failure that names the program', async () => {
    await expect(through(codecs[kind].create(1).decode(), Buffer.from('this is not it, and longer than a header'))).rejects.toMatchObject({
      code: 'archive',
      message: expect.stringContaining(kind),
    });
  });
});

it('a broken input never looks like an end', async () => {
  for (const kind of kinds) {
    const input = Readable.from(
      (function* () {
        yield Buffer.alloc(100_000);
        throw new Error('the line broke');
      })(),
    );
    const flow = runFlow([codecs[kind].create(1).encode()], { input });
    await expect(Promise.all([buffer(flow.output), flow.done])).rejects.toThrow();
  }
});
