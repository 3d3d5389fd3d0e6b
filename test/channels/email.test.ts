/** channels/email: against SMTP servers that refuse, strip, close and hang. Row H5. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { channels } from '../../src/channels/index.js';
import type { Message } from '../../src/model/roles/channel.js';
import { channelContract, failureOf, secret, toolsFor, type Behaviour } from '../contracts/channel.js';
import { makeCertificate } from '../fixtures/certificate.js';
import { aMessage, hostileMessage } from '../fixtures/messages.js';
import { startSmtp, type SmtpScript, type SmtpServer } from '../fixtures/smtp.js';

const folder = mkdtempSync(join(tmpdir(), 'backup-automation-test-'));
afterAll(() => rmSync(folder, { recursive: true }));
const certificate = makeCertificate(folder);
const { email } = channels;
/** Its header and its two parts, as a mail program reads them. */
function partsOf(mail: string): string[] {
  return mail.split(/\r\n--[^\r\n]*(?:\r\n|$)/).map((part) => {
    const [head = '', ...body] = part.split('\r\n\r\n');
    if (/^Content-Transfer-Encoding: base64/im.test(head)) return `${head}\r\n\r\n${Buffer.from(body.join(), 'base64').toString('utf8')}`;
    return part.replaceAll('=\r\n', '').replaceAll('=3D', '=');
  });
}
const never = new AbortController().signal;

const login = { user: 'ops', password: 'env:TOKEN' };
function channelTo(port: number, more: object = {}, patience = 5000) {
  const whole = { kind: 'email', host: '127.0.0.1', port, from: 'backup@example.com', to: ['a@example.com', 'b@example.com'] };
  const given = email.options.parse({ ...whole, ...login, ca: certificate?.file, ...more });
  return email.create('ops', given, toolsFor({ 'env:TOKEN': secret }, patience));
}

const scripts: Readonly<Partial<Record<Behaviour, SmtpScript>>> = {
  take: {},
  passing: { greeting: '421 4.3.2 busy' },
  permanent: { recipient: () => '550 5.1.1 no such user' },
  hang: { greeting: null },
  tell: { login: `535 5.7.8 ${secret} (${Buffer.from(`\0ops\0${secret}`).toString('base64')}) is wrong` },
};

describe.skipIf(!certificate)('with certificates', () => {
  let server: SmtpServer;
  beforeEach(async () => {
    server = await startSmtp(certificate);
  });
  afterEach(() => server.close());

  channelContract(
    'email',
    async () => ({
      channel: (patience) => channelTo(server.port, {}, patience),
      behave: (behaviour) => {
        server.script = scripts[behaviour] ?? {};
      },
      received: () => server.mails.map((mail) => partsOf(mail).join('\r\n')),
      elsewhere: () => 0,
      close: async () => {},
    }),
    ['busy', 'redirect'],
  );

  const passwordsInClear = () => server.lines.filter(({ text, secure }) => !secure && /^AUTH/i.test(text));

  test.each<[what: string, script: SmtpScript, kind: string, said: RegExp]>([
    ['421 as greeting', { greeting: '421 4.3.2 shutting down' }, 'transient', /421/],
    ['421 after the message', { data: '421 4.3.2 shutting down' }, 'transient', /421/],
    ['450 to the recipients', { recipient: () => '450 4.2.1 later' }, 'transient', /450/],
    ['550 to the recipients', { recipient: () => '550 5.1.1 no such user' }, 'permanent', /550/],
    ['554 to the message', { data: '554 5.6.0 no' }, 'permanent', /554/],
    ['535 to the login', { login: '535 5.7.8 no' }, 'permanent', /535/],
    ['no STARTTLS', { starttls: 'missing', auth: 'always' }, 'transient', /STARTTLS/],
    ['STARTTLS refused', { starttls: 'refused', auth: 'always' }, 'transient', /STARTTLS/],
    ['closing after DATA', { data: null }, 'transient', /closed/],
  ])('H5: %s is a failure, %s', async (_what, script, kind, said) => {
    server.script = script;
    const failure = await failureOf(channelTo(server.port).send(aMessage, never));
    expect(failure).toMatchObject({ code: 'alert', class: kind, message: expect.stringMatching(said) as string });
    expect(passwordsInClear()).toEqual([]);
  });

  test('H5: a server that is not there', async () => {
    const gone = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => gone.once('listening', resolve));
    const { port } = gone.address() as AddressInfo;
    await new Promise((resolve) => gone.close(resolve));
    expect(await failureOf(channelTo(port).send(aMessage, never))).toMatchObject({ class: 'transient', message: expect.stringContaining('ECONNREFUSED') as string }); // prettier-ignore
  });

  test('H5: TLS from the first byte where the server speaks none: it is said which way belongs to which port', async () => {
    const failure = await failureOf(channelTo(server.port, { tls: 'implicit' }).send(aMessage, never));
    expect(failure).toMatchObject({ class: 'transient', message: expect.stringContaining('does not speak TLS here') as string });
    expect(failure).toMatchObject({ hint: expect.stringContaining('465') as string });
  });

  test('H5: a certificate of nobody known is refused before the login', async () => {
    const failure = await failureOf(channelTo(server.port, { ca: undefined }).send(aMessage, never));
    expect(failure).toMatchObject({ class: 'transient', hint: expect.stringContaining('`ca`') as string });
    expect(server.lines.filter(({ text }) => text.startsWith('AUTH'))).toEqual([]);
  });

  test('H5: the login is asked for on an encrypted connection only, also where AUTH is offered before', async () => {
    server.script = { auth: 'always' };
    await channelTo(server.port).send(aMessage, never);
    expect(passwordsInClear()).toEqual([]);
    expect(server.lines.filter(({ text }) => text.startsWith('AUTH'))).toHaveLength(1);
  });

  test.each([
    [{ tls: 'opportunistic' }, { starttls: 'missing' }],
    [{ tls: 'opportunistic' }, { starttls: 'refused' }],
    [{ tls: 'opportunistic' }, { starttls: 'offered' }],
    [{ tls: 'none' }, { starttls: 'offered' }],
  ] as const)('%j without a login takes what there is (%j)', async (more, script) => {
    server.script = script;
    const channel = channelTo(server.port, { ...more, user: undefined, password: undefined });
    expect((await channel.send(aMessage, never)).detail).toContain('queued as 7');
  });

  test('TLS from the first byte', async () => {
    const other = await startSmtp(certificate, true);
    await channelTo(other.port, { tls: 'implicit' }).send(aMessage, never);
    expect(other.lines.every(({ secure }) => secure)).toBe(true);
    await other.close();
  });

  test('one refused recipient of two is named, and the mail is taken', async () => {
    server.script = { recipient: (to) => (to === 'a@example.com' ? '550 no such user' : '250 ok') };
    expect((await channelTo(server.port).send(aMessage, never)).detail).toMatch(/queued as 7; refused: a@example.com/);
  });

  const headersOf = async (message: Message) => {
    await channelTo(server.port).send(message, never);
    const [head = ''] = (server.mails.at(-1) ?? '').split('\r\n\r\n');
    return head.replace(/\r\n[ \t]+/g, ' ').split('\r\n');
  };

  test('the same key is the same Message-ID; it says that no person wrote it', async () => {
    const [first, again, other] = [await headersOf(aMessage), await headersOf(aMessage), await headersOf({ ...aMessage, key: 'other' })];
    const id = (lines: string[]) => lines.find((line) => line.startsWith('Message-ID:'));
    expect(id(first)).toMatch(/^Message-ID: <[0-9a-f]{32}@example.com>$/);
    expect(id(again)).toBe(id(first));
    expect(id(other)).not.toBe(id(first));
    expect(first).toContain('Auto-Submitted: auto-generated');
    expect(first).toContain(`Subject: ${aMessage.subject}`);
  });

  test.each([0, 1_000_000])('H9: no header can be put in, and the subject stays short (%d)', async (size) => {
    const lines = await headersOf(hostileMessage(size));
    expect(new Set(lines.map((line) => line.split(':', 1)[0]?.toLowerCase()))).toEqual(
      new Set([
        'from',
        'to',
        'subject',
        'date',
        'message-id',
        'mime-version',
        'content-type',
        'auto-submitted',
        'x-auto-response-suppress',
      ]),
    );
    expect(lines.length).toBe(9);
    expect(server.lines.filter(({ text }) => text.includes('evil')).map(({ text }) => text)).toEqual([]);
    const mail = server.mails.at(-1) ?? '';
    expect(mail.split('\r\n').every((line) => line.length < 998)).toBe(true);
    const html = partsOf(mail)[2];
    expect(html).toContain('&lt;b&gt;x&lt;/b&gt; &amp; &lt;!channel&gt;');
    expect(html).not.toContain('<b>');
  });
});

test.each([
  [{ ...login, tls: 'none' }, 'tls'],
  [{ ...login, tls: 'opportunistic' }, 'tls'],
  [{ user: 'ops' }, 'password'],
  [{ to: ['a@example.com\r\nBcc: x@y'] }, 'to'],
  [{ to: [] }, 'to'],
])('refuses the options %j', (more, key) => {
  const result = email.options.safeParse({ kind: 'email', host: 'h', from: 'a@b', to: ['a@b'], ...more });
  expect(result.error?.issues.map(({ path }) => path[0])).toContain(key);
});
