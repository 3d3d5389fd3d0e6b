/** docs/prometheus: the alert rules that are shipped, tried by Prometheus' own promtool. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { unknownIn } from './metric-names.js';

const root = join(import.meta.dirname, '../..');
const file = join(root, 'docs/prometheus/backup-automation.rules.yml');
const rules = readFileSync(file, 'utf8');
const alerts = [...rules.matchAll(/- alert: (\w+)/g)].map(([, name = '']) => name);
const cases = ['rules.test.yml', 'rules-slow.test.yml'];
const hasPromtool = spawnSync('promtool', ['--version']).status === 0;
const promtool = (...args: readonly string[]) => {
  const { status, stdout, stderr } = spawnSync('promtool', args, { encoding: 'utf8', cwd: import.meta.dirname });
  return { status, said: stdout + stderr };
};

test('they name only metrics and labels that there are', () => {
  expect(alerts.length).toBeGreaterThan(10);
  expect(unknownIn(rules)).toEqual([]);
  expect(unknownIn('backup_automation_nothing{a="b"} > backup_automation_target_up{database="x"}')).toEqual([
    'backup_automation_nothing{a="b"}',
    'target_up{database}',
  ]);
});

test('each tells how bad it is, what is wrong, and what to type', () => {
  for (const rule of rules.split('- alert: ').slice(1)) {
    expect(rule).toMatch(/severity: (warning|critical)\n/);
    expect(rule).toMatch(/summary: '/);
    expect(rule).toMatch(/description: '.*backup-automation /);
  }
});

test('each has a case in which it fires, and a page that explains it', () => {
  const tried = cases.map((name) => readFileSync(join(import.meta.dirname, name), 'utf8')).join('');
  const page = readFileSync(join(root, 'docs/metrics.md'), 'utf8');
  expect(alerts.filter((name) => !tried.includes(`alertname="${name}"`))).toEqual([]);
  expect(alerts.filter((name) => !page.includes(`| \`${name}\` |`))).toEqual([]);
});

describe.skipIf(!hasPromtool)('promtool', () => {
  test('takes them', () => {
    expect(promtool('check', 'rules', file)).toMatchObject({
      status: 0,
      said: expect.stringContaining(`${alerts.length} rules found`) as string,
    });
  });

  test.each(cases)('sees them fire when they should, and only then: %s', (name) => {
    expect(promtool('test', 'rules', name)).toMatchObject({ status: 0, said: expect.stringContaining('SUCCESS') as string });
  });
});
