/**
 * test: a channel that speaks HTTP and its server, new for each test of a file.
 */
import { afterEach, beforeEach } from 'vitest';
import type { Message, Receipt } from '../../src/model/roles/channel.js';
import { httpUnderTest, type HttpSpec, type HttpUnderTest } from '../contracts/channel.js';

const never = new AbortController().signal;

export interface HttpChannel {
  readonly given: () => HttpUnderTest;
  readonly send: (message: Message) => Promise<Receipt>;
  /** What was posted for a message that is taken. */
  readonly sent: <T>(message: Message) => Promise<T>;
}

export function httpChannel(spec: HttpSpec): HttpChannel {
  let under: HttpUnderTest | undefined;
  beforeEach(async () => {
    under = await httpUnderTest(spec);
    under.behave('take');
  });
  afterEach(() => under?.close());
  const given = () => {
    if (!under) throw new Error('not started');
    return under;
  };
  const send = (message: Message) => given().channel(5000).send(message, never);
  return {
    given,
    send,
    sent: async <T>(message: Message) => {
      await send(message);
      return JSON.parse(given().received().at(-1) ?? '') as T;
    },
  };
}
