/**
 * channels: an alert as the HTML of an e-mail: tables and inline styles, that is what mail programs show alike; no picture, no link, nothing
 * that is fetched.
 */
import type { Alert } from '../model/alert/alert.js';
import { minuteOf } from '../model/moment/minute.js';
import type { Message } from '../model/roles/channel.js';
import { rowsOf } from './text.js';

const escaped: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
const escape = (text: string): string => text.replace(/[&<>"']/g, (one) => escaped[one] ?? one);

const colours: Readonly<Record<Alert['severity'], string>> = { info: '#1a7f37', warning: '#9a6700', critical: '#b42318' };

const monospace = 'font-family:ui-monospace,Menlo,Consolas,monospace;font-size:13px;line-height:1.5';
const wrapped = 'white-space:pre-wrap;word-break:break-word;overflow-wrap:anywhere';

const row = ([label, value]: readonly [string, string]): string =>
  `<tr><td style="width:92px;padding:6px 12px 6px 0;color:#57606a;vertical-align:top;${wrapped}">${escape(label)}</td>` +
  `<td style="padding:6px 0;vertical-align:top;${wrapped}">${escape(value)}</td></tr>`;

const code = (text: string): string =>
  `<pre style="margin:0;padding:12px 16px;background:#f6f8fa;border:1px solid #d0d7de;border-radius:6px;${monospace};${wrapped}">${escape(text)}</pre>`;

function content({ alert, body, templated }: Message): string {
  if (templated) return `<div style="${monospace};${wrapped}">${escape(body)}</div>`;
  const facts = `<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="table-layout:fixed;font-size:14px;line-height:1.5">${rowsOf(alert).map(row).join('')}</table>`;
  const title = `<p style="margin:0 0 16px;font-size:16px;line-height:1.5;${wrapped}">${escape(alert.title)}</p>`;
  const next = `<p style="margin:20px 0 8px;font-size:14px;color:#57606a">Type next, on ${escape(alert.host)}:</p>`;
  return title + facts + (alert.command === null ? '' : next + code(alert.command));
}

/** A whole document. */
export function htmlOf(message: Message): string {
  const { alert, subject } = message;
  const about = `${alert.host}, ${minuteOf(alert.at)}${alert.eventId === null ? '' : `, event ${alert.eventId}`}`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escape(subject)}</title></head>
<body style="margin:0;padding:24px;background:#eef1f4;color:#1f2328;font-family:-apple-system,'Segoe UI',Helvetica,Arial,sans-serif">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="max-width:680px;margin:0 auto;background:#ffffff;border-radius:8px">
<tr><td style="padding:16px 24px;background:${colours[alert.severity]};border-radius:8px 8px 0 0;color:#ffffff;font-size:17px;font-weight:600;line-height:1.4;${wrapped}">${escape(subject)}</td></tr>
<tr><td style="padding:24px">${content(message)}</td></tr>
<tr><td style="padding:12px 24px;border-top:1px solid #d0d7de;color:#57606a;font-size:12px;line-height:1.5;${wrapped}">backup-automation on ${escape(about)}</td></tr>
</table>
</body></html>
`;
}
