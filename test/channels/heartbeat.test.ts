/** channels/heartbeat: the protocol of healthchecks.io. */
import { expect, test } from 'vitest';
import { channels } from '../../src/channels/index.js';
import type { Beat } from '../../src/model/roles/channel.js';
import { channelContract, failureOf, httpUnderTest, secret, type HttpSpec } from '../contracts/channel.js';
import { aMessage, anAlert, hostile } from '../fixtures/messages.js';
import { httpChannel } from './http-channel.js';

const spec: HttpSpec = { member: channels.heartbeat, options: () => ({ url: 'env:URL' }), taken: { body: 'OK' } };
channelContract('heartbeat', () => httpUnderTest(spec));
const { given, send } = httpChannel(spec);

const never = new AbortController().signal;
const runId = '0192f3a4-0000-7000-8000-000000000002';
const beat = async (one: Omit<Beat, 'runId' | 'text'>, text = 'shop') =>
  given()
    .channel(5000)
    .beat?.({ ...one, runId, text }, never);

test.each<[Omit<Beat, 'runId' | 'text'>, string]>([
  [{ phase: 'start' }, '/start'],
  [{ phase: 'success' }, ''],
  [{ phase: 'fail' }, '/fail'],
  [{ phase: 'fail', exit: 20 }, '/20'],
  [{ phase: 'fail', exit: 0 }, '/fail'],
])('%j comes at %j with the run', async (one, path) => {
  expect(await beat(one)).toEqual({ detail: '200 OK' });
  expect(given().peer.seen).toMatchObject([{ method: 'POST', path: `/hooks/${secret}${path}?rid=${runId}`, body: 'shop' }]);
});

test('H9: the text is harmless and no longer than is kept', async () => {
  await beat({ phase: 'fail' }, hostile + 'ä'.repeat(1_000_000));
  const [{ body } = { body: '' }] = given().peer.seen;
  expect(Buffer.byteLength(body)).toBeLessThanOrEqual(10_000);
  expect(body).toContain('\\u001b');
});

test.each([
  ['failure', '/fail'],
  ['missed', '/fail'],
  ['canary', '/log'],
  ['health', '/log'],
  ['success', '/log'],
] as const)('an alert of %s comes at %s', async (kind, path) => {
  await send({ ...aMessage, alert: { ...anAlert, kind, eventId: null } });
  expect(given().peer.seen[0]?.path).toBe(`/hooks/${secret}${path}`);
});

test.each([
  ['failure', ''],
  ['verification', '/log'],
] as const)('that a %s is over comes at %j, with the run', async (was, path) => {
  await send({ ...aMessage, alert: { ...anAlert, kind: 'recovered', was, eventId: runId } });
  expect(given().peer.seen[0]?.path).toBe(`/hooks/${secret}${path}?rid=${runId}`);
});

test.each([
  [{ body: 'OK (not found)' }, 'permanent'],
  [{ body: 'OK (rate limited)' }, 'transient'],
  [{ status: 404, body: 'not found' }, 'permanent'],
])('H4: %j is no success, but %s', async (answer, kind) => {
  given().peer.answer(answer);
  expect(await failureOf(send(aMessage))).toMatchObject({ code: 'alert', class: kind });
});
