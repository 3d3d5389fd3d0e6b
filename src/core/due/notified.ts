/**
 * core: hears what databases are notified of, for schedules that this starts, and opens their events. It runs none, and only a process that
 * stays can hear: what is said while none listens is lost.
 */
import type { Listening } from '../../model/roles/engine.js';
import { isTooSoon } from '../../model/moment/triggers.js';
import { asFailure } from '../../model/errors.js';
import type { Context } from '../context.js';
import { makePlan } from '../event/plan.js';
import { openTriggeredEvent } from '../event/record.js';
import { readAgenda } from './agenda.js';
import { mayRun, triggered, type Triggered } from './triggers.js';

/** A schedule's database, whose channel was notified and whose backup was not begun yet. */
interface Heard {
  readonly one: Triggered;
  readonly database: string;
}

export class Ears {
  private readonly listening = new Map<string, Listening>();
  private readonly heard = new Map<string, Heard>();
  private readonly wake: () => void;

  /** `wake` is called with each notification. */
  constructor(wake: () => void) {
    this.wake = wake;
  }

  /** Listens wherever it should and does not, and opens the events of what was heard and may begin by now. */
  async attend(context: Context): Promise<void> {
    const wanted = triggered(context).filter(({ triggers }) => triggers.notify !== undefined);
    for (const one of wanted) await this.listen(context, one);
    if (this.heard.size > 0) await this.open(context);
  }

  /** Never throws. */
  async close(): Promise<void> {
    await Promise.all([...this.listening.values()].map((one) => one.close()));
  }

  private async listen(context: Context, one: Triggered): Promise<void> {
    const plan = await makePlan(context, { scheduleId: one.scheduleId }).catch(() => null);
    for (const target of plan?.targets ?? []) {
      if ('failure' in target) continue;
      const { database } = target;
      const key = `${one.scheduleId} ${database.name}`;
      if (this.listening.get(key)?.isLost() === false) continue;
      const hear = () => {
        this.heard.set(key, { one, database: database.name });
        this.wake();
      };
      try {
        this.listening.set(key, await context.engine.listen(database, one.triggers.notify ?? '', hear));
      } catch (error) {
        context.log('warn', `${database.name}: its notifications cannot be heard: ${asFailure(error).message}`);
      }
    }
  }

  /** What may not begin yet, for its window or because a backup was made just now, is kept. */
  private async open(context: Context): Promise<void> {
    const { agenda } = await readAgenda(context);
    for (const [key, { one, database }] of this.heard) {
      const { scheduleId, schedule, triggers } = one;
      if (!mayRun(context, schedule) || isTooSoon(triggers, agenda.newest[key], context.clock.now())) continue;
      this.heard.delete(key);
      await openTriggeredEvent(context, scheduleId, database, { trigger: 'notify', cause: `${triggers.notify} was notified` });
    }
  }
}
