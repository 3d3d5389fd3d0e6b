/** channels/command: a program that is missing, fails, hangs, forks or floods. Row H6. */
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { channels } from '../../src/channels/index.js';
import { channelContract, failureOf, toolsFor, type Behaviour } from '../contracts/channel.js';
import { aMessage, anAlert } from '../fixtures/messages.js';

const folder = mkdtempSync(join(tmpdir(), 'backup-automation-test-'));
afterAll(() => rmSync(folder, { recursive: true }));
const never = new AbortController().signal;
const { command } = channels;

const at = (name: string) => join(folder, name);
function script(name: string, text: string): string {
  writeFileSync(at(name), `#!/bin/sh\n${text}\n`);
  chmodSync(at(name), 0o755);
  return at(name);
}
const running = (argv: readonly string[], patience = 5000) =>
  command.create('ops', command.options.parse({ kind: 'command', command: argv }), toolsFor({}, patience));

const scripts: Readonly<Partial<Record<Behaviour, string>>> = {
  take: `cat >> '${at('taken')}'`,
  passing: 'echo "no route" >&2; exit 1',
  permanent: 'exit 127',
  hang: 'sleep 600',
};
channelContract(
  'command',
  async () => {
    const file = script('notify', 'exit 1');
    return {
      channel: (patience) => running([file], patience),
      behave: (behaviour) => void script('notify', scripts[behaviour] ?? ''),
      received: () => (existsSync(at('taken')) ? [readFileSync(at('taken'), 'utf8')] : []),
      elsewhere: () => 0,
      close: async () => rmSync(at('taken'), { force: true }),
    };
  },
  ['busy', 'redirect', 'tell'],
);

test('the alert stands on its stdin and in its environment; arguments are no shell words', async () => {
  const file = script('show', `cat > '${at('stdin')}'; env > '${at('env')}'; printf '%s\\n' "$@" > '${at('args')}'`);
  await running([file, '$(touch x)', 'a b;c']).send(aMessage, never);
  expect(JSON.parse(readFileSync(at('stdin'), 'utf8'))).toMatchObject({ version: 1, key: aMessage.key, alert: anAlert });
  const env = readFileSync(at('env'), 'utf8').split('\n');
  expect(env).toEqual(
    expect.arrayContaining([
      `BACKUP_AUTOMATION_SUBJECT=${aMessage.subject}`,
      'BACKUP_AUTOMATION_ALERT=failure',
      'BACKUP_AUTOMATION_SEVERITY=critical',
      'BACKUP_AUTOMATION_SCHEDULE=daily-backup',
      'BACKUP_AUTOMATION_DATABASE=shop',
    ]),
  );
  expect(readFileSync(at('args'), 'utf8')).toBe('$(touch x)\na b;c\n');
});

/** Whether the process whose id stands in the file runs; one that ended may stay listed until init takes note of it. */
function isAlive(file: string): boolean {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${readFileSync(file, 'utf8').trim()}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

test('H6: a missing program is permanent', async () => {
  for (const program of ['no-such-program-here', at('none')])
    expect(await failureOf(running([program]).send(aMessage, never))).toMatchObject({ code: 'alert', class: 'permanent' });
});

test('H6: exit 1 is a failure with its first line of stderr', async () => {
  const failure = await failureOf(running([script('one', 'echo "no modem" >&2; exit 1')]).send(aMessage, never));
  expect(failure).toMatchObject({ class: 'transient', message: expect.stringMatching(/exit code 1: no modem$/) as string });
});

test('H6: one that hangs is ended at the time limit, with what it started', async () => {
  const file = script('hang', `sleep 600 & echo $! > '${at('child')}'; wait`);
  expect(await failureOf(running([file], 500).send(aMessage, never))).toMatchObject({ class: 'transient' });
  await vi.waitFor(() => expect(isAlive(at('child'))).toBe(false));
});

test.each(['', ' >/dev/null 2>&1'])('H6: what it leaves running ends with it, its output held open or not (%j)', async (redirection) => {
  const file = script('fork', `sleep 600${redirection} & echo $! > '${at('daemon')}'`);
  await running([file], 20_000).send(aMessage, never);
  await vi.waitFor(() => expect(isAlive(at('daemon'))).toBe(false));
});

test('H6: one that floods is ended', async () => {
  const file = script('flood', `echo $$ > '${at('flooder')}'; exec yes`);
  expect(await failureOf(running([file], 20_000).send(aMessage, never))).toMatchObject({ class: 'transient' });
  await vi.waitFor(() => expect(isAlive(at('flooder'))).toBe(false));
});

test('one that does not read its stdin is no failure', async () => {
  await running([script('deaf', 'exit 0')]).send({ ...aMessage, body: 'x'.repeat(20_000) }, never);
});

test.each([[['./notify.sh']], [['bin/notify']], [[]]])('%j is refused as a command', (argv) => {
  expect(command.options.safeParse({ kind: 'command', command: argv }).success).toBe(false);
});
