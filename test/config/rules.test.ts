import { describe, expect, test } from 'vitest';
import { notBuiltYet, unsupported } from '../../src/config/rules.js';
import { load, problems } from './folder.js';

describe('notBuiltYet', () => {
  test('has nothing to say of the defaults', async () => {
    expect(notBuiltYet(await load({}))).toEqual([]);
  });

  test.each([
    ['encryption={"recipients":["age1x"]}', 'encryption'],
    ['schedules.daily-backup.encryption={"recipients":["age1x"]}', 'encryption'],
    ['alerts.a={"kind":"slack","url":"env:X"}', 'alerts'],
    ['jobs=2', 'jobs'],
    ['gentle=on', 'gentle'],
    ['fingerprint=content', 'fingerprint'],
    ['retention.keepDaily=3', 'retention'],
    ['schedules.daily-backup.retention.keepWithin=3d', 'retention'],
    ['api.port=9000', 'api'],
    ['maxRetries=20', 'maxRetries'],
  ])('warns of %s', async (set, key) => {
    const warnings = notBuiltYet(await load({ set: [set] }));
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(new RegExp(`^${key}: `));
  });
});

describe('unsupported', () => {
  test('clear text is never stored where encryption is asked for', async () => {
    const { config } = await load({ set: ['encryption={"recipients":["age1x"]}', 'schedules.weekly-backup.encryption=null'] });
    expect(unsupported(config)).toMatchObject({ code: 'configuration', exit: 10 });
    expect(unsupported(config, 'daily-backup')?.message).toContain('encryption is set');
    expect(unsupported(config, 'weekly-backup')).toBeNull();
  });

  test("a schedule's own encryption counts for it alone", async () => {
    const { config } = await load({ set: ['schedules.weekly-backup.encryption={"recipients":["age1x"]}'] });
    expect(unsupported(config)).toBeNull();
    expect(unsupported(config, 'weekly-backup')?.message).toContain('schedules.weekly-backup.encryption');
  });
});

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
    [{ storages: { a: { kind: 's3', path: 'x' } } }, 'storages.a.kind', '"local"'],
  ])('%j', async (file, key, expected) => {
    const found = await problems({ file });
    expect(found).toContainEqual(expect.objectContaining({ key, expected: expect.stringContaining(expected) as string }));
  });

  test.each(['0 2 * * *', '*/5 1-5 * * MON-FRI', '0 0 L * *', '@daily'])('croner takes %s', async (cron) => {
    expect((await load({ file: { schedules: { s: { cron } } } })).config.schedules['s']?.cron).toBe(cron);
  });
});
