/**
 * channels: PagerDuty by its Events API v2 (https://developer.pagerduty.com/docs/events-api-v2). One incident for
 * each problem of a host; its recovery resolves it.
 */
import { createHash } from 'node:crypto';
import * as z from 'zod';
import type { Alert } from '../model/alert/alert.js';
import type { Channel, Message } from '../model/roles/channel.js';
import { routingShape } from '../model/settings/alerts.js';
import { post } from './post.js';
import { fit, rowsOf, tidy } from './text.js';
import { valueOf, type ChannelTools } from './tools.js';

const options = z.strictObject({
  kind: z.literal('pagerduty').describe("PagerDuty, by a service's integration with the Events API v2."),
  key: z.string().min(1).describe('The integration key (a reference).'),
  url: z.string().min(1).default('https://events.pagerduty.com').describe('The API; https://events.eu.pagerduty.com in the EU.'),
  ...routingShape,
});

type Action = 'trigger' | 'resolve';

/** What is only told leaves no incident open. */
function actionsOf({ kind }: Alert): readonly Action[] {
  if (kind === 'recovered' || kind === 'success') return ['resolve'];
  return kind === 'canary' || kind === 'summary' ? ['trigger', 'resolve'] : ['trigger'];
}

/** The same for a problem, its reminders and its recovery; at most 255 characters. */
function incidentOf({ kind, host, scheduleId, database, reason, id }: Alert): string {
  const about = kind === 'canary' || kind === 'summary' ? [id] : [host, scheduleId, database, reason];
  return `backup-automation-${createHash('sha256').update(JSON.stringify(about)).digest('hex').slice(0, 32)}`;
}

const payloadOf = ({ subject, body, alert }: Message) => ({
  summary: fit(subject, 1024),
  source: fit(alert.host || 'unknown', 200),
  severity: alert.severity,
  timestamp: alert.at,
  component: alert.database ?? undefined,
  group: alert.scheduleId ?? undefined,
  class: alert.kind,
  custom_details: { ...Object.fromEntries(rowsOf(alert)), command: alert.command ?? undefined, text: body },
});

function create(name: string, given: z.infer<typeof options>, tools: ChannelTools): Channel {
  const sender = { kind: 'pagerduty', name };
  return {
    ...sender,
    resolves: true,
    async send(message, signal) {
      const tidied = tidy(message);
      const event = {
        routing_key: await valueOf(given.key, sender, tools),
        dedup_key: incidentOf(message.alert),
        client: 'backup-automation',
      };
      let status = 0;
      for (const action of actionsOf(message.alert)) {
        const body = { ...event, event_action: action, ...(action === 'trigger' ? { payload: payloadOf(tidied) } : {}) };
        ({ status } = await post({ url: given.url, path: '/v2/enqueue', body }, sender, tools, signal));
      }
      return { detail: `${status} ${actionsOf(message.alert).join(', ')}` };
    },
  };
}

export const pagerduty = { kind: 'pagerduty', secrets: ['key'], options, create } as const;
