/**
 * channels: a program of the user's own, without a shell: the alert as JSON on its stdin and in its environment. Exit code 0 is success.
 */
import * as z from 'zod';
import type { Channel, Message } from '../model/roles/channel.js';
import { routingShape } from '../model/settings/alerts.js';
import { onPath } from '../system/files/path.js';
import { tidy } from './text.js';
import { alertFailure, explain, type ChannelTools } from './tools.js';
import { documentOf } from './webhook.js';

const options = z.strictObject({
  kind: z.literal('command').describe('A program of your own.'),
  command: z
    .array(z.string())
    .min(1, 'expected a program and its arguments')
    .refine(
      ([program = '']) => /^(\/|[^/]+$)/.test(program),
      'expected an absolute path or the name of a program on PATH, then its arguments',
    )
    .describe('The program and its arguments, no shell; it reads JSON from stdin.'),
  ...routingShape,
});

function environmentOf({ key, subject, alert }: Message): Record<string, string> {
  const { id, kind, severity, scheduleId, database, eventId, host, at } = alert;
  const given = { KEY: key, SUBJECT: subject, ID: id, ALERT: kind, SEVERITY: severity, SCHEDULE: scheduleId, DATABASE: database };
  const all = Object.entries({ ...given, EVENT: eventId, HOST: host, AT: at });
  return Object.fromEntries(all.map(([name, value]) => [`BACKUP_AUTOMATION_${name}`, value ?? '']));
}

function create(name: string, { command }: z.infer<typeof options>, tools: ChannelTools): Channel {
  const sender = { kind: 'command', name };
  const [program = '', ...args] = command;

  async function run(message: Message, signal: AbortSignal) {
    const file = program.startsWith('/') ? program : onPath(program);
    if (file === null) throw alertFailure(sender, `there is no program ${JSON.stringify(program)} on PATH`, { class: 'permanent' });
    const { capture } = await import('../system/programs/exec.js');
    const { within } = await import('../system/deadline.js');
    const given = { env: environmentOf(tidy(message)), input: documentOf(message), timeoutMs: 2 * tools.patience, alone: true };
    return within(tools.patience, signal, async (signal) => {
      const ended = await capture(file, args, { ...given, signal });
      signal.throwIfAborted();
      return ended;
    });
  }

  return {
    ...sender,
    async send(message, signal) {
      try {
        const { exitCode, stderr } = await run(message, signal);
        if (exitCode === 0) return { detail: 'exit code 0' };
        const why = stderr.trim().split('\n', 1)[0] ?? '';
        const how = exitCode === null ? 'did not end well' : `ended with exit code ${exitCode}`;
        // what a shell says of a program that is not there, or is none
        const missing = exitCode === 126 || exitCode === 127;
        throw alertFailure(sender, `${program} ${how}${why ? `: ${why}` : ''}`, { class: missing ? 'permanent' : 'transient' });
      } catch (error) {
        throw explain(error, sender, signal);
      }
    },
  };
}

export const command = { kind: 'command', secrets: [], options, create } as const;
