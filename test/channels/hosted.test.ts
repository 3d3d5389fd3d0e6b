/** channels: ntfy, Discord, Teams, Telegram and PagerDuty: what each is sent, within its own limits. */
import { describe, expect, test } from 'vitest';
import { channels } from '../../src/channels/index.js';
import type { AlertKind } from '../../src/model/alert/alert.js';
import { channelContract, failureOf, httpUnderTest, secret, type HttpSpec } from '../contracts/channel.js';
import { aMessage, anAlert, hostile, hostileMessage } from '../fixtures/messages.js';
import { httpChannel } from './http-channel.js';

const sizes = [0, 1_000_000];

describe('ntfy', () => {
  const spec: HttpSpec = {
    member: channels.ntfy,
    options: (url) => ({ url, topic: 'backups', token: 'env:TOKEN' }),
    taken: { body: '{"id":"x"}' },
  };
  channelContract('ntfy', () => httpUnderTest(spec));
  const { given, sent } = httpChannel(spec);

  test('a note with title, priority and tag, to the topic, with the token', async () => {
    expect(await sent(aMessage)).toEqual({ topic: 'backups', title: aMessage.subject, message: aMessage.body, priority: 5, tags: ['rotating_light'] }); // prettier-ignore
    expect(given().peer.seen[0]?.headers.authorization).toBe(`Bearer ${secret}`);
  });

  test.each(sizes)('H9: no more bytes than ntfy takes as a message (%d)', async (size) => {
    const { message } = await sent<{ message: string }>(hostileMessage(size));
    expect(Buffer.byteLength(message)).toBeLessThanOrEqual(4096);
  });
});

describe('discord', () => {
  const spec: HttpSpec = { member: channels.discord, options: () => ({ url: 'env:URL' }), taken: { status: 204, body: '' } };
  channelContract('discord', () => httpUnderTest(spec));
  const { given, send, sent } = httpChannel(spec);

  test.each(sizes)('H9: mentions nobody, and leaves no block of code (%d)', async (size) => {
    const payload = await sent<{ content: string; allowed_mentions: object }>(hostileMessage(size));
    expect(payload.allowed_mentions).toEqual({ parse: [] });
    expect(payload.content.length).toBeLessThanOrEqual(2000);
    expect(payload.content.match(/```/g)).toHaveLength(2);
  });

  test('H4: the time in its body holds, where no header names one', async () => {
    given().peer.answer({ status: 429, body: '{"message":"You are being rate limited.","retry_after":1.337}' });
    expect(await failureOf(send(aMessage))).toMatchObject({ class: 'transient', retryAfter: 1337 });
  });
});

describe('teams', () => {
  const spec: HttpSpec = { member: channels.teams, options: () => ({ url: 'env:URL' }), taken: { status: 202, body: '' } };
  channelContract('teams', () => httpUnderTest(spec));
  const { given, send } = httpChannel(spec);

  test.each(sizes)('H9: text in runs that know no markup, the whole card under 28 KB (%d)', async (size) => {
    await send({ ...hostileMessage(size), alert: { ...hostileMessage(size).alert, facts: Array.from({ length: 60 }, () => [hostile, hostile.repeat(50)] as const) } }); // prettier-ignore
    const [text = ''] = given().received();
    expect(Buffer.byteLength(text)).toBeLessThan(28_000);
    expect(text).not.toMatch(/"(TextBlock|FactSet)"/);
  });

  test('H4: 200 with an error in words is no success', async () => {
    given().peer.answer({ body: 'Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429' });
    expect(await failureOf(send(aMessage))).toMatchObject({ class: 'transient' });
  });
});

describe('telegram', () => {
  const spec: HttpSpec = {
    member: channels.telegram,
    options: (url) => ({ url, token: 'env:TOKEN', chat: '-1001234567890' }),
    taken: { body: '{"ok":true,"result":{"message_id":7}}' },
    permanent: { status: 400, body: '{"ok":false,"error_code":400,"description":"Bad Request: chat not found"}' },
  };
  channelContract('telegram', () => httpUnderTest(spec));
  const { given, send, sent } = httpChannel(spec);

  test.each(sizes)('H9: escaped as HTML, in a block of code (%d)', async (size) => {
    const { text, parse_mode } = await sent<{ text: string; parse_mode: string }>(hostileMessage(size));
    expect(parse_mode).toBe('HTML');
    expect(text.length).toBeLessThanOrEqual(4096);
    expect(text.match(/<[^>]*>/g)).toEqual(['<b>', '</b>', '<pre>', '</pre>']);
    expect(text.replace(/&(amp|lt|gt);/g, '')).not.toContain('&');
  });

  test('the token stands in the path alone; the time in its body holds', async () => {
    given().peer.answer({ status: 429, body: '{"ok":false,"error_code":429,"parameters":{"retry_after":9}}' });
    const failure = await failureOf(send(aMessage));
    expect(failure).toMatchObject({ class: 'transient', retryAfter: 9000 });
    expect(given().peer.seen[0]?.path).toBe(`/bot${secret}/sendMessage`);
    expect(failure.message).not.toContain(secret);
  });

  test('200 without ok is no success', async () => {
    given().peer.answer({ body: '{"ok":false}' });
    await failureOf(send(aMessage));
  });
});

describe('pagerduty', () => {
  const spec: HttpSpec = {
    member: channels.pagerduty,
    options: (url) => ({ url, key: 'env:TOKEN' }),
    taken: { status: 202, body: '{"status":"success"}' },
    permanent: { status: 400, body: '{"status":"invalid event"}' },
  };
  channelContract('pagerduty', () => httpUnderTest(spec));
  const { given, send } = httpChannel(spec);
  interface Event {
    event_action: string;
    dedup_key: string;
    routing_key: string;
    payload?: { summary: string; severity: string };
  }
  const eventsFor = async (kind: AlertKind, more: object = {}) => {
    const before = given().received().length;
    await send({ ...aMessage, alert: { ...anAlert, kind, ...more } });
    return given()
      .received()
      .slice(before)
      .map((text) => JSON.parse(text) as Event);
  };

  test('a failure opens an incident that its recovery closes', async () => {
    const [failed] = await eventsFor('failure');
    const [recovered] = await eventsFor('recovered', { id: 'another', title: 'well again', severity: 'info' });
    expect(failed).toMatchObject({
      event_action: 'trigger',
      routing_key: secret,
      payload: { summary: aMessage.subject, severity: 'critical' },
    });
    expect(recovered).toMatchObject({ event_action: 'resolve', dedup_key: failed?.dedup_key });
    expect((await eventsFor('failure', { reason: 'other' }))[0]?.dedup_key).not.toBe(failed?.dedup_key);
  });

  test('a canary leaves no incident open, and closes none of another', async () => {
    const events = await eventsFor('canary');
    expect(events.map(({ event_action }) => event_action)).toEqual(['trigger', 'resolve']);
    expect(new Set(events.map(({ dedup_key }) => dedup_key)).size).toBe(1);
    expect(events[0]?.dedup_key).not.toBe((await eventsFor('failure'))[0]?.dedup_key);
  });

  test('H9: the summary stays short', async () => {
    await send(hostileMessage(1_000_000));
    expect((JSON.parse(given().received()[0] ?? '') as Event).payload?.summary.length).toBeLessThanOrEqual(1024);
  });
});
