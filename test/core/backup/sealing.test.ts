/**
 * test: nothing that broke off before it was sealed can be opened, neither by the real age command nor by us.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { age } from '../../../src/codecs/age.js';
import { gzip } from '../../../src/codecs/gzip.js';
import { seal } from '../../../src/core/backup/sealing.js';
import type { Codec } from '../../../src/model/roles/codec.js';
import { Failure } from '../../../src/model/errors.js';
import type { Flow, ProgramStage, Stage } from '../../../src/model/roles/flow.js';
import { runFlow } from '../../../src/system/programs/flow.js';
import { onPath } from '../../../src/system/files/path.js';

const sh = (script: string): ProgramStage => ({
  kind: 'program',
  file: '/bin/sh',
  args: ['-c', script],
  explain: (exit) => new Failure(exit.signal ? 'engine-killed' : 'engine', `${script}: exit ${exit.exitCode} signal ${exit.signal}`),
});
const command = onPath('age');
const never = new AbortController().signal;

let folder: string;
let keyFile: string;
let recipient: string;
let ours: Codec;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'backup-automation-sealing-'));
  const identity = await generateX25519Identity();
  recipient = await identityToRecipient(identity);
  keyFile = join(folder, 'key');
  writeFileSync(keyFile, `${identity}\n`, { mode: 0o600 });
  const opener = { identities: () => Promise.resolve([identity]), passphrases: () => Promise.resolve([]) };
  ours = age.create({ recipients: [recipient] }, opener);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Age itself in the place of our sealer. */
const theirs = (): Codec => ({
  ...ours,
  encode: () => ({ ...sh(''), file: command ?? 'age', args: ['-r', recipient] }),
});

async function collect(flow: Flow): Promise<{ bytes: Buffer; failure: Failure | null }> {
  const pieces: Buffer[] = [];
  let failure: Failure | null = null;
  try {
    for await (const data of flow.output) pieces.push(data as Buffer);
    await flow.done;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    failure = error;
  }
  return { bytes: Buffer.concat(pieces), failure };
}

const sealed = (stages: readonly Stage[], codec: Codec, check: readonly Stage[] = []) =>
  collect(seal({ run: runFlow }, runFlow(stages), { codec, check }, never));

const opensByAge = (bytes: Buffer): boolean =>
  spawnSync(command ?? 'age', ['-d', '-i', keyFile], { input: bytes, maxBuffer: 1e9 }).status === 0;

const random = (kilobytes: number) => `head -c ${kilobytes}000 /dev/urandom`;

describe.skipIf(command === null).each([
  ['by us', () => ours],
  ['by age', theirs],
])('sealed %s', (_who, codec) => {
  test('what ended well opens', async () => {
    const { bytes, failure } = await sealed([sh(`${random(300)}; echo end`), gzip.create(1).encode()], codec(), [
      gzip.create(1).decode(),
      sh('cat >/dev/null'),
    ]);
    expect(failure).toBeNull();
    const plain = execFileSync(command ?? 'age', ['-d', '-i', keyFile], { input: bytes });
    expect(gunzipSync(plain).toString('latin1')).toMatch(/end\n$/);
  });

  test.each([
    ['is killed', `${random(300)}; kill -9 $$`, 'engine-killed'],
    ['is killed in the middle of a chunk', `${random(100)}; sleep 0.2; kill -9 $$`, 'engine-killed'],
    ['fails behind its last byte', `${random(300)}; exit 1`, 'engine'],
    ['fails before its first byte', 'exit 1', 'engine'],
  ])('a dump that %s leaves nothing that opens', async (_how, script, code) => {
    for (const stages of [[sh(script)], [sh(script), gzip.create(1).encode()]]) {
      const { bytes, failure } = await sealed(stages, codec());
      expect(failure).toMatchObject({ code });
      expect(opensByAge(bytes)).toBe(false);
    }
  });

  test.each([
    ['at once', 'exit 1'],
    ['at the end', 'cat >/dev/null; exit 1'],
    ['by a signal', 'head -c 1000 >/dev/null; kill -9 $$'],
  ])('a check that fails %s leaves nothing that opens, and is the reason', async (_when, check) => {
    const { bytes, failure } = await sealed([sh(random(3000))], codec(), [sh(check)]);
    expect(failure?.message).toContain(check);
    expect(opensByAge(bytes)).toBe(false);
  });

  test('a stop ends every program, and leaves nothing that opens', async () => {
    const flow = seal(
      { run: runFlow },
      runFlow([sh(`${random(300)}; sleep 60`)]),
      { codec: codec(), check: [sh('cat >/dev/null')] },
      never,
    );
    const reason = new Failure('interrupted', 'enough');
    setTimeout(() => flow.stop(reason), 200);
    const { bytes, failure } = await collect(flow);
    expect(failure).toBe(reason);
    expect(opensByAge(bytes)).toBe(false);
    await expect(flow.done).rejects.toBe(reason);
  });
});

test('every byte is checked', async () => {
  const told = join(folder, 'told');
  const { failure } = await sealed([sh(random(5000))], ours, [sh(`cat | wc -c >'${told}'`)]);
  expect(failure).toBeNull();
  expect(execFileSync('cat', [told], { encoding: 'utf8' }).trim()).toBe('5000000');
});
