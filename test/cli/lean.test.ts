/** test: commands that only look load none of the packages that cost tens of milliseconds each. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { temporaryProject, type TemporaryProject } from '../fixtures/cli.js';

const heavy = ['zod', 'pg', 'execa', 'ora', 'cosmiconfig', 'nodemailer', 'fastify'];

let project: TemporaryProject;
beforeEach(() => (project = temporaryProject()));
afterEach(() => project.cleanup());

/** The packages in what a real run loaded: Node's coverage names the files, esbuild's comments say what was bundled into each. */
async function loaded(args: readonly string[]): Promise<string[]> {
  const folder = join(project.directory, 'coverage');
  expect(await project.run(args, { env: { NODE_V8_COVERAGE: folder } })).toMatchObject({ exitCode: 0 });
  const reports = readdirSync(folder).map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as { result: { url: string }[] });
  const files = reports.flatMap(({ result }) => result.map(({ url }) => url)).filter((url) => url.startsWith('file:'));
  const texts = files.map((url) => `// ${fileURLToPath(url)}\n${readFileSync(new URL(url), 'utf8')}`);
  return [...new Set(texts.flatMap((text) => [...text.matchAll(/^\/\/ .*node_modules\/([^/\n]+)\//gm)].map((match) => match[1] ?? '')))];
}

test.each(['--help', '--version', 'events', 'events --json', 'active', 'statistics --by day'])('%s', async (typed) => {
  const packages = await loaded(typed.split(' '));
  expect(packages).toContain('commander');
  expect(packages.filter((name) => heavy.includes(name))).toEqual([]);
});

test('what is looked for is found where it is used', async () => {
  expect(await loaded(['config'])).toEqual(expect.arrayContaining(['commander', 'zod']));
});

test('execute --due with nothing due loads no package at all', async () => {
  project.file('backup-automation.config.json', { schedules: { daily: { cron: '0 2 1 1 *' } }, databases: { shop: { url: 'env:URL' } } });
  await project.run(['execute', '--due']);
  expect(await loaded(['execute', '--due', '--quiet'])).toEqual([]);
});
