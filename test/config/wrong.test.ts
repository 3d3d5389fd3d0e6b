import { tmpdir } from 'node:os';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.js';
import { ConfigurationFailure } from '../../src/config/problem.js';
import { load, problems, temporaryFolder, write } from './folder.js';

const said = async (file: unknown): Promise<string> =>
  (await problems({ file: file as object })).map(({ key, found, expected }) => `${key} is ${found}, expected ${expected}`).join('\n');

test('all errors at once, each with file, key, value found and value expected', async () => {
  const cwd = temporaryFolder();
  const file = write(cwd, {
    enabled: 'yes',
    maxRetries: -1,
    backupWindow: { start: '1:00', finish: '06:00' },
    databases: { shop: { prot: 5432 } },
    storages: { local: { kind: 'local' } },
    schedules: { daily: { cron: '0 2 * *', databases: ['shp'] } },
    timezone: 'Europe/Atlantis',
    compression: { algorithm: 'gzip', level: 12 },
  });
  const error: unknown = await loadConfig({ set: ['jobs=0'] }, { env: { DB_BACKUP_RETRY_DELAY: 'soon' }, cwd }).catch(
    (thrown: unknown) => thrown,
  );
  expect(error).toMatchObject({ code: 'configuration', exit: 10 });
  const lines = (error as Error).message.split('\n');
  expect(lines).toEqual(
    expect.arrayContaining([
      'DB_BACKUP_RETRY_DELAY: retryDelay is "soon", expected a number',
      `${file}: enabled is "yes", expected true or false`,
      `${file}: maxRetries is -1, expected a whole number from 0 to 100`,
      `${file}: backupWindow.start is "1:00", expected a time of day as HH:mm, e.g. "01:00"`,
      `${file}: backupWindow.finish is "06:00", but there is no such key`,
      `${file}: databases.shop.prot is 5432, but there is no such key (did you mean "port"?)`,
      `${file}: storages.local.path is missing, expected a text`,
      '--set: jobs is 0, expected a whole number from 1 to 64',
    ]),
  );
});

test('the rules speak beside the schema, where the rest can be judged', async () => {
  const text = await said({
    maxRetries: 'x',
    timezone: 'Europe/Atlantis',
    compression: { algorithm: 'gzip', level: 12 },
    databases: { shop: {} },
    schedules: { daily: { cron: '0 2 * *', databases: ['shp'], storages: ['local', 'local'] } },
  });
  expect(text).toContain('maxRetries is "x"');
  expect(text).toContain('timezone is "Europe/Atlantis", expected a time zone');
  expect(text).toContain('compression.level is 12, expected at most 9 for gzip');
  expect(text).toContain('schedules.daily.databases.0 is "shp", expected the name of an entry of `databases` (did you mean "shop"?)');
  expect(text).toContain('schedules.daily.storages.1 is "local", expected each name once');
  expect(text).toContain('schedules.daily.cron is "0 2 * *", expected a cron expression of five fields');
});

describe('I1: unknown keys', () => {
  test.each([
    ['maxRetry', 'maxRetries'],
    ['max_retries', 'maxRetries'],
    ['retrydelay', 'retryDelay'],
    ['backupwindow', 'backupWindow'],
    ['schedule', 'schedules'],
    ['storage', 'storages'],
    ['database', 'databases'],
    ['compresion', 'compression'],
    ['timeZone', 'timezone'],
    ['alertonfailure', 'alertOnFailure'],
  ])('%s is refused with the right name %s', async (wrong, right) => {
    expect(await said({ [wrong]: 1 })).toBe(`${wrong} is 1, expected no such key (did you mean "${right}"?)`);
  });

  test.each([
    ['conditions', 'maxDatabaseLaod', 'maxDatabaseLoad'],
    ['conditions', 'minDiskspace', 'minDiskSpace'],
    ['backupWindow', 'strat', 'start'],
    ['retention', 'keep_last', 'keepLast'],
    ['compression', 'levl', 'level'],
    ['log', 'fromat', 'format'],
    ['verify', 'after_backup', 'afterBackup'],
    ['health', 'maxConnectionPol', 'maxConnectionPool'],
    ['api', 'prot', 'port'],
  ])('%s.%s is refused with the right name %s', async (parent, wrong, right) => {
    expect(await said({ [parent]: { [wrong]: 1 } })).toContain(`${parent}.${wrong} is 1, expected no such key (did you mean "${right}"?)`);
  });

  test('a name like nothing gets no suggestion', async () => {
    expect(await said({ zzzzzzzz: 1 })).toBe('zzzzzzzz is 1, expected no such key');
  });
});

describe('F7: zones', () => {
  test.each(['Mars/Olympus', '', 'Europe/', 'CEST5'])('%j is refused by name', async (zone) => {
    expect(await said({ timezone: zone })).toContain(`timezone is ${JSON.stringify(zone)}, expected a time zone`);
    expect(await said({ schedules: { s: { cron: '0 0 * * *', timezone: zone } } })).toContain('schedules.s.timezone is');
  });
});

describe('F8: durations', () => {
  const keys = ['retryDelay', 'stallTimeout', 'lockWaitTimeout', 'health.maxAverageQueryTime', 'databases.default.connectTimeout'];
  test.each(keys.flatMap((key) => [2 ** 31, -1, 1e308].map((value) => [key, value] as const)))(
    '%s=%d is refused at load',
    async (key, value) => {
      expect(await problems({ set: [`${key}=${value}`] })).toEqual([expect.objectContaining({ source: '--set', key })]);
    },
  );

  test('NaN and infinity are no numbers', async () => {
    const cwd = temporaryFolder();
    write(cwd, 'retryDelay: .nan\nstallTimeout: .inf\n', 'backup-automation.config.yaml');
    await expect(loadConfig({ set: [] }, { env: {}, cwd })).rejects.toThrow(/retryDelay is NaN.*\n.*stallTimeout is Infinity/);
    expect(await said('{"retryDelay": 1e999}')).toContain('retryDelay is Infinity');
  });

  test('the longest that is allowed stays below 2^31 ms', async () => {
    const { config } = await load({ set: ['retryDelay=10080', 'stallTimeout=35000', 'lockWaitTimeout=86400'] });
    expect(Math.max(config.retryDelay * 60_000, config.stallTimeout * 60_000, config.lockWaitTimeout * 1000)).toBeLessThan(2 ** 31);
  });
});

describe('I3: keys that reach a prototype', () => {
  test.each(['__proto__', 'constructor', 'prototype'])('%s is refused everywhere', async (key) => {
    for (const text of [
      `{"${key}":{"x":1}}`,
      `{"databases":{"${key}":{}}}`,
      `{"conditions":{"${key}":{"x":1}}}`,
      `{"alerts":{"a":{"kind":"k","${key}":{"x":1}}}}`,
    ])
      expect(await said(text)).toContain(`${key} is an object, expected no such key`);
    for (const set of [`${key}.x=1`, `conditions.${key}.x=1`, `conditions={"${key}":{"x":1}}`])
      expect(await problems({ set: [set] })).toContainEqual(expect.objectContaining({ source: '--set', expected: 'no such key' }));
    const cwd = temporaryFolder();
    write(cwd, `conditions:\n  ${key}:\n    x: 1\n`, 'backup-automation.config.yaml');
    await expect(loadConfig({ set: [] }, { env: {}, cwd })).rejects.toThrow('no such key');
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
  });
});

describe('I4: names that could leave a folder', () => {
  const names = [
    '../../etc',
    '%2e%2e%2f',
    '/etc',
    'a\u0000b',
    '.',
    '..',
    'x'.repeat(300),
    'dаily',
    'A',
    '',
    'a/b',
    '-rf',
    'a b',
    '$(id)',
    '`id`',
  ];
  test.each(['databases', 'storages', 'schedules', 'alerts'])('%s takes none of them', async (section) => {
    for (const name of names) {
      const [first] = await problems({ file: { [section]: { [name]: { kind: 'local', path: 'p', cron: '0 0 * * *' } } } });
      expect(first?.found).toBe('a name that cannot be used');
    }
  });
});

describe('I7: text that is no configuration', () => {
  test.each([
    ['a trailing comma', '{\n  "maxRetries": 1,\n}', 'line 3, column 1: no key in double quotes'],
    ['a comment', '{\n  // no\n}', 'line 2, column 3'],
    ['a duplicate key', '{"maxRetries": 1,\r\n "maxRetries": 2}', 'line 2, column 2: the key "maxRetries" a second time'],
    ['a duplicate key below', '{"a": {"b": 1, "c": 2,\n"\\u0062": 3}}', 'line 2, column 1: the key "b" a second time'],
    ['an early end', '{"maxRetries": ', 'line 1, column 16: ends too early'],
    ['nothing', '', 'line 1, column 1: ends too early'],
    ['more than one value', '{}\n{}', 'line 2, column 1: something behind'],
    ['a list', '[]', 'holds no object'],
    ['deep nesting', '['.repeat(100_000), 'nested deeper than 64'],
    ['a megabyte and more', `{"a":"${'x'.repeat(1_100_000)}"}`, 'bytes, expected at most 1048576'],
    ['a huge text', `{"timezone":"${'x'.repeat(1_000_000)}"}`, 'timezone is "xxx'],
  ])('%s', async (_, text, message) => {
    await expect(load({ file: text })).rejects.toThrow(message);
  });

  test('invalid UTF-8 is told with its line', async () => {
    const bytes = Buffer.concat([Buffer.from('{\n"timezone": "'), Buffer.from([0xff, 0xfe]), Buffer.from('"}')]);
    await expect(load({ file: bytes })).rejects.toThrow('line 2 holds bytes that are no UTF-8');
  });

  test('a byte order mark and CRLF are no matter', async () => {
    expect((await load({ file: '\ufeff{\r\n"maxRetries": 9\r\n}\r\n' })).config.maxRetries).toBe(9);
  });

  test.each([
    ['a duplicate key', 'maxRetries: 1\nmaxRetries: 2\n', 'line 2'],
    ['bad syntax', 'a: b: c\n', 'line 1'],
    ['deep nesting', '['.repeat(100_000), 'YAML'],
    [
      'a bomb of aliases',
      `a: &a [x,x,x,x,x,x,x,x,x]\n${[...'bcdefghi'].map((name, index) => `${name}: &${name} [${Array(9).fill(`*${'abcdefgh'[index]}`).join()}]`).join('\n')}\n`,
      'more than 50000 values',
    ],
    ['an alias of itself', 'alerts: &a {x: *a}\n', 'nested too deep'],
    ['a program', 'a: !!js/function "function () {}"\n', 'unknown tag'],
  ])('YAML: %s', async (_, text, message) => {
    const cwd = temporaryFolder();
    write(cwd, text, 'backup-automation.config.yaml');
    await expect(loadConfig({ set: [] }, { env: {}, cwd })).rejects.toThrow(message);
  });
});

describe('I2: documents of chance', () => {
  const key = fc.oneof(
    fc.constantFrom(
      'enabled',
      'maxRetries',
      'backupWindow',
      'start',
      'conditions',
      'databases',
      'schedules',
      'daily-backup',
      'cron',
      'storages',
    ),
    fc.constantFrom(
      'local',
      'kind',
      'path',
      'compression',
      'retention',
      'keepLast',
      'encryption',
      'alerts',
      'timezone',
      'url',
      'port',
      'level',
    ),
    fc.string({ maxLength: 12 }),
  );
  const scalar = fc.oneof(
    fc.constantFrom(null, NaN, -1, 1e308, Infinity, 0, true, 'local', '0 2 * * *', 'UTC', 'env:X', '__proto__', 'postgresql://u:p@h'),
    fc.double(),
    fc.string(),
  );
  const { document } = fc.letrec<{ document: unknown }>((tie) => ({
    document: fc.oneof(
      { depthSize: 'medium' },
      scalar,
      fc.array(tie('document'), { maxLength: 4 }),
      fc.dictionary(key, tie('document'), { maxKeys: 6 }),
    ),
  }));

  test('never crash: a Failure of exit 10 with a key, or a configuration', async () => {
    const { resolveConfig } = await import('../../src/config/check.js');
    const { sourceOfText } = await import('../../src/config/load.js');
    const whole = fc.dictionary(key, document, { maxKeys: 8 });
    fc.assert(
      fc.property(whole, fc.array(fc.tuple(key, document), { maxLength: 2 }), (file, flags) => {
        const set = flags.map(([name, value]) => `${name}=${JSON.stringify(value)}`);
        try {
          resolveConfig(sourceOfText('/f.json', JSON.stringify(file)), { set }, { env: {}, cwd: tmpdir() });
        } catch (error) {
          if (!(error instanceof ConfigurationFailure)) throw error;
          expect(error.exit).toBe(10);
          expect(error.problems.length).toBeGreaterThan(0);
          expect(error.message).not.toMatch(/\n\s+at /);
        }
      }),
      { numRuns: 2000, interruptAfterTimeLimit: 30_000, markInterruptAsFailure: true },
    );
  });

  test('thousands of schedules are judged, or refused for their size', async () => {
    const many = (count: number, schedule: object) => ({
      schedules: Object.fromEntries(Array.from({ length: count }, (_, n) => [`s${n}`, schedule])),
    });
    expect(Object.keys((await load({ file: many(5000, { cron: '0 2 * * *' }) })).config.schedules)).toHaveLength(5000);
    expect((await problems({ file: many(5000, { corn: 'x' }) })).length).toBeGreaterThan(500);
    expect(await said(many(100_000, { cron: '0 2 * * *' }))).toContain('bytes');
  }, 10_000);
});

describe('I9: secrets as themselves', () => {
  const literal = 'hunter2-hunter2';
  test.each([
    { databases: { d: { password: literal } } },
    { databases: { d: { url: `postgresql://u:${literal}@h/d` } } },
    { databases: { d: { url: `postgresql://u:x/${literal}@h/d` } } },
    { databases: { d: { url: `postgresql://h/d?password=${literal}` } } },
    { verify: { server: `postgresql://u:${literal}@h/d` } },
    { encryption: { passphrase: literal } },
    { schedules: { s: { cron: '0 0 * * *', encryption: { passphrase: literal } } } },
    { alerts: { a: { kind: 'webhook', url: 'https://h/', secret: literal } } },
    { alerts: { a: { kind: 'webhook', url: 'https://h/', headers: { Authorization: literal } } } },
    { alerts: { a: { kind: 'slack', url: `https://hooks.slack.com/services/${literal}` } } },
    { databases: { d: { pasword: literal } } },
  ])('%j is refused, and the secret is not shown', async (file) => {
    const text = await said(file);
    expect(text).not.toContain(literal);
    expect(text).toMatch(/expected a reference to the secret|no such key/);
  });

  test('on the command line too', async () => {
    const [problem] = await problems({ set: [`databases.default.password=${literal}`] });
    expect(problem).toMatchObject({ source: '--set', key: 'databases.default.password', found: 'a literal secret' });
  });

  test('references are taken as they are', async () => {
    const { config } = await load({
      file: { databases: { d: { url: 'command:pass show "shop db"' }, e: { password: 'env:P' }, f: { url: 'postgresql://u@h/d' } } },
    });
    expect(config.databases['d']?.url).toBe('command:pass show "shop db"');
  });
});
