/**
 * test: sealed backups on a real server, as one would type them: made with public keys alone, opened with the private one, by us and by age.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Manifest } from '../../src/model/backup/backup.js';
import { keyId } from '../../src/model/backup/age-key.js';
import { onPath } from '../../src/system/files/path.js';
import { cloneDatabase, databaseUrl, packed, program, sql, type TestDatabase } from '../fixtures/database.js';
import { contentOf, lab, type Lab } from '../fixtures/lab.js';
import { shim, shimDirectory } from '../fixtures/shims.js';

let shop: TestDatabase;
let project: Lab;
let keys: { identity: string; recipient: string; file: string }[];
let backupId: string;
const made: string[] = [];

/** Stands in a table's row and nowhere else. */
const canary = 'canary-5d1f0a77-nobody-reads-this';

beforeAll(async () => {
  shop = await cloneDatabase('shop');
  await sql(shop.url, `CREATE TABLE "secret plans" (t text); INSERT INTO "secret plans" VALUES ('${canary}')`);
  const identities = await Promise.all([0, 1, 2].map(() => generateX25519Identity()));
  const recipients = await Promise.all(identities.map(identityToRecipient));
  project = lab({ shop: { url: shop.url } }, { encryption: { recipients: recipients.slice(0, 1), recipientsFile: './recipients' } });
  project.file('recipients', `# the offline key\r\n\r\n  ${recipients[1]}\r\n`);
  keys = identities.map((identity, index) => {
    const recipient = recipients[index] ?? '';
    const text = `# created: today\n# public key: ${recipient}\n${identity}\n`;
    return { identity, recipient, file: project.file(`key-${index}`, text) };
  });
});

afterAll(async () => {
  project.cleanup();
  for (const name of made) await sql(databaseUrl('postgres'), `DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`);
  await shop.drop();
});

const fresh = (name: string): string => {
  const own = `sealed_${name}_${process.pid}`;
  made.push(own);
  return own;
};
const withKey = (index: number): string[] => ['--set', `verify.identity=file:${keys[index]?.file}`];
const folder = (): string => join(project.backups, 'shop', backupId);
const manifest = (): Manifest => JSON.parse(readFileSync(join(folder(), 'manifest.json'), 'utf8')) as Manifest;
const anyFileHolds = (directory: string, text: string): string[] =>
  (readdirSync(directory, { recursive: true }) as string[]).filter((name) => {
    const path = join(directory, name);
    return statSync(path).isFile() && readFileSync(path).includes(text);
  });

describe.sequential('with public keys alone', () => {
  it('execute seals everything that tells of the inside, and proves the archive before it is sealed', async () => {
    const { exitCode, document, stderr } = await project.json(['execute']);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    backupId = document.events[0]?.result?.backupId ?? '';
    expect(readdirSync(folder()).toSorted()).toEqual([
      'RESTORE.md',
      `database.dump${packed()}.age`,
      'details.json.age',
      `globals.sql${packed()}.age`,
      'manifest.json',
    ]);
    const { artifacts, proven, ...rest } = manifest();
    expect(artifacts.filter(({ kind }) => kind !== 'guide').map(({ codecs }) => codecs.at(-1))).toEqual(['age', 'age', 'age']);
    expect(artifacts.filter(({ kind }) => kind !== 'guide').map(({ plainSha256 }) => plainSha256)).toEqual([null, null, null]);
    expect(rest.keys).toEqual([keyId(keys[0]?.recipient ?? ''), keyId(keys[1]?.recipient ?? '')]);
    expect(proven).toMatchObject({ level: 'archive' });
    expect([...anyFileHolds(project.backups, canary), ...anyFileHolds(project.backups, 'secret plans')]).toEqual([]);
  });

  it('verify reads the stored bytes, and says that it cannot look inside, which speaks against nobody', async () => {
    expect(await project.json(['verify', '--level', 'checksum'])).toMatchObject({ exitCode: 0, document: { results: [{ ok: true }] } });
    for (const level of ['archive', 'restore']) {
      const { exitCode, document } = await project.json(['verify', '--level', level]);
      expect({ exitCode, results: document.results }).toEqual({ exitCode: 10, results: [] });
      expect(document.error).toMatchObject({
        code: 'no-key',
        message: expect.stringContaining('cannot look inside'),
        hint: expect.stringContaining('verify.identity'),
      });
    }
    const { document } = await project.json(['backups']);
    expect(document.backups).toMatchObject([{ suspect: false, proven: { level: 'archive' } }]);
  });

  it('restore and --output are refused before anything is touched', async () => {
    const name = fresh('refused');
    const output = join(project.directory, 'never.dump');
    for (const args of [
      ['--to', databaseUrl(name), '--create'],
      ['--output', output],
    ])
      expect(await project.json(['restore', 'latest', ...args])).toMatchObject({ exitCode: 10, document: { error: { code: 'no-key' } } });
    expect(existsSync(output)).toBe(false);
    expect(await sql(databaseUrl('postgres'), `SELECT count(*) FROM pg_database WHERE datname = '${name}'`)).toBe('0');
  });

  it('backups show tells the manifest and what is sealed', async () => {
    const { exitCode, document } = await project.json(['backups', 'show', 'latest']);
    expect({ exitCode, document }).toMatchObject({
      exitCode: 0,
      document: { manifest: { backupId }, details: null, sealed: { code: 'no-key' } },
    });
    const { stdout } = await project.run(['backups', 'show', 'latest']);
    expect(stdout).toMatch(/sealed\s+to the keys/);
  });

  it('a sealed file that was changed is known by its bytes, key or no key', async () => {
    const path = join(folder(), `database.dump${packed()}.age`);
    const good = readFileSync(path);
    for (const at of [60, 1000]) {
      const bad = Buffer.from(good);
      bad.writeUInt8(bad.readUInt8(at) ^ 1, at);
      writeFileSync(path, bad);
      for (const more of [[], withKey(1)]) {
        const { exitCode, document } = await project.json(['verify', '--level', 'archive', ...more]);
        expect({ at, exitCode, results: document.results }).toMatchObject({ exitCode: 22, results: [{ ok: false }] });
      }
    }
    writeFileSync(path, good);
    expect((await project.json(['verify', '--level', 'archive', ...withKey(1)])).exitCode).toBe(0);
  });
});

describe.sequential('with a private key', () => {
  it.each([0, 1])('verify proves it by a restore with key %d', async (index) => {
    const { exitCode, document } = await project.json(['verify', ...withKey(index)]);
    expect({ exitCode, document }).toMatchObject({ exitCode: 0, document: { results: [{ ok: true, level: 'restore' }] } });
  });

  it('restore makes an equal database, show tells every count, --output the archive', async () => {
    const name = fresh('copy');
    expect(await project.json(['restore', 'latest', '--to', databaseUrl(name), '--create', ...withKey(1)])).toMatchObject({
      exitCode: 0,
      document: { compared: true },
    });
    expect(await contentOf(databaseUrl(name))).toBe(await contentOf(shop.url));
    const shown = await project.json(['backups', 'show', 'latest', ...withKey(0)]);
    expect(JSON.stringify(shown.document['details'])).toContain('secret plans');
    const output = join(project.directory, 'shop.dump');
    expect((await project.json(['restore', 'latest', '--output', output, ...withKey(0)])).exitCode).toBe(0);
    expect(execFileSync(program('pg_restore'), ['--list', output], { encoding: 'utf8' })).toContain('TABLE DATA public secret plans');
  });

  it('G9: a wrong, missing, empty, readable or rotated key is refused before any output; CRLF is not', async () => {
    const output = join(project.directory, 'g9.dump');
    const cases: [string, string, string][] = [
      ['wrong', keys[2]?.file ?? '', 'no-key'],
      ['missing', join(project.directory, 'nowhere'), 'configuration'],
      ['empty', project.file('empty', ''), 'configuration'],
      ['no key', project.file('comments', '# nothing\n'), 'configuration'],
      ['damaged', project.file('damaged', `${keys[0]?.identity.replace(/.$/, 'X')}\n`), 'configuration'],
      ['a public one', project.file('public', `${keys[0]?.recipient}\n`), 'configuration'],
      ['a folder', project.directory, 'configuration'],
    ];
    const open = project.file('open', `${keys[0]?.identity}\n`);
    chmodSync(open, 0o644);
    for (const [what, file, code] of [...cases, ['readable by others', open, 'configuration']]) {
      const { exitCode, document, stdout, stderr } = await project.json([
        'restore',
        'latest',
        '--output',
        output,
        '--set',
        `verify.identity=file:${file}`,
      ]);
      expect({ what, exitCode, code: document.error.code }).toEqual({ what, exitCode: 10, code });
      expect(existsSync(output)).toBe(false);
      for (const { identity } of keys) expect(stdout + stderr).not.toContain(identity);
    }
    const rotated = project.file('rotated', `# new\r\n${keys[2]?.identity}\r\n# old\r\n${keys[0]?.identity}\r\n`);
    expect((await project.json(['restore', 'latest', '--output', output, '--set', `verify.identity=file:${rotated}`])).exitCode).toBe(0);
  });

  it('a key may come from the environment or a program', async () => {
    const env = { AGE_KEY: keys[0]?.identity ?? '' };
    expect((await project.json(['verify', '--level', 'archive', '--set', 'verify.identity=env:AGE_KEY'], { env })).exitCode).toBe(0);
    expect((await project.json(['verify', '--level', 'archive', '--set', `verify.identity=command:cat '${keys[1]?.file}'`])).exitCode).toBe(
      0,
    );
  });

  it('no private key is left anywhere', () => {
    const stray = keys.flatMap(({ identity }) => anyFileHolds(join(project.directory, '.backup-automation'), identity));
    expect([...stray, ...keys.flatMap(({ identity }) => anyFileHolds(project.backups, identity))]).toEqual([]);
  });
});

describe.sequential('the key drill', () => {
  const advice = async () => ((await project.json(['health'])).document['advice'] as string[]).join('\n');
  const id = (index: number) => keyId(keys[index]?.recipient ?? '');

  it('proves a key that is kept elsewhere, and health tells its age', async () => {
    expect(await advice()).toContain(`nobody proved yet that the private key of ${id(1)}`);
    const { exitCode, document } = await project.json(['verify', '--keys', '--identity', 'key-1']);
    expect({ exitCode, document }).toMatchObject({
      exitCode: 0,
      document: { keys: [{ ok: true, keys: [id(0), id(1)], opened: [id(1)] }] },
    });
    expect(JSON.stringify(document['keys'])).toMatch(/of \d+ backups? sealed to keys it opens \d+/);
    const said = await advice();
    expect(said).toMatch(new RegExp(`private key of ${id(1)} was last proven to open the backups .* ago`));
    expect(said).toContain(`nobody proved yet that the private key of ${id(0)}`);
    expect(said).toContain('set verify.identity');
  });

  it('a key that does not open them is no proof', async () => {
    const { exitCode, document } = await project.json(['verify', '--keys', '--identity', 'key-2']);
    expect({ exitCode, document }).toMatchObject({
      exitCode: 22,
      document: { keys: [{ ok: false, opened: [] }], error: { code: 'verification' } },
    });
    expect(await advice()).toContain(`private key of ${id(1)} was last proven`);
    expect(await project.json(['verify', '--keys'])).toMatchObject({ exitCode: 10, document: { error: { code: 'no-key' } } });
    const ledger = await project.run(['events', 'verify']);
    expect(ledger.exitCode).toBe(0);
  });

  it('health is critical when nothing can be sealed, since then nothing is backed up', async () => {
    const { exitCode, document } = await project.json(['health', '--set', 'encryption.recipientsFile=./nowhere']);
    expect(exitCode).toBe(2);
    expect(document['checks']).toContainEqual(expect.objectContaining({ name: 'encryption', status: 'critical' }));
    expect((await project.json(['health'])).document['checks']).toContainEqual(
      expect.objectContaining({ name: 'encryption', status: 'healthy' }),
    );
  });

  it('health warns of a private key that is away, or opens nothing of what is sealed today', async () => {
    const check = async (identity: string) => {
      const { document } = await project.json(['health', '--set', `verify.identity=${identity}`]);
      return (document['checks'] as { name: string; status: string; detail: string }[]).find(({ name }) => name === 'encryption');
    };
    expect(await check('file:./nowhere')).toMatchObject({ status: 'warning', detail: expect.stringContaining('nowhere') as string });
    const wrong = await check(`file:${keys[2]?.file ?? ''}`);
    expect(wrong).toMatchObject({ status: 'warning', detail: expect.stringContaining(`not the key of ${id(0)}, ${id(1)}`) as string });
    expect(await check(`file:${keys[1]?.file ?? ''}`)).toMatchObject({ status: 'healthy' });
  });
});

describe.skipIf(onPath('age') === null)('by hand', () => {
  it('RESTORE.md restores it with age, zstd and pg_restore, and nothing of ours', async () => {
    const name = fresh('by_hand');
    const text = readFileSync(join(folder(), 'RESTORE.md'), 'utf8');
    expect(text).toContain(packed() ? '`age` and `zstd`' : 'and `age`');
    const [which = '', sums = '', create = '', globals = '', load = ''] = [...text.matchAll(/```sh\n(.*?)\n```/gs)].map(
      ([, block]) => block ?? '',
    );
    const { PATH } = project.env;
    const where = new URL(shop.url).searchParams;
    const env = {
      PATH: `${program('')}:${PATH}`,
      PGHOST: where.get('host') ?? '',
      PGPORT: where.get('port') ?? '',
      PGUSER: where.get('user') ?? '',
    };
    const sh = (script: string) =>
      execFileSync('sh', ['-e', '-c', script.replaceAll('NEW_DATABASE', name).replaceAll('KEY', keys[1]?.file ?? '')], {
        cwd: folder(),
        env,
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
      });
    expect(manifest().keys).toContain(sh(which).slice(0, 16));
    expect(sh(sums).match(/: OK$/gm)).toHaveLength(3);
    sh(create);
    expect(sh(globals.replace('less', 'cat'))).toContain('CREATE ROLE shop_app');
    sh(load);
    expect(await sql(databaseUrl(name), 'SELECT t FROM "secret plans"')).toBe(canary);
  });
});

describe.sequential('per schedule', () => {
  const start = '0 3 * * *';
  it("a schedule's own encryption wins, null is none, a passphrase is one", async () => {
    const own = lab(
      { shop: { url: shop.url } },
      {
        encryption: { recipients: [keys[0]?.recipient] },
        schedules: {
          clear: { cron: start, encryption: null },
          other: { cron: start, encryption: { recipients: [keys[2]?.recipient] } },
          words: { cron: start, encryption: { passphrase: 'file:./words' } },
          same: { cron: start },
        },
      },
    );
    try {
      own.file('words', 'correct horse battery\n');
      const keysOf = async (schedule: string) => {
        const { exitCode, document } = await own.json(['execute', schedule]);
        expect({ schedule, exitCode }).toEqual({ schedule, exitCode: 0 });
        const id = document.events[0]?.result?.backupId ?? '';
        return (JSON.parse(readFileSync(join(own.backups, 'shop', id, 'manifest.json'), 'utf8')) as Manifest).keys;
      };
      expect(await keysOf('clear')).toBeUndefined();
      expect(await keysOf('other')).toEqual([keyId(keys[2]?.recipient ?? '')]);
      expect(await keysOf('same')).toEqual([keyId(keys[0]?.recipient ?? '')]);
      expect(await keysOf('words')).toEqual([]);
      const { exitCode, document } = await own.json(['verify', 'latest', '--level', 'restore']);
      expect({ exitCode, document }).toMatchObject({ exitCode: 0, document: { results: [{ ok: true }] } });
      own.file('words', 'another one\n');
      expect(await own.json(['verify', 'latest', '--level', 'archive'])).toMatchObject({
        exitCode: 10,
        document: { error: { code: 'no-key' } },
      });
    } finally {
      own.cleanup();
    }
  });

  it.each([
    ['a recipientsFile that is missing', { recipientsFile: './nowhere' }],
    ['a recipientsFile without a key', { recipientsFile: './empty' }],
    ['a recipientsFile with a private key', { recipientsFile: './key-0' }],
    ['a recipientsFile that others may write', { recipientsFile: './open' }],
    ['a passphrase that is not there', { passphrase: 'env:NO_SUCH_PASSPHRASE' }],
    ['the key of the examples', { recipients: ['age1...'] }],
  ])('%s: nothing is backed up, so that no clear text is stored', async (_what, encryption) => {
    const own = lab({ shop: { url: shop.url } }, { encryption });
    try {
      own.file('empty', '# later\n');
      own.file('key-0', keys[0]?.identity ?? '');
      chmodSync(own.file('open', keys[0]?.recipient ?? ''), 0o666);
      const { exitCode, document, stdout, stderr } = await own.json(['execute']);
      expect(exitCode).toBe(10);
      expect(document.events).toMatchObject([{ status: 'failed' }]);
      expect(document.events).toHaveLength(1);
      expect(own.stored()).toEqual([]);
      expect(stdout + stderr).not.toContain(keys[0]?.identity);
    } finally {
      own.cleanup();
    }
  });
});

describe.sequential('a dump that cannot be trusted', () => {
  it.each([
    ['pg_dump is killed', { pg_dump: shim.killed(20_000) }],
    ['pg_dump ends well after half of it', { pg_dump: shim.truncated(20_000) }],
    ['pg_dump ends well without a byte', { pg_dump: shim.empty }],
    ['pg_dumpall ends well after half of it', { pg_dumpall: shim.truncated(300) }],
  ])('%s: nothing is stored', async (_what, replaced) => {
    const programs = shimDirectory(replaced);
    const own = lab(
      { shop: { url: shop.url } },
      { encryption: { recipients: [keys[0]?.recipient] }, clientDirectory: programs.directory, autoRetry: false },
    );
    try {
      const { exitCode, document } = await own.json(['execute']);
      expect({ exitCode, events: document.events }).toMatchObject({ exitCode: 20, events: [{ status: 'failed' }] });
      expect(own.stored().filter((name) => name.includes('/'))).toEqual([]);
    } finally {
      own.cleanup();
      programs.remove();
    }
  });
});
