/**
 * api: every check of health with what was found. Pure.
 */
import type { HealthReport } from '../../../model/health/health.js';
import type { CheckStatus } from '../../../model/health/check.js';
import { html } from '../html.js';
import type { Page } from './frame.js';
import { distance, grid, stateBadge, typed, type Here } from './parts.js';

const states = { healthy: 'good', warning: 'warn', critical: 'bad', unknown: 'unknown' } as const satisfies Record<CheckStatus, string>;
const order: readonly CheckStatus[] = ['critical', 'warning', 'unknown', 'healthy'];

export interface HealthShown extends Here {
  readonly report: HealthReport;
  /** When it was measured. */
  readonly at: Date;
}

export const healthPage = ({ report, at, ...here }: HealthShown): Page => ({
  title: `Health: ${report.status}`,
  still: true,
  body: html`<h1>Health ${stateBadge(states[report.status], report.status)}</h1>
    <p class="quiet">Measured ${distance(at.toISOString(), here)}; databases are asked once a minute at most.</p>
    ${grid(
      'Checks, the worst first',
      ['Check', 'State', 'What was found', 'What to do'],
      report.checks
        .toSorted((a, b) => order.indexOf(a.status) - order.indexOf(b.status))
        .map(({ name, subject, status, detail, hint }) => [
          subject === null ? name : html`${name} <span class="quiet">${subject}</span>`,
          stateBadge(states[status], status),
          detail,
          status === 'healthy' ? '' : typed(hint),
        ]),
    )}
    ${
      report.advice.length > 0 &&
      html`<h2>Advice</h2>
        <ul>
          ${report.advice.map((text) => html`<li>${typed(text)}</li>`)}
        </ul>`
    }`,
});
