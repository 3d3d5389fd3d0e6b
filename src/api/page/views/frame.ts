/**
 * api: what stands around every page. Pure.
 */
import { mayDo } from '../../../model/access/token.js';
import { assets } from '../assets.js';
import type { Visitor } from '../door.js';
import { html, type Html, type Piece } from '../html.js';
import { button, type Here } from './parts.js';

export interface Page {
  readonly title: string;
  readonly body: Html;
  /** It is loaded again at once, on its own behalf. */
  readonly again?: true;
  /** It measures something, and is not taken anew by itself. */
  readonly still?: true;
}

const places: readonly (readonly [path: string, name: string])[] = [
  ['/', 'Overview'],
  ['/events', 'Events'],
  ['/backups', 'Backups'],
  ['/schedules', 'Schedules'],
  ['/health', 'Health'],
];

const isHere = (path: string, place: string): boolean => path === place || (place !== '/' && path.startsWith(`${place}/`));

const navigation = (path: string): Html =>
  html`<nav aria-label="Pages">
    <ul>
      ${places.map(([place, name]) => html`<li><a href="${place}" ${isHere(path, place) && html` aria-current="page"`}>${name}</a></li>`)}
    </ul>
  </nav>`;

const account = ({ caller, csrf, session }: Visitor): Piece =>
  html`<div class="account">
    <span class="who">${caller.by.replace(/^token:/, '')} <span class="quiet">may ${caller.role}</span></span
    >${session !== null && button({ action: '/logout', word: 'Log out', csrf, kind: 'plain' })}
  </div>`;

/** Without a visitor: for guests. */
export const frame = (page: Page, path: string, visitor: Visitor | null, here: Here | null): Html =>
  html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        ${page.again && html`<meta http-equiv="refresh" content="0" />`}
        <title>${page.title} – backup-automation</title>
        <link rel="icon" href="${assets.icon.path}" type="image/svg+xml" />
        <link rel="stylesheet" href="${assets.style.path}" />
        <script src="${assets.script.path}" defer></script>
      </head>
      <body>
        <a class="skip" href="#content">Skip to the content</a>
        <header class="top">
          <div class="wide">
            <a class="brand" href="/">backup-automation</a>
            ${visitor && [navigation(path), account(visitor)]}
          </div>
        </header>
        <main id="content" class="wide" tabindex="-1" ${visitor && !page.still && html` data-live`}>${page.body}</main>
        <footer class="wide quiet">
          ${here && html`<p>Times in ${here.zone}; this is how it was at <time datetime="${here.now.toISOString()}">${here.now.toISOString().slice(11, 19)} UTC</time>.</p>`}
          <p><a href="/docs">REST API</a></p>
        </footer>
        <div class="aside" role="status" id="said"></div>
      </body>
    </html> `;

export const mayOperate = ({ caller }: Visitor): boolean => mayDo(caller.role, 'operate');
