import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { jsonSchema, referencePage, sampleText } from '../../src/config/describe.js';
import { variables } from '../../src/config/environment.js';
import { initConfig } from '../../src/config/update.js';
import { load, temporaryFolder } from './folder.js';

const root = join(import.meta.dirname, '../..');
const stale = 'stale: run `npm run docs`';

test('the reference page is what the schema makes', () => {
  expect(readFileSync(join(root, 'docs/reference/configuration.md'), 'utf8'), stale).toBe(referencePage());
});

test('the JSON Schema is what the schema makes', () => {
  expect(readFileSync(join(root, 'backup-automation.schema.json'), 'utf8'), stale).toBe(`${JSON.stringify(jsonSchema(), null, 2)}\n`);
});

test('every key of the contract and every variable has its line, and every line says what it is', async () => {
  const page = referencePage();
  const { origins } = await load({});
  for (const key of Object.keys(origins).filter((name) => !/^(databases|storages|schedules)\./.test(name)))
    expect(page).toContain(`| \`${key}\` |`);
  for (const [name] of variables) expect(page).toContain(`\`${name}\``);
  expect(page).not.toMatch(/\| +\|$/m);
});

test('the sample sets what holds anyway', async () => {
  expect((await load({ file: sampleText() })).config.schedules).toEqual((await load({})).config.schedules);
});

test('init writes the sample and its schema once', () => {
  const cwd = temporaryFolder();
  const file = initConfig({ set: [] }, { env: {}, cwd });
  expect(readFileSync(file, 'utf8')).toBe(sampleText());
  expect(readdirSync(cwd).sort()).toEqual(['backup-automation.config.json', 'backup-automation.schema.json']);
  expect(() => initConfig({ set: [] }, { env: {}, cwd })).toThrow('exists already');
  expect(existsSync(join(cwd, 'backup-automation.schema.json'))).toBe(true);
});
