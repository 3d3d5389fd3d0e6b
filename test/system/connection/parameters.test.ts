/** system/connection-parameters, -url, -passfile: libpq's syntax, sources and precedence, without a server. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { redact } from '../../../src/model/redact.js';
import type { DatabaseEntry } from '../../../src/model/settings/connection.js';
import { Failure } from '../../../src/model/errors.js';
import { gatherParameters } from '../../../src/system/connection/parameters.js';
import { findPassword, passfileLine, readPassfile } from '../../../src/system/connection/passfile.js';
import { placesOf } from '../../../src/system/connection/places.js';
import { parseUrl } from '../../../src/system/connection/url.js';

const folder = mkdtempSync(join(tmpdir(), 'backup-automation-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, content: string, mode = 0o600): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  chmodSync(path, mode);
  return path;
}
const gather = (entry: DatabaseEntry, env: Record<string, string> = {}) =>
  gatherParameters(entry, {
    env: { HOME: folder, PGSYSCONFDIR: folder, ...env },
    secret: async (reference) => env[reference.slice(4)] ?? '',
  });

describe('parseUrl', () => {
  it.each([
    ['postgresql://', {}],
    ['postgres://db1/shop', { host: 'db1', dbname: 'shop' }],
    ['postgresql://u:p%40w@db1:5433/my%20shop', { user: 'u', password: 'p@w', host: 'db1', port: '5433', dbname: 'my shop' }],
    ['postgresql://db1:1,[::1]:2,db3/shop', { host: 'db1,::1,db3', port: '1,2,', dbname: 'shop' }],
    ['postgresql://%2Fvar%2Frun/shop', { host: '/var/run', dbname: 'shop' }],
    [
      'postgresql:///shop?host=/tmp&port=6&user=u&sslmode=verify-full',
      { host: '/tmp', port: '6', user: 'u', dbname: 'shop', sslmode: 'verify-full' },
    ],
    ['postgresql://db1?ssl=true', { host: 'db1', sslmode: 'require' }],
    ['postgresql://db1/shop?schema=public&connection_limit=5', { host: 'db1', dbname: 'shop' }],
    ['postgresql://db1/host%3Devil%20dbname%3Dx', { host: 'db1', dbname: 'host=evil dbname=x' }],
    ['postgresql://u?x@db1/', { user: 'u?x', host: 'db1' }],
  ])('reads %s', (url, expected) => expect(parseUrl(url)).toEqual(expected));

  it.each([
    'mysql://db1/x',
    'host=db1 dbname=x',
    'postgresql://u:p/w@db1/x',
    'postgresql://db1/x?sslmod=require',
    'postgresql://db1/%zz',
    'postgresql://[::1/x',
    'postgresql://db1/x?a',
  ])('refuses %s without quoting a piece that may be a password', (url) => {
    expect(() => parseUrl(url)).toThrow(Failure);
    expect(() => parseUrl(url)).not.toThrow(/p\/w|:\/\/u/);
  });

  it('gives back any user, password and database that were percent-encoded', () => {
    const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 20 }).filter((text) => !text.includes('\0'));
    fc.assert(
      fc.property(text, text, text, (user, password, dbname) => {
        const [u, p, d] = [user, password, dbname].map(encodeURIComponent);
        expect(parseUrl(`postgresql://${u}:${p}@db1/${d}`)).toEqual({ user, password, host: 'db1', dbname });
      }),
    );
  });
});

describe('gatherParameters', () => {
  const service =
    '# comment\n[other]\nhost=no\n[shop]\n host=from-service\nport=6000\nuser=from-service\nsslmode=require\n\n[last]\nhost=no\n';

  it('takes the entry before the service before the environment', async () => {
    const env = { PGSERVICEFILE: file('service.conf', service), PGUSER: 'from-env', PGPORT: '7000', PGDATABASE: 'host=evil dbname=x' };
    expect(await gather({ service: 'shop', host: 'from-entry' }, env)).toMatchObject({
      host: 'from-entry',
      user: 'from-service',
      port: '6000',
      sslmode: 'require',
      dbname: 'host=evil dbname=x',
    });
    expect(await gather({}, { ...env, PGSERVICE: 'shop' })).toMatchObject({ host: 'from-service' });
    expect(await gather({}, env)).toMatchObject({ user: 'from-env', port: '7000' });
  });

  it('looks for the service in ~/.pg_service.conf, then in PGSYSCONFDIR', async () => {
    file('pg_service.conf', '[system]\nhost=system-wide\n');
    expect(await gather({ service: 'system' })).toMatchObject({ host: 'system-wide' });
    file('.pg_service.conf', '[system]\nhost=own\n');
    expect(await gather({ service: 'system' })).toMatchObject({ host: 'own' });
    await expect(gather({ service: 'missing' })).rejects.toMatchObject({
      code: 'configuration',
      message: expect.stringContaining('missing') as string,
    });
    file('.pg_service.conf', '[bad]\nhots=x\n');
    await expect(gather({ service: 'bad' })).rejects.toThrow(/"hots" is not a parameter/);
  });

  it('resolves references, and reads the first line of a password file', async () => {
    const passwordFile = file('password', 'se:cret\\x\nsecond\n');
    expect(await gather({ url: 'env:URL', passwordFile }, { URL: 'postgresql://u:no@db1/x' })).toMatchObject({
      host: 'db1',
      password: 'se:cret\\x',
    });
    expect(await gather({ password: 'env:P' }, { P: 'word' })).toMatchObject({ password: 'word' });
    await expect(gather({ passwordFile: join(folder, 'absent') })).rejects.toThrow(/absent/);
  });
});

describe('placesOf', () => {
  it('sets hosts, addresses and ports side by side', () => {
    expect(placesOf({ host: 'a,b', port: '1,2' })).toEqual([
      { host: 'a', hostaddr: null, port: 1 },
      { host: 'b', hostaddr: null, port: 2 },
    ]);
    expect(placesOf({ host: 'a,b', port: '7' }).map(({ port }) => port)).toEqual([7, 7]);
    expect(placesOf({ hostaddr: '10.0.0.1' })).toEqual([{ host: '10.0.0.1', hostaddr: '10.0.0.1', port: 5432 }]);
    expect(placesOf({ host: 'a', hostaddr: '10.0.0.1' })).toMatchObject([{ host: 'a', hostaddr: '10.0.0.1' }]);
  });

  it('refuses lists that do not match, and ports that are none', () => {
    expect(() => placesOf({ host: 'a,b', hostaddr: '10.0.0.1' })).toThrow(/2 hosts, 1 addresses/);
    expect(() => placesOf({ host: 'a,b', port: '1,2,3' })).toThrow(/do not match/);
    expect(() => placesOf({ port: '70000' })).toThrow(/70000/);
  });
});

describe('the password file', () => {
  const login = { host: 'db1', port: 5432, databaseName: 'shop', user: 'backup' };
  const text =
    '# db1:5432:shop:backup:comment\nother:*:*:*:no\ndb1:5432:sh\\:op:backup:colon\n/run/x:*:*:*:socket\nlocalhost:*:*:*:local\ndb1:*:shop:*:a\\:b\\\\c:d\n*:*:*:*:rest\n';

  it('takes the first line that fits, with escapes and wildcards', () => {
    const find = (change: object) => findPassword(text, { ...login, ...change });
    expect(find({})).toBe('a:b\\c:d');
    expect(redact('the server said a:b\\c:d')).toBe('the server said ***');
    expect(find({ databaseName: 'sh:op' })).toBe('colon');
    expect(find({ host: '/run/x' })).toBe('socket');
    expect(find({ host: '/var/run/postgresql' })).toBe('local');
    expect(find({ host: 'db9' })).toBe('rest');
    expect(findPassword('db1:5432:shop:backup\n', login)).toBeNull();
  });

  it('is passed over when others may read it, saying so', async () => {
    const open = file('pgpass', '*:*:*:*:secret\n', 0o644);
    expect(await readPassfile({ passfile: open }, {})).toEqual({
      text: '',
      ignored: expect.stringContaining(`chmod 0600 ${open}`) as string,
    });
    chmodSync(open, 0o600);
    expect(await readPassfile({ passfile: open }, {})).toEqual({ text: '*:*:*:*:secret\n', ignored: null });
    expect(await readPassfile({}, { HOME: join(folder, 'nobody') })).toEqual({ text: '', ignored: null });
  });

  it('written for children gives back any user and password', () => {
    const word = fc.string({ unit: 'grapheme', minLength: 1 }).filter((text) => !/[\r\n\0]/.test(text));
    fc.assert(
      fc.property(word, word, (user, password) => {
        expect(findPassword(passfileLine({ ...login, user }, password), { ...login, user })).toBe(password);
      }),
    );
    expect(() => passfileLine(login, 'two\nlines')).toThrow(Failure);
  });
});
