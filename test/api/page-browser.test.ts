/** test: the page in a real Chromium: a backup started, followed, proven, by the mouse and by the keyboard alone, by night and on a phone. */
import { existsSync } from 'node:fs';
import { chromium, type Browser, type BrowserContext, type BrowserContextOptions, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { cloneDatabase, sql, type TestDatabase } from '../fixtures/database.js';
import { lab } from '../fixtures/lab.js';
import { startServer, type TestServer } from './server.js';

const executablePath = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
const missing = existsSync(executablePath) ? '' : ` (there is no ${executablePath})`;

describe.skipIf(missing !== '')(`the page in Chromium${missing}`, () => {
  let database: TestDatabase;
  let server: TestServer;
  let browser: Browser;
  beforeAll(async () => {
    database = await cloneDatabase('shop');
    const project = lab(
      { shop: { url: 'env:DATABASE_URL' } },
      {
        clientDirectory: inject('postgres').binDirectory,
        timezone: 'Europe/Berlin',
        schedules: { nightly: { cron: '0 2 * * *' } },
        api: { port: 0, rateLimit: 100_000 },
      },
    );
    server = await startServer(project, { env: { DATABASE_URL: database.url } });
    browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  });
  afterAll(async () => {
    await browser.close();
    await server.stop();
    server.project.cleanup();
    await database.drop();
  });

  /** What went wrong in a page, and whom else it asked. */
  const complaints: string[] = [];
  async function open(options: BrowserContextOptions = {}): Promise<{ context: BrowserContext; page: Page }> {
    const context = await browser.newContext(options);
    const page = await context.newPage();
    page.on('console', (message) => void (['error', 'warning'].includes(message.type()) && complaints.push(message.text())));
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('request', (request) => void (new URL(request.url()).origin !== server.url && complaints.push(request.url())));
    return { context, page };
  }
  async function enter(page: Page, role: 'read' | 'operate'): Promise<void> {
    await page.goto(server.url);
    await page.getByLabel('Token').fill(server.tokens[role]);
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.waitForURL(`${server.url}/`);
  }
  const heading = (page: Page) => page.getByRole('heading', { level: 1 });

  test('log in, start a backup, follow it, see it completed, prove it, see it proven', async () => {
    const { context, page } = await open();
    await enter(page, 'operate');
    await expect.poll(() => heading(page).textContent()).toBe('No');
    // as a pg_dump that takes its time, until that was seen
    const hold = "SET application_name = 'holder'; BEGIN; LOCK TABLE customers IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(60); COMMIT;";
    const held = sql(database.url, hold).catch(() => '');
    await page.getByRole('link', { name: 'Back up shop' }).click();
    await page.getByRole('button', { name: 'Back up now' }).click();
    await page.waitForURL(/\/events\/[\w-]{36}$/);
    // from here on the page changes by itself
    await expect
      .poll(() => page.locator('[data-progress]').textContent(), { timeout: 50_000 })
      .toMatch(/wait for a lock on public\.customers/);
    await sql(database.url, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'holder'");
    await held;
    await expect.poll(() => heading(page).textContent(), { timeout: 60_000 }).toMatch(/completed/);
    await page
      .getByRole('link', { name: /^[\w-]{36}$/ })
      .first()
      .click();
    await page.getByRole('button', { name: 'Restore it elsewhere and compare' }).click();
    await expect.poll(() => page.locator('main').textContent(), { timeout: 60_000 }).toMatch(/Proven to level restore/);
    await page.getByRole('link', { name: 'Overview' }).click();
    await expect.poll(() => heading(page).textContent()).toBe('Yes');
    expect(await page.locator('.database').textContent()).toMatch(/restorable.*restored and found equal/s);
    await context.close();
  }, 180_000);

  test('by the keyboard alone, with the focus seen wherever it is', async () => {
    const { context, page } = await open();
    await page.goto(server.url);
    await page.keyboard.type(server.tokens.operate);
    await page.keyboard.press('Enter');
    await page.waitForURL(`${server.url}/`);
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Skip to the content');
    await page.keyboard.press('Enter');
    const reached: string[] = [];
    for (let step = 0; step < 40 && !reached.includes('Back up shop…'); step += 1) {
      await page.keyboard.press('Tab');
      reached.push(String(await page.evaluate('document.activeElement.textContent.trim().replace(/\\s+/g, " ")')));
      expect(await page.evaluate('getComputedStyle(document.activeElement).outlineStyle')).toBe('solid');
    }
    expect(reached).toContain('Back up shop…');
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/start/);
    await context.close();
  });

  test('by day and by night, on a phone and on a wall: nothing runs over the edge, and every word can be read', async () => {
    for (const colorScheme of ['light', 'dark'] as const) {
      const { context, page } = await open({ colorScheme, viewport: { width: 360, height: 740 } });
      await enter(page, 'read');
      for (const path of ['/', '/events', '/backups', '/schedules', '/health', '/schedules/nightly/explain']) {
        await page.goto(server.url + path);
        expect([path, await page.evaluate('document.documentElement.scrollWidth')]).toEqual([path, 360]);
        expect([path, colorScheme, await page.evaluate(faint)]).toEqual([path, colorScheme, []]);
      }
      await context.close();
    }
  });

  test('without its script it says the same', async () => {
    const { context, page } = await open({ javaScriptEnabled: false });
    await enter(page, 'operate');
    expect(await heading(page).textContent()).toBe('Yes');
    expect(await page.getByRole('button', { name: 'Log out' }).count()).toBe(1);
    await context.close();
  });

  test('a link in a mail opens the page for who has logged in', async () => {
    const { context, page } = await open();
    await enter(page, 'read');
    const other = await context.newPage();
    await other.goto(`data:text/html,<a href="${server.url}/events">look</a>`);
    await other.getByRole('link').click();
    await other.waitForURL(`${server.url}/events`);
    expect(await heading(other).textContent()).toBe('Events');
    await context.close();
  });

  test('no error in the console, and no request to anybody else', () => {
    expect(complaints).toEqual([]);
  });
});

/** Texts whose contrast with what lies behind them is below 4.5 : 1 (WCAG 2, AA), in the page itself. */
const faint = `(() => {
  const canvas = Object.assign(document.createElement('canvas'), { width: 1, height: 1 }).getContext('2d', { willReadFrequently: true });
  const rgba = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = (color) => rgba(color).slice(0, 3).map((one) => one / 255)
    .map((one) => (one <= 0.03928 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4))
    .reduce((sum, one, index) => sum + one * [0.2126, 0.7152, 0.0722][index], 0);
  const behind = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const color = getComputedStyle(one).backgroundColor;
      if (rgba(color)[3] > 0) return color;
    }
    return 'white';
  };
  const found = new Set();
  for (const element of document.querySelectorAll('body *')) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim() !== '');
    if (!own || element.closest('.aside, .skip, script')) continue;
    const [a, b] = [light(getComputedStyle(element).color), light(behind(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) found.add(element.tagName + '.' + element.className + ' ' + ratio.toFixed(1));
  }
  return [...found];
})()`;
