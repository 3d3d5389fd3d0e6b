/**
 * test: the age format, ours and the real command's in both directions, and everything that must not open.
 */
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { Encrypter, generateX25519Identity, identityToRecipient } from 'age-encryption';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { age } from '../../src/codecs/age.js';
import { makeHeader, openHeader, type Lid, type Opener } from '../../src/codecs/age-header.js';
import { Failure } from '../../src/model/errors.js';
import { runFlow } from '../../src/system/programs/flow.js';
import { onPath } from '../../src/system/files/path.js';
import { count } from '../fixtures/counts.js';

const chunk = 65_536;
const sizes = [0, 1, chunk - 1, chunk, chunk + 1, 3 * chunk, 20_000_000];
const command = onPath('age');
const withAge = describe.skipIf(command === null);

let folder: string;
let keys: { identity: string; recipient: string }[];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'backup-automation-age-'));
  const identities = await Promise.all([1, 2, 3].map(() => generateX25519Identity()));
  keys = await Promise.all(identities.map(async (identity) => ({ identity, recipient: await identityToRecipient(identity) })));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const lid = (...numbers: number[]): Lid => ({ recipients: numbers.map((number) => keys[number]?.recipient ?? '') });
const holding = (identities: readonly string[], passphrases: readonly string[] = []): Opener => ({
  identities: () => Promise.resolve(identities),
  passphrases: () => Promise.resolve(passphrases),
});
const key = (number: number): Opener => holding([keys[number]?.identity ?? '']);

async function through(stage: ReturnType<ReturnType<typeof age.create>['encode']>, input: Readable | readonly Buffer[]): Promise<Buffer> {
  const flow = runFlow([stage], { input: Readable.from(input) });
  const pieces: Buffer[] = [];
  for await (const data of flow.output) pieces.push(data as Buffer);
  await flow.done;
  return Buffer.concat(pieces);
}

const seal = (plain: Buffer, to: Lid): Promise<Buffer> => through(age.create(to, holding([])).encode(), plain.length > 0 ? [plain] : []);
const open = (sealed: Buffer, by: Opener): Promise<Buffer> => through(age.create(null, by).decode(), [sealed]);
const failureOf = (deed: Promise<unknown>): Promise<Failure> =>
  deed.then(
    () => Promise.reject(new Error('it opened')),
    (error: unknown) => (error instanceof Failure ? error : Promise.reject(error as Error)),
  );

function file(name: string, content: string | Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, content, { mode: 0o600 });
  return path;
}

const ageCommand = (args: readonly string[], input?: Buffer): Buffer =>
  execFileSync(command ?? 'age', args, { input, maxBuffer: 1e9, stdio: ['pipe', 'pipe', 'pipe'] });

describe('what is sealed opens again', () => {
  test.each(sizes)('%d bytes', async (size) => {
    const plain = randomBytes(size);
    expect((await open(await seal(plain, lid(0)), key(0))).equals(plain)).toBe(true);
  });

  test('however its bytes are cut on the way', async () => {
    const plain = randomBytes(200_000);
    const sealed = await seal(plain, lid(0));
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1000, max: 90_000 }), { minLength: 1, maxLength: 30 }), async (cuts) => {
        const inPieces = (bytes: Buffer) => {
          const pieces: Buffer[] = [];
          for (let at = 0, turn = 0; at < bytes.length; turn += 1) pieces.push(bytes.subarray(at, (at += cuts[turn % cuts.length] ?? 1)));
          return pieces;
        };
        const again = await through(age.create(lid(1), holding([])).encode(), inPieces(plain));
        expect((await open(again, key(1))).equals(plain)).toBe(true);
        expect((await through(age.create(null, key(0)).decode(), inPieces(sealed))).equals(plain)).toBe(true);
      }),
      { numRuns: 15 },
    );
  });

  test('by any of several keys, also among others, and by no other', async () => {
    const plain = randomBytes(1000);
    const sealed = await seal(plain, lid(0, 1));
    for (const number of [0, 1]) expect((await open(sealed, key(number))).equals(plain)).toBe(true);
    expect((await open(sealed, holding([keys[2]?.identity ?? '', keys[1]?.identity ?? '']))).equals(plain)).toBe(true);
    expect(await failureOf(open(sealed, key(2)))).toMatchObject({ code: 'no-key', hint: expect.stringContaining('verify.identity') });
  });

  test('J7: with a passphrase, of the cost that age asks for, and with no other', async () => {
    const plain = randomBytes(100_000);
    const sealed = await seal(plain, { passphrase: 'correct horse' });
    const [, work] = /^-> scrypt \S+ (\d+)$/m.exec(sealed.toString('latin1', 0, 200)) ?? [];
    expect(Number(work)).toBeGreaterThanOrEqual(18);
    expect((await open(sealed, holding([], ['correct horse']))).equals(plain)).toBe(true);
    expect(await failureOf(open(sealed, holding([], ['wrong'])))).toMatchObject({ code: 'no-key' });
    const theirs = new Encrypter();
    theirs.setPassphrase('battery staple');
    theirs.setScryptWorkFactor(12);
    expect((await open(Buffer.from(await theirs.encrypt(plain)), holding([], ['battery staple']))).equals(plain)).toBe(true);
  });
});

withAge('with the real age command', () => {
  test.each(sizes)('%d bytes: ours -> age -d, age -r -> ours', async (size) => {
    const plain = randomBytes(size);
    const identity = file('key', `# created: now\r\n${keys[0]?.identity}\r\n`);
    const ours = file('ours.age', await seal(plain, lid(1, 0)));
    expect(ageCommand(['-d', '-i', identity, ours]).equals(plain)).toBe(true);
    const theirs = ageCommand(['-r', keys[1]?.recipient ?? '', '-r', keys[2]?.recipient ?? ''], plain);
    for (const number of [1, 2]) expect((await open(theirs, key(number))).equals(plain)).toBe(true);
  });

  test('age refuses ours without its last chunk, cut at every border, and with a bit flipped', async () => {
    const identity = file('key', `${keys[0]?.identity}\n`);
    const sealed = await seal(randomBytes(3 * chunk), lid(0));
    const start = sealed.length - 3 * (chunk + 16);
    const flipped = Buffer.from(sealed);
    flipped.writeUInt8(flipped.readUInt8(start + 100) ^ 4, start + 100);
    for (const bad of [...[0, 1, 2].map((number) => sealed.subarray(0, start + number * (chunk + 16))), flipped])
      expect(() => ageCommand(['-d', '-i', identity], bad)).toThrow();
  });

  test.skipIf(onPath('script') === null)('a passphrase, typed', async () => {
    const plain = randomBytes(1000);
    const sealed = file('passphrase.age', await seal(plain, { passphrase: 'correct horse' }));
    const out = join(folder, 'typed');
    execFileSync('script', ['-qec', `${command} -d -o '${out}' '${sealed}'`, '/dev/null'], { input: 'correct horse\n', stdio: 'pipe' });
    expect(readFileSync(out).equals(plain)).toBe(true);
  });
});

describe('what was changed or cut short does not open', () => {
  test('cut at every border, and behind it', async () => {
    const plain = randomBytes(3 * chunk + 5);
    const sealed = await seal(plain, lid(0));
    const start = sealed.length - plain.length - 4 * 16;
    const borders = [0, 1, 2, 3].flatMap((number) => [-17, -1, 0, 1, 16, 17].map((more) => start + number * (chunk + 16) + more));
    for (const at of [...borders, 5, 22, 100, sealed.length - 1])
      expect([at, (await failureOf(open(sealed.subarray(0, at), key(0)))).code]).toEqual([at, 'archive']);
    expect(await failureOf(open(Buffer.concat([sealed, Buffer.alloc(1)]), key(0)))).toMatchObject({ code: 'archive' });
  });

  test('parts swapped, left out, given twice', async () => {
    const sealed = await seal(randomBytes(3 * chunk), lid(0));
    const start = sealed.length - 3 * (chunk + 16);
    const head = sealed.subarray(0, start);
    const [a, b, c] = [0, 1, 2].map((number) => sealed.subarray(start + number * (chunk + 16), start + (number + 1) * (chunk + 16)));
    for (const parts of [[b, a, c], [a, c], [c], [a, a, b, c], [a, b]])
      expect(await failureOf(open(Buffer.concat([head, ...parts.flatMap((part) => part ?? [])]), key(0)))).toMatchObject({
        code: 'archive',
      });
  });

  test('a payload under the header of another file', async () => {
    const [one, two] = await Promise.all([seal(Buffer.from('one'), lid(0)), seal(Buffer.from('two'), lid(0))]);
    const payload = 16 + 3 + 16;
    const mixed = Buffer.concat([one.subarray(0, -payload), two.subarray(-payload)]);
    expect(await failureOf(open(mixed, key(0)))).toMatchObject({ code: 'archive' });
  });

  const flips = count(60, 1000);
  test(`G2: ${flips} flipped bits`, { timeout: 300_000 }, async () => {
    const plain = randomBytes(2 * chunk + 77);
    const sealed = await seal(plain, lid(0));
    for (let round = 0; round < flips; round += 1) {
      // each in its turn in the header, and anywhere
      const at = Math.floor(Math.random() * (round % 2 ? sealed.length : 250));
      const bad = Buffer.from(sealed);
      bad.writeUInt8(bad.readUInt8(at) ^ (1 << (round % 8)), at);
      expect(['archive', 'no-key']).toContain((await failureOf(open(bad, key(0)))).code);
    }
  });

  test('what is no age file at all', async () => {
    for (const bytes of [
      Buffer.alloc(0),
      Buffer.from('PGDMP...'),
      randomBytes(100),
      Buffer.from('age-encryption.org/v2\n-> X25519 a\n'),
      Buffer.from('age-encryption.org/v1\n'),
    ])
      expect(await failureOf(open(bytes, key(0)))).toMatchObject({ code: 'archive' });
    const endless = Buffer.concat([Buffer.from('age-encryption.org/v1\n'), Buffer.alloc(3_000_000, 'x')]);
    expect(await failureOf(open(endless, key(0)))).toMatchObject({ code: 'archive' });
  });
});

test('no plain byte of a part is given out before the part was proven', async () => {
  const sealed = await seal(randomBytes(5 * chunk), lid(0));
  const start = sealed.length - 5 * (chunk + 16);
  sealed.writeUInt8(sealed.readUInt8(start + 2 * (chunk + 16)) ^ 1, start + 2 * (chunk + 16));
  const flow = runFlow([age.create(null, key(0)).decode()], {
    input: Readable.from([sealed.subarray(0, start + chunk), sealed.subarray(start + chunk)]),
  });
  let seen = 0;
  await expect(
    (async () => {
      for await (const data of flow.output) seen += (data as Buffer).length;
    })(),
  ).rejects.toMatchObject({ code: 'archive' });
  expect(seen).toBeLessThanOrEqual(2 * chunk);
});

test('the final chunk is withheld when the input breaks off', async () => {
  const reason = new Failure('engine-killed', 'pg_dump was killed');
  const input = Readable.from(
    (async function* () {
      yield randomBytes(chunk + 10);
      await Promise.resolve();
      throw reason;
    })(),
  );
  const flow = runFlow([age.create(lid(0), holding([])).encode()], { input });
  const pieces: Buffer[] = [];
  await expect(
    (async () => {
      for await (const data of flow.output) pieces.push(data as Buffer);
    })(),
  ).rejects.toBe(reason);
  expect(await failureOf(open(Buffer.concat(pieces), key(0)))).toMatchObject({ code: 'archive' });
});

const runs = count(200, 10_000);
test(`J6: no file key and no nonce twice in ${runs}`, { timeout: 600_000 }, async () => {
  const seen = new Set<string>();
  for (let round = 0; round < runs; round += 1) {
    const { header, fileKey } = await makeHeader(lid(0));
    expect(Buffer.from(await openHeader(header, key(0))).equals(Buffer.from(fileKey))).toBe(true);
    seen.add(Buffer.from(fileKey).toString('hex'));
    seen.add(createHash('sha256').update(header).digest('hex'));
  }
  expect(seen.size).toBe(2 * runs);
  const nonces = new Set<string>();
  for (let round = 0; round < 50; round += 1) nonces.add((await seal(Buffer.alloc(0), lid(0))).subarray(-32, -16).toString('hex'));
  expect(nonces.size).toBe(50);
});
