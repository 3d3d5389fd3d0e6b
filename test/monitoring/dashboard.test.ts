/** docs/grafana: the dashboard that is shipped, by its structure; what it asks is read by promtool. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { unknownIn } from './metric-names.js';

interface Place {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}
interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: Place;
  readonly repeat?: string;
  readonly datasource?: { readonly type: string; readonly uid: string };
  readonly targets?: readonly { readonly expr: string; readonly refId: string; readonly datasource: { readonly uid: string } }[];
  readonly panels?: readonly Panel[];
}
interface Variable {
  readonly name: string;
  readonly type: string;
  readonly definition?: string;
}
interface Dashboard {
  readonly title: string;
  readonly uid: string;
  readonly id?: unknown;
  readonly schemaVersion: number;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly Variable[] };
}

const text = readFileSync(join(import.meta.dirname, '../../docs/grafana/backup-automation.json'), 'utf8');
const dashboard = JSON.parse(text) as Dashboard;
const panels = dashboard.panels.flatMap((panel) => [panel, ...(panel.panels ?? [])]);
const variables = dashboard.templating.list;
const expressions = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));

test('it can be imported: a version Grafana knows, an own uid and no id of some other Grafana', () => {
  expect(dashboard.schemaVersion).toBeGreaterThanOrEqual(36);
  expect(dashboard).toMatchObject({ title: 'backup-automation', uid: 'backup-automation' });
  expect(dashboard.id ?? null).toBeNull();
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  expect(panels.filter(({ title }) => title === '')).toEqual([]);
});

test('every panel asks the data source that is chosen', () => {
  expect(variables[0]).toMatchObject({ name: 'datasource', type: 'datasource', query: 'prometheus' });
  const own = { type: 'prometheus', uid: '${datasource}' };
  for (const { type, datasource, targets = [] } of panels) {
    if (type === 'row') continue;
    expect(datasource).toEqual(own);
    expect(targets.length).toBeGreaterThan(0);
    expect(new Set(targets.map(({ refId }) => refId)).size).toBe(targets.length);
    for (const target of targets) expect(target.datasource).toEqual(own);
  }
});

test('panels lie side by side', () => {
  const overlap = (a: Place, b: Place) => a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
  for (const [index, { title, gridPos }] of dashboard.panels.entries()) {
    expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
    const others = dashboard.panels.slice(index + 1).filter((other) => overlap(gridPos, other.gridPos));
    expect([title, ...others.map((other) => other.title)]).toEqual([title]);
  }
});

test('it names only metrics, labels and variables that there are', () => {
  const asked = [...expressions, ...variables.flatMap(({ definition = '' }) => [definition])];
  expect(asked.flatMap(unknownIn)).toEqual([]);
  const named = [...text.matchAll(/\$\{?(\w+)/g)].map(([, name = '']) => name).filter((name) => !name.startsWith('__'));
  expect([...new Set(named)].toSorted()).toEqual(variables.map(({ name }) => name).toSorted());
  expect(panels.find(({ repeat }) => repeat === 'database')?.type).toBe('row');
});

test('it shows of each database what a person asks for', () => {
  for (const metric of [
    'backup_last_success_timestamp_seconds',
    'backup_last_verified_timestamp_seconds',
    'backup_next_run_timestamp_seconds',
    'backup_last_duration_seconds',
    'backup_size_bytes',
    'target_free_bytes',
    'health_status',
    'alerts_owed',
  ])
    expect(expressions.filter((expression) => expression.includes(metric))).not.toEqual([]);
});

test.skipIf(spawnSync('promtool', ['--version']).status !== 0)('promtool can read every expression', () => {
  const folder = mkdtempSync(join(tmpdir(), 'backup-automation-test-'));
  const rules = expressions.map((expression, index) => ({ record: `panel_${index}`, expr: expression.replaceAll(/\$(\w+)/g, '.*') }));
  writeFileSync(join(folder, 'rules.yml'), JSON.stringify({ groups: [{ name: 'panels', rules }] }));
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'rules', join(folder, 'rules.yml')], { encoding: 'utf8' });
  rmSync(folder, { recursive: true });
  expect({ status, said: stdout + stderr }).toEqual({ status: 0, said: expect.stringContaining(`${rules.length} rules found`) as string });
});
