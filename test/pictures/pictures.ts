/**
 * pictures: what the page looks like, from a real run: `npm run pictures:page` makes the ones in docs/pictures, and with a FOLDER every page
 * into it, by day and by night, wide and on a phone, to be looked at.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { chromium, type Browser } from 'playwright-core';
import { openStage, type Stage } from './stage.js';

const [, , all] = process.argv;
const folder = all ?? 'docs/pictures';
mkdirSync(folder, { recursive: true });

const looks = [
  { name: 'wide-light', colorScheme: 'light', viewport: { width: 1280, height: 860 } },
  { name: 'wide-dark', colorScheme: 'dark', viewport: { width: 1280, height: 860 } },
  { name: 'phone-light', colorScheme: 'light', viewport: { width: 360, height: 780 } },
  { name: 'phone-dark', colorScheme: 'dark', viewport: { width: 360, height: 780 } },
] as const;

/** One picture a look of each page that is named. */
async function shoot(browser: Browser, stage: Stage, pages: Readonly<Record<string, string>>, token: string | undefined): Promise<void> {
  for (const { name: look, ...options } of looks) {
    const context = await browser.newContext(options);
    const page = await context.newPage();
    await page.goto(`${stage.url}/login`);
    if (token !== undefined) {
      await page.fill('#token', token);
      await page.press('#token', 'Enter');
      await page.waitForURL(`${stage.url}/`);
    }
    for (const [name, path] of Object.entries(pages)) {
      await page.goto(stage.url + path);
      await page.screenshot({ path: join(folder, `${name}-${look}.png`), fullPage: true });
    }
    await context.close();
  }
}

async function idOf(stage: Stage, command: 'events' | 'backups', key: 'id' | 'backupId', ...args: string[]): Promise<string> {
  const { stdout } = await stage.run(command, ...args, '--json');
  const found = JSON.parse(stdout) as Record<string, readonly Record<string, string>[]>;
  return found[command]?.[0]?.[key] ?? '';
}

/** For the documentation: the first screen. */
async function forDocs(browser: Browser, stage: Stage): Promise<void> {
  for (const { name, ...options } of looks.slice(0, 2)) {
    const context = await browser.newContext({ ...options, viewport: { width: 1280, height: 990 } });
    const page = await context.newPage();
    await page.goto(`${stage.url}/login`);
    await page.fill('#token', stage.tokens['operate'] ?? '');
    await page.press('#token', 'Enter');
    await page.waitForURL(`${stage.url}/`);
    await page.screenshot({ path: join(folder, name === 'wide-dark' ? 'page-dark.png' : 'page.png') });
    await context.close();
  }
}

const browser = await chromium.launch({ executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
try {
  if (all !== undefined) {
    const empty = await openStage({ history: false });
    await shoot(browser, empty, { empty: '/' }, empty.tokens['operate']);
    await shoot(browser, empty, { login: '/login', lost: '/nowhere' }, undefined);
    await empty.close();
  }
  const stage = await openStage({ history: true });
  for (const database of ['shop', 'warehouse']) await stage.run('verify', '--database', database, '--quiet');
  if (all === undefined) await forDocs(browser, stage);
  else {
    const operate = stage.tokens['operate'];
    const failed = await idOf(stage, 'events', 'id', '--status', 'failed');
    const backup = await idOf(stage, 'backups', 'backupId', '--database', 'shop');
    const pages = {
      overview: '/',
      start: '/start?database=crm',
      failed: `/events/${failed}`,
      backup: `/backups/${backup}`,
      events: '/events',
      backups: '/backups',
      schedules: '/schedules',
      explain: '/schedules/nightly/explain',
      health: '/health',
    };
    await shoot(browser, stage, pages, operate);
    await shoot(browser, stage, { reader: '/', forbidden: '/start' }, stage.tokens['read']);
    const held = stage.sql('shop', 'BEGIN; LOCK TABLE customers IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(30); COMMIT;').catch(() => '');
    void stage.run('execute', '--database', 'shop', '--quiet');
    const running = await idOf(stage, 'events', 'id', '--database', 'shop').catch(() => '');
    await shoot(browser, stage, { busy: '/', running: `/events/${running}` }, operate);
    await held;
  }
  await stage.close();
} finally {
  await browser.close();
}
