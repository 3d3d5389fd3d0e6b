/**
 * test: everything that the documentation tells a reader to type is typed, page by page, against a real PostgreSQL, and what it shows
 * is what is seen. `DOCS=write npx vitest run test/docs/pages.test.ts` writes what is seen into the pages.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defaultLoaders } from 'cosmiconfig';
import { describe, expect, inject, test } from 'vitest';
import { checkConfig } from '../../src/config/load.js';
import { sameWords } from './mask.js';
import { parsePage, type Block, type Page } from './page.js';
import { setStage, type Stage } from './stage.js';

const root = join(import.meta.dirname, '../..');
const generated = ['docs/commands.md', 'docs/exit-codes.md', 'docs/reference/configuration.md', 'docs/reference/api.md'];
const files = ['README.md', 'CONTRIBUTING.md', ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' }).map((file) => `docs/${file}`)]; // prettier-ignore
const pages = files
  .filter((file) => file.endsWith('.md') && !generated.includes(file))
  .map((file) => parsePage(file, readFileSync(join(root, file), 'utf8')));

const has = (name: string) => spawnSync('sh', ['-c', `command -v ${name}`]).status === 0;
const missing = (page: Page) => page.needs.filter((name) => !has(name));
const skipped = (block: Block) => 'not run' in block.said;
/** Whose words the pages show: of another version, which names itself and compresses otherwise, only the exit codes are compared. */
const shownMajor = 15;

/** What was seen where a page shows something else, by the line of the block. */
type Differences = Map<number, string>;

/** What a comment says that has to happen before, unseen. */
async function prepare(stage: Stage, page: Page, { line, said }: Block): Promise<void> {
  if (said['first'] === undefined) return;
  const { exitCode, text } = await stage.run(said['first']);
  expect(`${page.file}:${line}: first\n${exitCode}\n${text}`).toBe(`${page.file}:${line}: first\n0\n${text}`);
}

async function type(stage: Stage, page: Page, block: Block): Promise<string> {
  const { exitCode, text } = await stage.run(block.code, block.said['until']);
  const where = `${page.file}:${block.line}:\n${block.code}`;
  expect(`${where}${exitCode}\n${text}`).toBe(`${where}${block.said['exit'] ?? 0}\n${text}`);
  return text;
}

/** The blocks of a page in their order, as a reader types them. */
async function follow(page: Page, differences: Differences): Promise<void> {
  const stage = await setStage();
  try {
    let seen = '';
    for (const block of page.blocks) {
      if (block.said['file'] !== undefined) stage.write(block.said['file'], block.code);
      if (block.language !== 'sql') await prepare(stage, page, block);
      if (block.seen && inject('postgres').major === shownMajor && !sameWords(block.code, seen)) differences.set(block.line, seen);
      if (block.language === 'sh' && !skipped(block)) seen = await type(stage, page, block);
      if (block.language === 'js' && !skipped(block)) await type(stage, page, { ...block, code: `node ${stage.write('program.mjs', block.code)}\n` });
    }
    const statements = page.blocks.filter((block) => block.language === 'sql' && !skipped(block));
    for (const [index] of statements.entries())
      await stage.sql(statements.slice(0, index + 1).map((block) => `${block.said['first'] ?? ''}\n${block.code}`).join('\n')); // prettier-ignore
  } finally {
    await stage.clear();
  }
}

/** The page with what was seen. */
function corrected(page: Page, differences: Differences): string {
  const lines = page.text.split('\n');
  for (const [line, seen] of [...differences].toReversed()) {
    const length = lines.slice(line).indexOf('```');
    lines.splice(line, length, ...seen.split('\n'));
  }
  return lines.join('\n');
}

describe.concurrent('what is typed works, and what is shown is seen', { timeout: 240_000 }, () => {
  for (const page of pages.filter(({ blocks }) => blocks.some((block) => ['sh', 'sql', 'js'].includes(block.language) && !skipped(block)))) {
    const lacks = missing(page);
    test.skipIf(lacks.length > 0)(`${page.file}${lacks.length > 0 ? ` (skipped: no ${lacks.join(', ')})` : ''}`, async () => {
      const differences: Differences = new Map();
      try {
        await follow(page, differences);
      } finally {
        if (process.env['DOCS'] === 'write') writeFileSync(join(root, page.file), corrected(page, differences));
      }
      if (process.env['DOCS'] !== 'write') expect(corrected(page, differences)).toBe(page.text);
    });
  }
});

const blocksOf = (language: string) =>
  pages.flatMap((page) => page.blocks.filter((block) => block.language === language).map((block) => ({ where: `${page.file}:${block.line}`, block }))); // prettier-ignore

/** As a file of a machine that has what the examples name. */
async function judge(text: string) {
  const cwd = mkdtempSync(join(tmpdir(), 'backup-automation-example-'));
  mkdirSync(join(cwd, 'node_modules'));
  symlinkSync(root, join(cwd, 'node_modules/backup-automation'));
  writeFileSync(join(cwd, 'releases.ics'), 'BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20970331T023000Z\nEND:VEVENT\nEND:VCALENDAR\n', { mode: 0o600 });
  writeFileSync(join(cwd, 'backup-automation.config.json'), text, { mode: 0o600 });
  try {
    return (await checkConfig({ set: [] }, { env: {}, cwd }, new Date())).errors;
  } finally {
    rmSync(cwd, { recursive: true });
  }
}

describe('what is not typed', () => {
  test.each(blocksOf('json'))('$where is a configuration', async ({ block }) => {
    const parsed: unknown = JSON.parse(block.code);
    if (skipped(block)) expect(parsed).toBeTypeOf('object');
    else expect(await judge(block.code)).toEqual([]);
  });

  test.each(blocksOf('yaml'))('$where is YAML', ({ block }) => {
    expect(defaultLoaders['.yaml'](block.code, block.code)).toBeTypeOf('object');
  });

  test('every block of text is seen, or says why not', () => {
    expect(blocksOf('text').filter(({ block }) => !block.seen && !skipped(block))).toEqual([]);
  });

  test('every block says what it is, and few cannot be tried', () => {
    const known = ['sh', 'text', 'sql', 'json', 'yaml', 'js', 'ini', 'crontab', 'dockerfile', 'markdown'];
    expect(pages.flatMap(({ file, blocks }) => blocks.filter(({ language }) => !known.includes(language)).map(({ line }) => `${file}:${line}`))).toEqual([]); // prettier-ignore
    expect(blocksOf('sh').length).toBeGreaterThan(60);
    expect(blocksOf('sh').filter(({ block }) => skipped(block)).map(({ where }) => where).length).toBeLessThanOrEqual(10); // prettier-ignore
    expect(blocksOf('sql').filter(({ block }) => skipped(block))).toEqual([]);
  });
});
