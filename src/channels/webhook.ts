/**
 * channels: any program that takes a POST of JSON, signed where there is a secret. Only 2xx is success.
 */
import { createHmac } from 'node:crypto';
import * as z from 'zod';
import type { Channel, Message } from '../model/roles/channel.js';
import { routingShape } from '../model/settings/alerts.js';
import { post } from './post.js';
import { tidy } from './text.js';
import { placeShape, valueOf, type ChannelTools } from './tools.js';

const options = z.strictObject({
  kind: z.literal('webhook').describe('Any program that takes a POST of JSON.'),
  url: z.string().min(1).describe('Where to; a reference when it has a secret in it.'),
  secret: z.string().min(1).optional().describe('What the body is signed with, by HMAC-SHA256 (a reference).'),
  headers: z
    .record(z.string().regex(/^[\w!#$%&'*+.^`|~-]{1,100}$/, 'expected the name of a header'), z.string().min(1))
    .default({})
    .describe('Headers of your own; a value may be a reference.'),
  ...placeShape,
  ...routingShape,
});

/** What is sent, and what a command reads from its stdin. */
export function documentOf(message: Message): string {
  const { key, subject, body, alert } = tidy(message);
  return JSON.stringify({ version: 1, key, subject, text: body, alert });
}

function create(name: string, given: z.infer<typeof options>, tools: ChannelTools): Channel {
  const sender = { kind: 'webhook', name };

  async function headersFor(key: string, body: string): Promise<Record<string, string>> {
    const headers: Record<string, string> = { 'Content-Type': 'application/json', 'Idempotency-Key': key };
    for (const [header, value] of Object.entries(given.headers)) headers[header] = await valueOf(value, sender, tools);
    if (given.secret === undefined) return headers;
    const seconds = Math.floor(tools.now().getTime() / 1000);
    const hmac = createHmac('sha256', await valueOf(given.secret, sender, tools)).update(`${seconds}.${body}`);
    return { ...headers, 'X-Backup-Automation-Signature': `t=${seconds},v1=${hmac.digest('hex')}` };
  }

  return {
    ...sender,
    async send(message, signal) {
      const body = documentOf(message);
      const headers = await headersFor(message.key, body);
      const { status } = await post({ ...given, headers, body }, sender, tools, signal);
      return { detail: String(status) };
    },
  };
}

export const webhook = { kind: 'webhook', secrets: ['secret'], options, create } as const;
