/**
 * test: what every channel must do, whatever it speaks. A channel's own test file calls `channelContract` and adds what only it has.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ChannelMember } from '../../src/channels/index.js';
import { Failure } from '../../src/model/errors.js';
import { registerSecret } from '../../src/model/redact.js';
import type { Channel } from '../../src/model/roles/channel.js';
import { aMessage, hostileMessage } from '../fixtures/messages.js';
import { startPeer, type Answer, type Peer } from '../fixtures/peer.js';

/** What the other side does. */
export type Behaviour = 'take' | 'passing' | 'permanent' | 'busy' | 'redirect' | 'hang' | 'tell';

export interface ChannelUnderTest {
  /** Another one of the same, which waits `patience` ms. */
  channel(patience: number): Channel;
  /** Lets the other side do so from now on; `tell`: refuse and show the secret. */
  behave(behaviour: Behaviour): void;
  /** All that it was sent, as text. */
  received(): string[];
  /** How many requests came where a redirect led to. */
  elsewhere(): number;
  close(): Promise<void>;
}

const never = new AbortController().signal;
export const secret = 's3cr3t-Value-0123456789';

/** Tools whose references all name `values`, in 2026. */
export const toolsFor = (values: Readonly<Record<string, string>>, patience = 5000) => ({
  secret: async (reference: string) => {
    const value = values[reference];
    if (value === undefined) throw new Failure('configuration', `${reference} is not set`, { hint: `set ${reference}` });
    registerSecret(value);
    return value;
  },
  now: () => new Date('2026-11-22T02:00:05.000Z'),
  patience,
});

export async function failureOf(work: Promise<unknown>): Promise<Failure> {
  const error: unknown = await work.then(
    () => new Error('it was taken'),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof Failure)) throw error;
  return error;
}

/** Runs the suite on a channel of which `make` gives a new one, with its other side, each time. `lacks`: what the other side never does. */
export function channelContract(kind: string, make: () => Promise<ChannelUnderTest>, lacks: readonly Behaviour[] = []): void {
  describe(`the channel ${kind}`, () => {
    let given: ChannelUnderTest;
    beforeEach(async () => {
      given = await make();
    });
    afterEach(() => given.close());
    const testOf = (behaviour: Behaviour) => (lacks.includes(behaviour) ? () => {} : test);
    const send = (patience = 5000, signal = never) => given.channel(patience).send(aMessage, signal);

    test('H2: takes a message once, and says so', async () => {
      given.behave('take');
      expect((await send()).detail).not.toBe('');
      expect(given.received()).toHaveLength(1);
      expect(given.received()[0]).toContain('daily-backup');
    });

    test('H2: a passing refusal is transient, and not repeated by itself', async () => {
      given.behave('passing');
      expect(await failureOf(send())).toMatchObject({ code: 'alert', class: 'transient' });
      expect(given.received().length).toBeLessThanOrEqual(1);
    });

    testOf('permanent')('H4: a refusal for good is permanent', async () => {
      given.behave('permanent');
      expect(await failureOf(send())).toMatchObject({ code: 'alert', class: 'permanent' });
    });

    testOf('busy')('H4: the time that the other side names is handed on', async () => {
      given.behave('busy');
      expect(await failureOf(send())).toMatchObject({ code: 'alert', class: 'transient', retryAfter: 17_000 });
    });

    testOf('redirect')('H3: a redirect is a failure and not followed', async () => {
      given.behave('redirect');
      expect((await failureOf(send())).message).toMatch(/redirect to .*not followed/);
      expect(given.elsewhere()).toBe(0);
    });

    test('H2: silence ends at the time limit, as transient', async () => {
      given.behave('hang');
      expect(await failureOf(send(300))).toMatchObject({ code: 'alert', class: 'transient', message: expect.stringContaining('within') as string }); // prettier-ignore
    });

    test('H2: silence ends with the signal, whose reason is the error', async () => {
      given.behave('hang');
      const controller = new AbortController();
      const sending = send(60_000, controller.signal);
      setTimeout(() => controller.abort(new Failure('interrupted', 'enough')), 200);
      expect(await failureOf(sending)).toMatchObject({ code: 'interrupted', message: 'enough' });
      await expect(send(60_000, controller.signal)).rejects.toThrow('enough');
    });

    testOf('tell')('an other side that shows the secret does not get it into the error', async () => {
      given.behave('tell');
      const { message, hint, stack } = await failureOf(send());
      expect(`${message} ${hint} ${stack}`).not.toContain(secret);
      expect(message).toContain(`${kind} "ops"`);
    });

    test.each([0, 1_000_000])(
      'H9: CR/LF, HTML, mentions, emoji, half characters and %d more are sent harmless and bounded',
      async (size) => {
        given.behave('take');
        await given.channel(5000).send(hostileMessage(size), never);
        const [text = ''] = given.received();
        expect(Buffer.byteLength(text)).toBeLessThan(200_000);
        expect(text).not.toMatch(/\ud800(?![\udc00-\udfff])|\\ud800(?!\\ud[c-f])/i);
        // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
        expect(text).not.toMatch(/\u001b|\u202e/);
        expect(text.split(/\r?\n\r?\n/)[0]).not.toMatch(/^Bcc:/m);
        if (size > 0) expect(text).toContain('(cut)');
      },
    );
  });
}

export interface HttpSpec {
  readonly member: ChannelMember;
  /** Its options, where `env:URL` is a reference to the server's URL with the secret in its path, `env:TOKEN` one to the secret. */
  readonly options: (url: string) => object;
  readonly taken: Answer;
  /** 404 when left out. */
  readonly permanent?: Answer;
}

export interface HttpUnderTest extends ChannelUnderTest {
  readonly peer: Peer;
}

/** A member that speaks HTTP, and its server. */
export async function httpUnderTest({ member, options, taken, permanent }: HttpSpec): Promise<HttpUnderTest> {
  const [peer, other] = await Promise.all([startPeer(), startPeer()]);
  const location = { location: `${other.url}/x` };
  const redirects = [301, 302, 307].map((status) => ({ status, headers: location }));
  const answers: Readonly<Record<Behaviour, Answer[]>> = {
    take: [taken],
    passing: [{ status: 500, body: 'broken' }],
    permanent: [permanent ?? { status: 404, body: 'gone' }],
    busy: [{ status: 429, headers: { 'retry-after': '17' }, body: 'slow down' }],
    redirect: redirects,
    hang: [{ mode: 'hang' }],
    tell: [{ status: 403, body: `no ${secret} at /hooks/${secret}` }],
  };
  const given = member.options.parse({ kind: member.kind, ...options(peer.url) }) as { kind: string };
  const values = { 'env:URL': `${peer.url}/hooks/${secret}`, 'env:TOKEN': secret };
  return {
    peer,
    channel: (patience) => member.create('ops', given, toolsFor(values, patience)),
    behave: (behaviour) => {
      peer.answer(...answers[behaviour]);
    },
    received: () => peer.seen.map(({ body }) => body),
    elsewhere: () => other.seen.length,
    close: async () => void (await Promise.all([peer.close(), other.close()])),
  };
}
