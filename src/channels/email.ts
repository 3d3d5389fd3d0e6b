/**
 * channels: e-mail by SMTP. It logs in on an encrypted connection only, and what the server takes it calls taken, not delivered.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { SMTPConnectionOptions, SMTPConnectionSendInfo } from 'nodemailer/lib/smtp-connection';
import * as z from 'zod';
import { registerSecret } from '../model/redact.js';
import type { Channel, Message } from '../model/roles/channel.js';
import { routingShape } from '../model/settings/alerts.js';
import { within } from '../system/deadline.js';
import { htmlOf } from './email-html.js';
import { fit, tidy } from './text.js';
import { alertFailure, explain, valueOf, type ChannelTools, type Sender } from './tools.js';

const address = z.string().regex(/^[^\s<>@,;:"()]{1,64}@[^\s<>@,;:"()]{1,255}$/, 'expected an address, e.g. "ops@example.com"');

const options = z
  .strictObject({
    kind: z.literal('email').describe('E-mail, by SMTP.'),
    host: z.string().min(1).describe('The mail server.'),
    port: z.int().min(1).max(65_535).optional().describe('Its port; 465 for `tls` "implicit", else 587.'),
    user: z.string().min(1).optional().describe('Who logs in; nobody when left out.'),
    password: z.string().min(1).optional().describe("The user's password (a reference)."),
    from: address.describe('The sender.'),
    to: z.array(address).min(1, 'expected at least one address').max(50).describe('The recipients.'),
    tls: z
      .enum(['required', 'implicit', 'opportunistic', 'none'])
      .default('required')
      .describe(
        'STARTTLS or nothing, TLS from the first byte, STARTTLS where it is offered, clear text. Logging in needs one of the first two.',
      ),
    ca: z.string().min(1).optional().describe('A file of certificates (PEM) trusted in place of the public authorities.'),
    ...routingShape,
  })
  .refine(({ user, tls }) => user === undefined || tls === 'required' || tls === 'implicit', {
    path: ['tls'],
    message: 'expected "required" or "implicit" beside `user`: a password is never sent in clear text',
  })
  .refine(({ user, password }) => (user === undefined) === (password === undefined), {
    path: ['password'],
    message: 'expected both `user` and `password`, or neither',
  });
type Options = z.infer<typeof options>;

interface Mail {
  readonly raw: Buffer;
  readonly envelope: { readonly from: string; readonly to: string[] };
}

async function mailOf(message: Message, { from, to }: Options, now: Date): Promise<Mail> {
  const { default: MailComposer } = await import('nodemailer/lib/mail-composer');
  const { key, subject, body } = message;
  const id = createHash('sha256').update(key).digest('hex').slice(0, 32);
  const mail = new MailComposer({
    from,
    to,
    subject: fit(subject, 190),
    text: body,
    html: htmlOf(message),
    messageId: `<${id}@${from.slice(from.lastIndexOf('@') + 1)}>`,
    date: now,
    headers: { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' },
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return { raw: await mail.compile().build(), envelope: { from, to } };
}

async function connectionOf({ host, port, tls, ca }: Options, patience: number): Promise<SMTPConnectionOptions> {
  return {
    host,
    port: port ?? (tls === 'implicit' ? 465 : 587),
    secure: tls === 'implicit',
    requireTLS: tls === 'required',
    ignoreTLS: tls === 'none',
    opportunisticTLS: tls === 'opportunistic',
    tls: ca === undefined ? {} : { ca: await readFile(ca) },
    connectionTimeout: patience,
    greetingTimeout: patience,
    socketTimeout: patience,
    socketCloseTimeout: 500,
    maxResponseSize: 65_536,
  };
}

type Done<T> = (error: Error | null | undefined, result?: T) => void;

/** One conversation: connect, log in, send, quit. Whatever happens, the connection is closed. */
async function converse(
  given: Options,
  mail: Mail,
  password: string | null,
  patience: number,
  signal: AbortSignal,
): Promise<SMTPConnectionSendInfo> {
  const { default: SMTPConnection } = await import('nodemailer/lib/smtp-connection');
  const connection = new SMTPConnection(await connectionOf(given, patience));
  const step = <T>(start: (done: Done<T>) => void) =>
    new Promise<T>((resolve, reject) => {
      signal.throwIfAborted();
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
      connection.once('error', reject);
      connection.once('end', () => reject(new Error('the server closed the connection')));
      start((error, result) => (error ? reject(error) : resolve(result as T)));
    });
  try {
    await step<unknown>((done) => connection.connect(done));
    if (password !== null) {
      if (!connection.secure) throw new Error('the connection is not encrypted, so nobody logs in');
      await step<unknown>((done) => connection.login({ user: given.user, pass: password }, done));
    }
    const info = await step<SMTPConnectionSendInfo>((done) => connection.send(mail.envelope, mail.raw, done));
    connection.quit();
    return info;
  } finally {
    connection.on('error', () => {});
    connection.close();
  }
}

/** 5xx is for good (RFC 5321 4.2.1), but where TLS could not begin. */
function refusal(error: unknown, sender: Sender, signal: AbortSignal): Error {
  const { message, code, responseCode = 0 } = error as Error & { code?: string; responseCode?: number };
  if (responseCode >= 500 && code !== 'ETLS') return alertFailure(sender, message, { class: 'permanent' });
  // how OpenSSL says that something else than TLS came
  if (/:wrong version number:|:packet length too long:/.test(message))
    return alertFailure(sender, 'the mail server does not speak TLS here', {
      hint: 'see `port` and `tls` of the channel: "implicit" belongs to port 465, "required" (STARTTLS) to 587 and 25',
    });
  return explain(error, sender, signal);
}

async function secretOf({ user, password }: Options, sender: Sender, tools: ChannelTools): Promise<string | null> {
  if (user === undefined || password === undefined) return null;
  const value = await valueOf(password, sender, tools);
  // as it crosses the line, and as a server may repeat it
  for (const text of [value, `\0${user}\0${value}`]) registerSecret(Buffer.from(text).toString('base64'));
  return value;
}

function create(name: string, given: Options, tools: ChannelTools): Channel {
  const sender = { kind: 'email', name };
  return {
    ...sender,
    async send(message, signal) {
      const password = await secretOf(given, sender, tools);
      try {
        const mail = await mailOf(tidy(message), given, tools.now());
        const info = await within(tools.patience, signal, (signal) => converse(given, mail, password, tools.patience, signal));
        const refused = info.rejected.length > 0 ? `; refused: ${info.rejected.join(', ')}` : '';
        return { detail: `${info.response.slice(0, 200)}${refused}` };
      } catch (error) {
        throw refusal(error, sender, signal);
      }
    },
  };
}

export const email = { kind: 'email', secrets: ['password'], options, create } as const;
