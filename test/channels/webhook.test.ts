/** channels/webhook: what is signed, what is followed, what may be sent where. Rows H2, H3, H4. */
import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { channels } from '../../src/channels/index.js';
import { redact } from '../../src/model/redact.js';
import { channelContract, failureOf, httpUnderTest, secret, toolsFor, type HttpSpec } from '../contracts/channel.js';
import { aMessage, anAlert } from '../fixtures/messages.js';
import { httpChannel } from './http-channel.js';

const { webhook } = channels;
const never = new AbortController().signal;
const spec: HttpSpec = {
  member: webhook,
  options: () => ({ url: 'env:URL', secret: 'env:TOKEN', headers: { Authorization: 'env:TOKEN', 'X-Team': 'ops' } }),
  taken: { status: 204, body: '' },
};
channelContract('webhook', () => httpUnderTest(spec));
const { given, send } = httpChannel(spec);

test('a document with the alert, signed with its time, with headers of its own and the key', async () => {
  await send(aMessage);
  const [{ method, headers, body } = expect.fail('nothing came')] = given().peer.seen;
  expect(method).toBe('POST');
  expect(JSON.parse(body)).toEqual({ version: 1, key: aMessage.key, subject: aMessage.subject, text: aMessage.body, alert: anAlert });
  expect(headers).toMatchObject({
    authorization: secret,
    'x-team': 'ops',
    'idempotency-key': aMessage.key,
    'content-type': 'application/json',
  });
  const [, time = '', signature] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(headers['x-backup-automation-signature'])) ?? [];
  expect(Number(time)).toBe(Date.parse('2026-11-22T02:00:05Z') / 1000);
  expect(signature).toBe(createHmac('sha256', secret).update(`${time}.${body}`).digest('hex'));
});

test.each([301, 302, 303, 307, 308])('H3: %d is a failure, and nobody comes where it leads', async (status) => {
  const other = await httpUnderTest(spec);
  given().peer.answer({ status, headers: { location: other.peer.url } });
  expect(await failureOf(send(aMessage))).toMatchObject({ class: [301, 308].includes(status) ? 'permanent' : 'transient' });
  expect(other.peer.seen).toEqual([]);
  await other.close();
});

test.each([
  [{ mode: 'cut' }, /socket hang up|ECONNRESET/],
  [{ headers: { 'content-length': '100' }, body: 'x' }, /./],
  [{ status: 503, body: 'x'.repeat(1_000_000) }, /answered 503: x{100}/],
] as const)('H2: %j is transient', async (answer, said) => {
  given().peer.answer(answer);
  const failure = await failureOf(given().channel(1000).send(aMessage, never));
  expect(failure).toMatchObject({ class: 'transient', message: expect.stringMatching(said) as string });
  expect(failure.message.length).toBeLessThan(700);
});

test('H2: an answer that begins and never ends is over at the time limit', async () => {
  given().peer.answer({ mode: 'drip' });
  expect(await failureOf(given().channel(300).send(aMessage, never))).toMatchObject({ class: 'transient' });
});

test('H2: 500 three times, then taken: the same key each time', async () => {
  given().peer.answer({ status: 500 }, { status: 500 }, { status: 500 }, { status: 200 });
  for (let k = 0; k < 3; k++) await failureOf(send(aMessage));
  await send(aMessage);
  expect(new Set(given().peer.seen.map(({ headers }) => headers['idempotency-key']))).toEqual(new Set([aMessage.key]));
});

test.each([
  ['5', 5000],
  ['Sun, 22 Nov 2026 02:01:05 GMT', 60_000],
  ['Sun, 22 Nov 2026 02:00:00 GMT', null],
  ['soon', null],
  ['-3', null],
  ['99999999', 86_400_000],
])('H4: Retry-After %j is %j ms', async (value, retryAfter) => {
  given().peer.answer({ status: 503, headers: { 'retry-after': value } });
  expect(await failureOf(send(aMessage))).toMatchObject({ class: 'transient', retryAfter });
});

test("what is secret in a hook's path is hidden by itself, ordinary words are not", async () => {
  const url = `${given().peer.url}/backup-automation/notifications/Xy12Zw34Ab56Cd78?sig=98aB76cD54eF32gH`;
  await webhook
    .create('ops', webhook.options.parse({ kind: 'webhook', url: 'env:HOOK' }), toolsFor({ 'env:HOOK': url }))
    .send(aMessage, never);
  expect(redact('no Xy12Zw34Ab56Cd78, no 98aB76cD54eF32gH')).toBe('no ***, no ***');
  expect(redact('backup-automation/notifications')).toBe('backup-automation/notifications');
});

describe('where it may go', () => {
  const to = (url: string, more: object = {}) =>
    webhook.create('ops', webhook.options.parse({ kind: 'webhook', url, ...more }), toolsFor({ 'env:BAD': 'no url at all' }, 300));

  test.each([
    ['http://192.0.2.1/x', /clear text/],
    ['ftp://127.0.0.1/x', /ftp:/],
    ['nonsense', /no URL/],
    ['env:BAD', /no URL/],
  ])('not to %s', async (url, said) => {
    const failure = await failureOf(to(url).send(aMessage, never));
    expect(failure).toMatchObject({ class: 'permanent', message: expect.stringMatching(said) as string });
    expect(failure.message).not.toContain('at all');
  });

  test('a reference that names nothing may name something the next time', async () => {
    expect(await failureOf(to('env:NOT_SET').send(aMessage, never))).toMatchObject({
      code: 'alert',
      class: 'transient',
      hint: 'set env:NOT_SET',
    });
  });

  test('a header with a line break in its value is not sent', async () => {
    const failure = await failureOf(to(given().peer.url, { headers: { 'X-A': 'a\r\nX-B: b' } }).send(aMessage, never));
    expect(failure.code).toBe('alert');
    expect(given().peer.seen).toEqual([]);
  });
});
