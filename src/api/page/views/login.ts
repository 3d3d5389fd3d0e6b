/**
 * api: the login, and what is told when something cannot be. Pure.
 */
import type { Problem } from '../../problem.js';
import { html, type Html } from '../html.js';
import { typed } from './parts.js';
import type { Page } from './frame.js';

/** `back`: where to go then, a path of the page. */
export const loginPage = (back: string, refused: boolean): Page => ({
  title: 'Log in',
  body: html`<section class="narrow">
    <h1>Log in</h1>
    ${refused && html`<p class="notice bad" role="alert">This is no valid token.</p>`}
    <form method="post" action="/login" class="stack">
      <input type="hidden" name="back" value="${back}" />
      <label for="token">Token</label>
      <input
        id="token"
        name="token"
        type="password"
        autocomplete="current-password"
        spellcheck="false"
        autocapitalize="off"
        required
        autofocus${refused && html` aria-invalid="true"`}
      />
      <button>Log in</button>
    </form>
    <p class="quiet">
      A token is made on the server: ${typed('`backup-automation token create --name me --role operate`')}. With role <code>read</code> one
      looks, with <code>operate</code> one starts backups too.
    </p>
  </section>`,
});

const next: Readonly<Record<number, Html>> = {
  401: html`<p><a class="button" href="/login">Log in</a></p>`,
  403: html`<p>Log in with a token that may, or ask whoever has one. <a href="/">To the overview</a></p>`,
  429: html`<p>Wait a minute, and try again.</p>`,
};

const elsewhere = html`<p><a href="/">To the overview</a></p>`;

export const problemPage = ({ title, status, detail, hint, errors = [] }: Problem): Page => ({
  title,
  body: html`<section class="narrow">
    <p class="quiet">${status}</p>
    <h1>${title}</h1>
    ${detail && html`<p>${typed(detail)}</p>`}
    ${
      errors.length > 0 &&
      html`<ul>
        ${errors.map(({ key, message }) => html`<li><code>${key}</code>: ${message}</li>`)}
      </ul>`
    }
    ${hint && html`<p class="next">${typed(hint)}</p>`} ${next[status] ?? elsewhere}
  </section>`,
});
