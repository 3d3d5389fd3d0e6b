/**
 * channels: signs of life in healthchecks.io's protocol (https://healthchecks.io/docs/http_api/), for someone outside who notices when none
 * comes. An alert that a backup failed is a sign of failure, that it is made again one of success; any other is only logged there.
 */
import * as z from 'zod';
import type { Alert } from '../model/alert/alert.js';
import type { Beat, Channel } from '../model/roles/channel.js';
import { routingShape } from '../model/settings/alerts.js';
import { post } from './post.js';
import { block, bytesOf, fit, tidy } from './text.js';
import { alertFailure, placeShape, type ChannelTools } from './tools.js';

const options = z.strictObject({
  kind: z.literal('heartbeat').describe('Signs of life to a watcher outside, as healthchecks.io takes them.'),
  url: z.string().min(1).describe("The check's ping URL (a reference)."),
  ...placeShape,
  ...routingShape,
});

/** What healthchecks.io keeps of a body, bytes. */
const longest = 10_000;

const failed: ReadonlySet<Alert['kind'] | undefined> = new Set(['failure', 'missed', 'exhausted']);

/** A recovery takes back what came late: the sign of success may have come before it. */
const placeOf = ({ kind, was }: Alert): string => (failed.has(kind) ? '/fail' : failed.has(was) ? '' : '/log');

function pathOf({ phase, exit }: Beat): string {
  if (phase === 'start') return '/start';
  if (phase === 'success') return '';
  return exit !== undefined && exit > 0 && exit < 256 ? `/${exit}` : '/fail';
}

function create(name: string, given: z.infer<typeof options>, tools: ChannelTools): Channel {
  const sender = { kind: 'heartbeat', name };

  async function ping(place: string, runId: string | null, text: string, signal: AbortSignal) {
    const path = place + (runId === null ? '' : `?rid=${encodeURIComponent(runId)}`);
    const words = fit(text, longest, undefined, bytesOf);
    const { status, body } = await post({ ...given, path, body: words }, sender, tools, signal);
    const said = body.trim().slice(0, 100);
    // both with status 200
    if (said.startsWith('OK (not found')) throw alertFailure(sender, `there is no such check: ${said}`, { class: 'permanent' });
    if (said.startsWith('OK (rate limited')) throw alertFailure(sender, said);
    return { detail: `${status} ${said}`.trim() };
  }

  return {
    ...sender,
    send(message, signal) {
      const { subject, body, alert } = tidy(message);
      return ping(placeOf(alert), alert.eventId, `${subject}\n\n${body}`, signal);
    },
    beat: (beat, signal) => ping(pathOf(beat), beat.runId, block(beat.text, longest), signal),
  };
}

export const heartbeat = { kind: 'heartbeat', secrets: ['url'], options, create } as const;
