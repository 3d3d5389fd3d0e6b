/**
 * model: the Plan, wall times that are the same in every zone: what a cron expression or a rule of a calendar comes to.
 */
import { Cron } from 'croner';

/** Wall times, ms as if they were UTC. */
export interface Plan {
  /** Those later than a wall time, in order; ends where there is none within the next decades. */
  after(wall: number): Iterable<number>;
  /** Those not later than a wall time, the newest first. */
  until(wall: number): Iterable<number>;
}

/** Only as UTC: what croner does where a zone's clock changes is not what is promised (it moves by the gap, and repeats). */
export function cronPlan(expression: string): Plan {
  const cron = new Cron(expression, { timezone: 'UTC', paused: true });
  return {
    *after(wall) {
      for (let next = cron.nextRun(new Date(wall)); next; next = cron.nextRun(next)) yield next.getTime();
    },
    *until(wall) {
      // croner's previous is earlier than a moment, to the second
      let [last] = cron.previousRuns(1, new Date(Math.floor(wall / 1000) * 1000 + 1000));
      for (; last; [last] = cron.previousRuns(1, last)) yield last.getTime();
    },
  };
}

/** A single wall time. */
export const oncePlan = (time: number): Plan => ({
  after: (wall) => (time > wall ? [time] : []),
  until: (wall) => (time <= wall ? [time] : []),
});
