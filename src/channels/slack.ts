/**
 * channels: Slack by an incoming webhook. Formats from https://docs.slack.dev/reference/block-kit; mentions no one.
 */
import * as z from 'zod';
import type { Channel, Message } from '../model/roles/channel.js';
import { routingShape } from '../model/settings/alerts.js';
import { post } from './post.js';
import { escapeMarkup, fit, rowsOf, tidy } from './text.js';
import { alertFailure, type ChannelTools } from './tools.js';

const options = z.strictObject({
  kind: z.literal('slack').describe('Slack, by an incoming webhook.'),
  url: z.string().min(1).describe('The webhook (a reference).'),
  ...routingShape,
});

const mrkdwn = (text: string) => ({ type: 'mrkdwn', text, verbatim: true });
const section = (text: string) => ({ type: 'section', text: mrkdwn(fit(text, 3000, escapeMarkup)) });

/** Ten a section, that is Slack's most. */
function fieldsOf({ alert }: Message): object[] {
  const fields = rowsOf(alert).map(([label, value]) =>
    mrkdwn(`*${fit(label, 200, escapeMarkup)}*\n${fit(value || '-', 1500, escapeMarkup)}`),
  );
  return Array.from({ length: Math.ceil(fields.length / 10) }, (_, k) => ({
    type: 'section',
    fields: fields.slice(10 * k, 10 * k + 10),
  }));
}

function payloadOf(message: Message): object {
  const { alert, subject } = message;
  const command = { type: 'rich_text_preformatted', elements: [{ type: 'text', text: alert.command }] };
  return {
    text: fit(subject, 3000, escapeMarkup),
    blocks: [
      { type: 'header', text: { type: 'plain_text', text: fit(subject, 150), emoji: false } },
      section(message.templated ? message.body : alert.title),
      ...(message.templated ? [] : fieldsOf(message)),
      ...(alert.command && !message.templated ? [{ type: 'rich_text', elements: [command] }] : []),
    ],
    unfurl_links: false,
    unfurl_media: false,
  };
}

function create(name: string, { url }: z.infer<typeof options>, tools: ChannelTools): Channel {
  const sender = { kind: 'slack', name };
  return {
    ...sender,
    async send(message, signal) {
      const { status, body } = await post({ url, body: payloadOf(tidy(message)) }, sender, tools, signal);
      if (body.trim() === 'ok') return { detail: `${status} ok` };
      throw alertFailure(sender, `it answered ${status}, but ${JSON.stringify(body.trim().slice(0, 200))} instead of "ok"`, {
        class: /^(invalid_|no_|channel_|user_|action_|posting_|team_|too_many)/.test(body.trim()) ? 'permanent' : 'transient',
      });
    },
  };
}

export const slack = { kind: 'slack', secrets: ['url'], options, create } as const;
