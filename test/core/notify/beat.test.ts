/** core/notify/beat: signs of life go on beside the backup, the end after the start. */
import { expect, it } from 'vitest';
import { beat, beaten } from '../../../src/core/notify/beat.js';
import type { Beat } from '../../../src/model/roles/channel.js';
import { makeEvent } from '../../fixtures/ledger.js';
import { rig } from './rig.js';

/** A watcher that answers a sign when it is told to. */
function watched(schedules?: string[]) {
  const one = rig({ channels: { watch: schedules ? { schedules } : {} } });
  const signs: Beat[] = [];
  const answers: ((refused: boolean) => void)[] = [];
  Object.assign(one.context.channels[0] ?? {}, {
    beat: (sign: Beat) => {
      signs.push(sign);
      return new Promise((resolve, reject) => answers.push((refused) => (refused ? reject(new Error('no')) : resolve({ detail: 'OK' }))));
    },
  });
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  return { ...one, signs, answers, settled };
}

it('a watcher that does not answer holds up nothing, and hears of the end after the start, refused or not', async () => {
  const { context, signs, answers, settled } = watched();
  const event = makeEvent(1, 'running');
  beat(context, event, { phase: 'start' });
  beat(context, event, { phase: 'fail', exit: 20, text: 'refused' });
  await settled();
  expect(signs).toEqual([{ phase: 'start', runId: event.id, text: 'shop' }]);
  answers[0]?.(true);
  await settled();
  expect(signs[1]).toEqual({ phase: 'fail', exit: 20, runId: event.id, text: 'shop\nrefused' });
  answers[1]?.(false);
  await beaten(context);
});

it('events do not wait for each other', async () => {
  const { context, signs, settled } = watched();
  for (const k of [1, 2]) beat(context, makeEvent(k, 'running'), { phase: 'start' });
  await settled();
  expect(signs).toHaveLength(2);
});

it('a watcher of some schedules hears of no other, nor of a backup by hand', async () => {
  const { context, signs } = watched(['daily']);
  beat(context, makeEvent(1, 'running'), { phase: 'start' });
  beat(context, makeEvent(2, 'running', { scheduleId: 'weekly' }), { phase: 'start' });
  await beaten(context);
  expect(signs).toEqual([]);
});
