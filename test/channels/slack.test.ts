/** channels/slack: what a person sees, and what Slack says. */
import { expect, test } from 'vitest';
import { channels } from '../../src/channels/index.js';
import { channelContract, failureOf, httpUnderTest, type HttpSpec } from '../contracts/channel.js';
import { aMessage, hostileMessage } from '../fixtures/messages.js';
import { httpChannel } from './http-channel.js';

const spec: HttpSpec = { member: channels.slack, options: () => ({ url: 'env:URL' }), taken: { body: 'ok' } };
channelContract('slack', () => httpUnderTest(spec));

const { given, send, sent } = httpChannel(spec);

test.each([
  ['invalid_payload', 200, 'permanent'],
  ['no_service', 404, 'permanent'],
  ['channel_is_archived', 410, 'permanent'],
  ['<html>maintenance</html>', 200, 'transient'],
  ['', 200, 'transient'],
])('H4: %j with %d is no success, but %s', async (body, status, kind) => {
  given().peer.answer({ status, body });
  expect(await failureOf(send(aMessage))).toMatchObject({ code: 'alert', class: kind });
});

interface Payload {
  text: string;
  blocks: { type: string; text?: { text: string }; fields?: { type: string; text: string }[]; elements?: object[] }[];
}

test('a header, the facts as fields, the command as code', async () => {
  const payload = await sent<Payload>(aMessage);
  expect(payload.text).toBe(aMessage.subject);
  expect(payload.blocks.map(({ type }) => type)).toEqual(['header', 'section', 'section', 'rich_text']);
  expect(payload.blocks[2]?.fields?.[1]?.text).toBe('*Database*\nshop');
  expect(JSON.stringify(payload.blocks[3])).toContain('backup-automation events show 0192f3a4');
});

test("the user's own words stand in place of the facts", async () => {
  const payload = await sent<Payload>({ ...aMessage, templated: true, body: 'own <words>' });
  expect(payload.blocks.map(({ text }) => text?.text)).toEqual([aMessage.subject, 'own &lt;words&gt;']);
});

test.each([0, 1_000_000])('H9: no mention, and no block longer than Slack takes (%d)', async (size) => {
  const { blocks, text } = await sent<Payload>(hostileMessage(size));
  expect(text).not.toContain('<!');
  for (const block of blocks) {
    expect(block.text?.text.length ?? 0).toBeLessThanOrEqual(block.type === 'header' ? 150 : 3000);
    for (const field of block.fields ?? []) expect(field.text.length).toBeLessThanOrEqual(2000);
    for (const one of [block.text, ...(block.fields ?? [])]) if (block.type !== 'header') expect(one?.text ?? '').not.toMatch(/<|>/);
  }
});
