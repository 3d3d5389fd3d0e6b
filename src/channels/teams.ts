/**
 * channels: Microsoft Teams by a workflow that posts an adaptive card (https://adaptivecards.io/explorer). All text stands in rich
 * text runs, which know no markup.
 */
import * as z from 'zod';
import type { Channel, Message } from '../model/roles/channel.js';
import { routingShape } from '../model/settings/alerts.js';
import { post } from './post.js';
import { fit, rowsOf, tidy } from './text.js';
import { alertFailure, type ChannelTools } from './tools.js';

const options = z.strictObject({
  kind: z.literal('teams').describe('Microsoft Teams, by a workflow "When a webhook request is received".'),
  url: z.string().min(1).describe("The workflow's URL (a reference)."),
  ...routingShape,
});

const colours = { info: 'good', warning: 'warning', critical: 'attention' } as const;

const run = (text: string, more: object = {}) => ({ type: 'TextRun', text, ...more });
const paragraph = (...inlines: object[]) => ({ type: 'RichTextBlock', inlines });

/** So few and short that the card stays under 28 KB, that is what Teams takes. */
function factsOf({ alert }: Message): object[] {
  const facts = rowsOf(alert).slice(0, 20);
  return facts.map(([label, value]) => paragraph(run(`${fit(label, 60)}: `, { weight: 'bolder' }), run(fit(value || '-', 220))));
}

function cardOf(message: Message): object {
  const { alert, subject, body } = message;
  const command = alert.command === null ? [] : [paragraph(run(fit(alert.command, 300), { fontType: 'monospace' }))];
  const facts = [paragraph(run(fit(alert.title, 400))), ...factsOf(message), ...command];
  return {
    $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
    type: 'AdaptiveCard',
    version: '1.4',
    msteams: { width: 'Full' },
    body: [
      paragraph(run(fit(subject, 300), { weight: 'bolder', size: 'medium', color: colours[alert.severity] })),
      ...(message.templated ? [paragraph(run(fit(body, 5000)))] : facts),
    ],
  };
}

function create(name: string, { url }: z.infer<typeof options>, tools: ChannelTools): Channel {
  const sender = { kind: 'teams', name };
  return {
    ...sender,
    async send(message, signal) {
      const card = { contentType: 'application/vnd.microsoft.card.adaptive', contentUrl: null, content: cardOf(tidy(message)) };
      const { status, body } = await post({ url, body: { type: 'message', attachments: [card] } }, sender, tools, signal);
      // some gateways say so with 200
      if (/delivery failed|returned http error/i.test(body))
        throw alertFailure(sender, `it answered ${status}, but: ${body.trim().slice(0, 200)}`);
      return { detail: String(status) };
    },
  };
}

export const teams = { kind: 'teams', secrets: ['url'], options, create } as const;
