/**
 * core: the last resort when the ledger cannot be written: every channel is told at once, nothing is recorded, nothing repeated.
 */
import type { Alert } from '../../model/alert/alert.js';
import { asFailure, type Failure } from '../../model/errors.js';
import type { Context } from '../context.js';
import { messageFor, sendWithin } from './send.js';

const limit = 10_000;

/** The same all day long, so that a receiver drops doubles. */
const alertOf = ({ process: { host }, clock }: Context, failure: Failure): Alert => {
  const at = clock.now().toISOString();
  return {
    id: `${host}:${at.slice(0, 10)}:ledger`,
    kind: 'ledger',
    severity: 'critical',
    scheduleId: null,
    database: null,
    eventId: null,
    host,
    at,
    title: 'The ledger cannot be written, so no backup counts',
    facts: [
      ['Error', failure.message],
      ['Hint', failure.hint],
    ],
    class: failure.class,
    reason: 'ledger: unwritable',
    nextTry: null,
    command: 'backup-automation health',
  };
};

/** Tells every channel of a Failure `ledger`, and the person how that went. Never rejects. */
export async function tellDirectly(context: Context, failure: Failure): Promise<void> {
  const alert = alertOf(context, failure);
  const say = (message: string) => context.announce({ kind: 'warning', database: null, message });
  const sendings = context.channels.map(async (channel) => {
    const message = messageFor(context, alert, channel.name);
    await sendWithin(context, channel, message, limit).then(
      () => say(`the ledger cannot be written: channel "${channel.name}" was told directly, with no record of it`),
      (error: Failure) => say(`the ledger cannot be written, and channel "${channel.name}" cannot be told: ${error.message}`),
    );
  });
  await Promise.all(sendings);
}

/** Does the deed; when the ledger cannot be written, tells so before it rejects. */
export async function withLastResort<T>(context: Context, deed: () => Promise<T>): Promise<T> {
  try {
    return await deed();
  } catch (error) {
    const failure = asFailure(error);
    if (failure.code === 'ledger') await tellDirectly(context, failure);
    throw error;
  }
}
