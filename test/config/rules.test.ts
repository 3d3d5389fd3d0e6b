import { dirname } from 'node:path';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { channels } from '../../src/channels/index.js';
import { notBuiltYet } from '../../src/config/rules.js';
import { loadConfig } from '../../src/config/load.js';
import { occurrencesOf } from '../../src/model/moment/occurrences.js';
import { load, problems, temporaryFolder, write } from './folder.js';

const secretKeys = { pagerduty: 'key', slack: 'url', discord: 'url', teams: 'url', heartbeat: 'url', telegram: 'token', ntfy: 'token' };
const needed = { telegram: { chat: '1' }, ntfy: { topic: 't' } };

describe('alerts', () => {
  const page = ['alerts', 'channels'].map((name) => readFileSync(new URL(`../../docs/${name}.md`, import.meta.url), 'utf8')).join('\n');
  const examples = [...page.matchAll(/^```json\n([\s\S]*?)^```/gm)].map(([, text = '']) => text);

  test.each(examples)('an example of the page is taken: %s', async (file) => {
    expect(Object.keys((await load({ file })).config.alerts)).not.toEqual([]);
  });

  test('the pages have an example of each channel', () => {
    const kinds = new Set(examples.flatMap((text) => [...text.matchAll(/"kind": "(\w+)"/g)].map(([, kind]) => kind)));
    expect(kinds).toEqual(new Set(Object.keys(channels)));
  });

  test.each(Object.entries(secretKeys))('I9: the secret of %s as itself is refused, and not shown', async (kind, key) => {
    const literal = 'https://hooks.example.com/T0-literal-secret';
    const found = await problems({
      file: { alerts: { a: { kind, ...(needed as Record<string, object>)[kind], [key]: literal, hook: literal } } },
    });
    expect(found).toContainEqual(expect.objectContaining({ key: `alerts.a.${key}`, found: 'a literal secret' }));
    expect(found).toContainEqual(expect.objectContaining({ key: 'alerts.a.hook', found: '"***"' }));
    expect(JSON.stringify(found)).not.toContain('T0-literal');
  });

  test('a placeholder that stands for nothing is refused', async () => {
    const template = { subject: '{{status}} {{databse}}' };
    expect(await problems({ file: { alerts: { a: { kind: 'slack', url: 'env:X', template } } } })).toEqual([
      expect.objectContaining({
        key: 'alerts.a.template.subject',
        found: '{{databse}}',
        expected: expect.stringContaining('{{database}}'),
      }),
    ]);
  });

  test('an unknown kind is told of all that are known', async () => {
    const [{ expected } = { expected: '' }] = await problems({ file: { alerts: { a: { kind: 'fax' } } } });
    for (const kind of Object.keys(channels)) expect(expected).toContain(`"${kind}"`);
  });
});

describe('notBuiltYet', () => {
  test('has nothing to say of the defaults', async () => {
    expect(notBuiltYet(await load({}))).toEqual([]);
  });

  test.each([
    ['retention={"minimum":5}', 'retention'],
    ['schedules.daily-backup.retention={}', 'retention'],
    ['maxRetries=20', 'maxRetries'],
  ])('warns of %s', async (set, key) => {
    const warnings = notBuiltYet(await load({ set: [set] }));
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(new RegExp(`^${key}: `));
  });
});

// from the documentation of age
const publicKey = 'age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p';

describe('rules', () => {
  test.each([
    [{ databases: {} }, 'databases', 'at least one entry'],
    [{ storages: {} }, 'storages', 'at least one entry'],
    [{ databases: { d: { url: 'env:X', host: 'h' } } }, 'databases.d.host', 'either `url` or this'],
    [{ databases: { d: { url: 'mysql://h/d' } } }, 'databases.d.url', 'postgresql://... or a reference to it'],
    [{ databases: { d: { password: 'env:X', passwordFile: '/x' } } }, 'databases.d.passwordFile', 'either `password` or this'],
    [{ databases: { d: { exclude: ['x'] } } }, 'databases.d.exclude', '`databases` with globs beside it'],
    [{ databases: { d: { host: 'a,b,c', port: '1,2' } } }, 'databases.d.port', 'one port, or one a host'],
    [{ databases: { d: { port: '70000' } } }, 'databases.d.port', 'ports up to 65535'],
    [{ databases: { 'a--b': {} } }, 'databases.a--b', 'that to the members of clusters'],
    [
      { storages: { a: { kind: 'local', path: './x' }, b: { kind: 'local', path: 'x/' } } },
      'storages.b.path',
      'another folder than that of "a"',
    ],
    [{ schedules: { s: { cron: '* * * * * *' } } }, 'schedules.s.cron', 'five fields'],
    [{ schedules: { s: { cron: '61 * * * *' } } }, 'schedules.s.cron', 'Invalid value for minute'],
    [{ schedules: { s: { cron: '0 0 30 2 *' } } }, 'schedules.s.cron', 'that is ever due'],
    [{ schedules: { s: {} } }, 'schedules.s.cron', 'a cron expression, `calendar` or `triggers`'],
    [{ schedules: { s: { cron: '@daily', calendar: { rule: 'FREQ=DAILY' } } } }, 'schedules.s.calendar', 'either `cron` or this'],
    [{ schedules: { s: { calendar: {} } } }, 'schedules.s.calendar', 'either `rule` or `file`'],
    [{ schedules: { s: { calendar: { rule: 'FREQ=HOURLY' } } } }, 'schedules.s.calendar.rule', 'FREQ is HOURLY'],
    [{ schedules: { s: { calendar: { rule: 'FREQ=DAILY;COUNT=3' } } } }, 'schedules.s.calendar.rule', 'COUNT needs a first day'],
    [{ schedules: { s: { calendar: { rule: 'FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30' } } } }, 'schedules.s.calendar.rule', 'that names a day'],
    [{ schedules: { s: { cron: '@daily', blackout: ['02-30'] } } }, 'schedules.s.blackout.0', 'days that there are'],
    [{ schedules: { s: { cron: '@daily', blackout: ['2026-05-02/2026-05-01'] } } }, 'schedules.s.blackout.0', 'the earlier day first'],
    [{ schedules: { s: { cron: '@daily', blackout: ['2026-05-02/06-01'] } } }, 'schedules.s.blackout.0', 'a year on both'],
    [{ storages: { a: { kind: 's3', path: 'x' } } }, 'storages.a.kind', '"local"'],
    [{ quorum: 2 }, 'quorum', 'at most 1, the number of storages'],
    [{ schedules: { s: { cron: '0 2 * * *', quorum: 2 } } }, 'schedules.s.quorum', 'at most 1'],
    [
      {
        quorum: 2,
        storages: { a: { kind: 'local', path: './a' }, b: { kind: 'local', path: './b' } },
        schedules: { s: { cron: '0 2 * * *', storages: ['a'] } },
      },
      'schedules.s.storages',
      'at least 2 entries',
    ],
    [{ encryption: {} }, 'encryption', '`recipients`, `recipientsFile` or `passphrase`'],
    [{ encryption: { recipients: [] } }, 'encryption.recipients', 'at least one'],
    [{ encryption: { recipients: [publicKey, 'age1x'] } }, 'encryption.recipients.1', 'a public age key'],
    [{ encryption: { recipients: [publicKey.replace('q', 'p')] } }, 'encryption.recipients.0', 'a right checksum'],
    [{ encryption: { recipients: [publicKey], passphrase: 'env:X' } }, 'encryption.passphrase', 'either keys or this'],
    [{ encryption: { passphrase: 'correct horse' } }, 'encryption.passphrase', 'never the secret itself'],
    [
      { schedules: { s: { cron: '@daily', encryption: { recipients: ['x'] } } } },
      'schedules.s.encryption.recipients.0',
      'a public age key',
    ],
    [{ verify: { identity: '/root/age.key' } }, 'verify.identity', 'a reference to private age keys'],
  ])('%j', async (file, key, expected) => {
    const found = await problems({ file });
    expect(found).toContainEqual(expect.objectContaining({ key, expected: expect.stringContaining(expected) as string }));
  });

  test.each(['0 2 * * *', '*/5 1-5 * * MON-FRI', '0 0 L * *', '@daily'])('croner takes %s', async (cron) => {
    expect((await load({ file: { schedules: { s: { cron } } } })).config.schedules['s']?.cron).toBe(cron);
  });

  test('a private key in the place of a public one, or of a reference, is not shown', async () => {
    const secret = `AGE-SECRET-KEY-1${'Q'.repeat(58)}`;
    for (const file of [{ encryption: { recipients: [secret] } }, { verify: { identity: secret } }, { encryption: { passphrase: secret } }])
      expect(JSON.stringify(await problems({ file }))).not.toContain('QQQQ');
  });

  test('what can be sealed to passes', async () => {
    const { config } = await load({
      file: { encryption: { recipients: [publicKey] }, schedules: { s: { cron: '@daily', encryption: null } } },
    });
    expect([config.encryption, config.schedules['s']?.encryption]).toEqual([{ recipients: [publicKey] }, null]);
  });
});

describe('a calendar file', () => {
  const event = (...lines: readonly string[]) => ['BEGIN:VCALENDAR', 'BEGIN:VEVENT', ...lines, 'END:VEVENT', 'END:VCALENDAR'].join('\n');
  const loaded = (text: string | null) => {
    const cwd = temporaryFolder();
    const file = write(cwd, { schedules: { s: { calendar: { file: 'days.ics' } } } });
    if (text !== null) write(dirname(file), text, 'days.ics');
    return { file: `${cwd}/days.ics`, config: loadConfig({ set: [], config: file }, { env: {}, cwd: '/' }) };
  };

  test('lies beside the configuration, is read with it and not shown', async () => {
    const { config, file } = loaded(event('DTSTART:20260302T020000Z', 'SUMMARY:the text'));
    const { s } = (await config).config.schedules;
    expect(s && occurrencesOf(s, 'UTC').next(new Date(0))?.toISOString()).toBe('2026-03-02T02:00:00.000Z');
    expect(JSON.stringify((await config).config)).not.toContain('the text');
    expect(s?.calendar).toMatchObject({ file });
  });

  test.each([
    [null, /days\.ics: there is no such file/],
    [event('DTSTART:yesterday'), /days\.ics: line 3: yesterday is no day or time, expected an iCalendar file/],
  ])('%j is refused, naming file and line', async (text, why) => {
    await expect(loaded(text).config).rejects.toThrow(why);
  });
});
