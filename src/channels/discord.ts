/**
 * channels: Discord by a webhook of a channel (https://docs.discord.com/developers/resources/webhook); mentions no one.
 */
import * as z from 'zod';
import type { Channel, Message } from '../model/roles/channel.js';
import { routingShape } from '../model/settings/alerts.js';
import { post } from './post.js';
import { fit, tidy } from './text.js';
import type { ChannelTools } from './tools.js';

const options = z.strictObject({
  kind: z.literal('discord').describe('Discord, by a webhook of a channel.'),
  url: z.string().min(1).describe('The webhook (a reference).'),
  ...routingShape,
});

/** Discord's most for a message. */
const longest = 2000;
const suppressEmbeds = 4;

const escapeMarkdown = (one: string): string => (/[\\*_~`|<>@[\]]/.test(one) ? `\\${one}` : one);
/** Nothing is formatted within a block of code but its end. */
const escapeCode = (one: string): string => (one === '`' ? '`\u200b' : one);

function contentOf({ subject, body }: Message): string {
  const title = `**${fit(subject, 400, escapeMarkdown)}**\n`;
  const [before, after] = ['```\n', '\n```'];
  return title + before + fit(body.trim() || '-', longest - title.length - before.length - after.length, escapeCode) + after;
}

function create(name: string, { url }: z.infer<typeof options>, tools: ChannelTools): Channel {
  const sender = { kind: 'discord', name };
  return {
    ...sender,
    async send(message, signal) {
      const body = { content: contentOf(tidy(message)), allowed_mentions: { parse: [] }, flags: suppressEmbeds };
      const { status } = await post({ url, body }, sender, tools, signal);
      return { detail: String(status) };
    },
  };
}

export const discord = { kind: 'discord', secrets: ['url'], options, create } as const;
