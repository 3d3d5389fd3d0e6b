import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { redact, registerSecret, shortestSecret } from '../../src/model/redact.js';

const encoded: Record<string, (secret: string) => string> = {
  raw: (secret) => secret,
  url: (secret) => encodeURIComponent(secret),
  'url, lower case': (secret) => encodeURIComponent(secret).replace(/%../g, (pair) => pair.toLowerCase()),
  form: (secret) => encodeURIComponent(secret).replaceAll('%20', '+'),
  json: (secret) => JSON.stringify({ dsn: secret }),
  'json in json': (secret) => JSON.stringify({ message: JSON.stringify({ dsn: secret }) }),
  passfile: (secret) => `db:5432:*:me:${secret.replace(/[\\:]/g, '\\$&')}`,
  conninfo: (secret) => `password='${secret.replace(/[\\']/g, '\\$&')}'`,
  sql: (secret) => `ALTER ROLE me PASSWORD '${secret.replaceAll("'", "''")}'`,
};
const secrets = fc
  .string({ unit: fc.constantFrom(...'abc019 :@/?#&=%+\\\'"!*()$\n\tä€😀'), minLength: shortestSecret, maxLength: 20 })
  .filter((secret) => !'://u:***@h password=*** PGPASSWORD=*** ALTER ROLE me PASSWORD dsn message'.includes(secret));

describe('a registered secret never survives', () => {
  test.each(Object.entries(encoded))('%s', (_name, encode) => {
    fc.assert(
      fc.property(secrets, fc.string(), fc.string(), (secret, before, after) => {
        registerSecret(secret);
        const form = encode(secret);
        const result = redact(before + form + after);
        expect(result).not.toContain(secret);
        expect(result).not.toContain(form);
      }),
      { numRuns: 60 },
    );
  });

  test('nor beside, within or across another one', () => {
    registerSecret('overlap-one');
    registerSecret('one-more');
    registerSecret('overlap-one-more-and-longer');
    for (const secret of ['x***y', 'p***q', 'm***n']) registerSecret(secret);
    expect(redact('<overlap-one-more>')).toBe('<***>');
    expect(redact('<overlap-one-more-and-longer>')).toBe('<***>');
    expect(redact('<mpxoverlap-oneyqn>')).toBe('<***>');
  });

  test('short values are not looked for, but where they stand as a password', () => {
    registerSecret('Zq');
    expect(redact('ZqZqZ')).toBe('ZqZqZ');
    expect(redact('password=Zq host=h')).toBe('password=*** host=h');
  });
});

describe('passwords that nobody registered', () => {
  test.each([
    ['postgres://me:geheim@db:5432/shop', 'postgres://me:***@db:5432/shop'],
    ['postgres://me:ge@h@im@db/shop?a=b@c', 'postgres://me:***@db/shop?a=b@c'],
    ['invalid port in "postgresql://me:ge/heim@db/shop"', 'invalid port in "postgresql://me:***@db/shop"'],
    ['https://:token1@hooks/x and http://a:bcde@f', 'https://:***@hooks/x and http://a:***@f'],
    ['host=h password=geheim dbname=d', 'host=h password=*** dbname=d'],
    ["password = 'ge\\'he im' dbname=d", 'password = *** dbname=d'],
    ['postgres:///d?password=ge&h&sslmode=require', 'postgres:///d?password=***&sslmode=require'],
    ['env PGPASSWORD="ge heim" pg_dump', 'env PGPASSWORD=*** pg_dump'],
    ['sslpassword=geheim', 'sslpassword=***'],
  ])('%s', (text, expected) => {
    expect(redact(text)).toBe(expected);
    expect(redact(expected)).toBe(expected);
  });
});

describe('text without secrets stays as it is', () => {
  test.each([
    'fe_sendauth: no password supplied',
    'http://127.0.0.1:8484/api/@me',
    'postgres://me@db:5432/shop',
    'passwordFile=/run/secrets/db',
    'FATAL:  password authentication failed for user "me"',
  ])('%s', (text) => {
    expect(redact(text)).toBe(text);
  });

  test('any text', () => {
    // upper case: no secret above has a capital letter, and no pattern matches without one of = and :
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'ABCDEFG .,-_/@') }), (text) => {
        expect(redact(text)).toBe(text);
      }),
    );
  });
});
