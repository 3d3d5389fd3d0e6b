/**
 * channels: ntfy, on ntfy.sh or a server of one's own, by its JSON publishing (https://docs.ntfy.sh/publish/#publish-as-json).
 */
import * as z from 'zod';
import type { Channel, Message } from '../model/roles/channel.js';
import { routingShape } from '../model/settings/alerts.js';
import { post } from './post.js';
import { bytesOf, fit, tidy } from './text.js';
import { placeShape, valueOf, type ChannelTools } from './tools.js';

const options = z.strictObject({
  kind: z.literal('ntfy').describe('ntfy, on ntfy.sh or a server of your own.'),
  url: z.string().min(1).default('https://ntfy.sh').describe('The server.'),
  topic: z.string().min(1).describe('The topic; who knows it may read it, so it may be a reference.'),
  token: z.string().min(1).optional().describe('An access token (a reference).'),
  ...placeShape,
  ...routingShape,
});

const priorities = { info: 3, warning: 4, critical: 5 } as const;
const tags = { info: 'white_check_mark', warning: 'warning', critical: 'rotating_light' } as const;

/** A longer message would become a file. */
const longest = 4096;

function create(name: string, given: z.infer<typeof options>, tools: ChannelTools): Channel {
  const sender = { kind: 'ntfy', name };
  const noteOf = ({ subject, body, alert }: Message) => ({
    title: fit(subject, 250),
    message: fit(body, longest, undefined, bytesOf),
    priority: priorities[alert.severity],
    tags: [tags[alert.severity]],
  });
  return {
    ...sender,
    async send(message, signal) {
      const topic = await valueOf(given.topic, sender, tools);
      const token = given.token === undefined ? null : await valueOf(given.token, sender, tools);
      const headers: Record<string, string> = token === null ? {} : { Authorization: `Bearer ${token}` };
      const { status } = await post({ ...given, headers, body: { topic, ...noteOf(tidy(message)) } }, sender, tools, signal);
      return { detail: String(status) };
    },
  };
}

export const ntfy = { kind: 'ntfy', secrets: ['token'], options, create } as const;
