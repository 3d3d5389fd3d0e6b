/**
 * channels: Telegram by a bot (https://core.telegram.org/bots/api#sendmessage); the text stands in a block of code, where no name is a
 * mention.
 */
import * as z from 'zod';
import type { Channel, Message } from '../model/roles/channel.js';
import { routingShape } from '../model/settings/alerts.js';
import { post } from './post.js';
import { escapeMarkup, fit, tidy } from './text.js';
import { alertFailure, valueOf, type ChannelTools } from './tools.js';

const options = z.strictObject({
  kind: z.literal('telegram').describe('Telegram, by a bot.'),
  token: z.string().min(1).describe("The bot's token (a reference)."),
  chat: z
    .string()
    .regex(/^(-?\d{1,20}|@\w{1,64})$/, 'expected the number of a chat as text, or @name of a channel')
    .describe('The chat: its number as text, or @name of a channel.'),
  url: z.string().min(1).default('https://api.telegram.org').describe('The Bot API server.'),
  ...routingShape,
});

/** Telegram's most for a message. */
const longest = 4096;

function textOf({ subject, body }: Message): string {
  const [before, between, after] = ['<b>', '</b>\n<pre>', '</pre>'];
  const title = fit(subject, 500, escapeMarkup);
  const room = longest - before.length - title.length - between.length - after.length;
  return before + title + between + fit(body.trim() || '-', room, escapeMarkup) + after;
}

function create(name: string, given: z.infer<typeof options>, tools: ChannelTools): Channel {
  const sender = { kind: 'telegram', name };
  return {
    ...sender,
    async send(message, signal) {
      const token = await valueOf(given.token, sender, tools);
      const request = { chat_id: given.chat, text: textOf(tidy(message)), parse_mode: 'HTML', link_preview_options: { is_disabled: true } };
      const path = `/bot${encodeURIComponent(token).replaceAll('%3A', ':')}/sendMessage`;
      const { status, body } = await post({ url: given.url, path, body: request }, sender, tools, signal);
      if (/"ok"\s*:\s*true/.test(body)) return { detail: `${status} ok` };
      throw alertFailure(sender, `it answered ${status}, but: ${body.trim().slice(0, 200)}`);
    },
  };
}

export const telegram = { kind: 'telegram', secrets: ['token'], options, create } as const;
