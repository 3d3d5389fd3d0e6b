/**
 * core: what a schedule's triggers wait for, and whether `skipIfUnchanged` would store nothing, as sentences. Looks only.
 */
import { awaited, firing } from '../../model/moment/triggers.js';
import type { Database } from '../../model/roles/engine/dump.js';
import type { Context } from '../context.js';
import { newestBefore } from '../due/triggers.js';
import { makePlan, type Plan } from '../event/plan.js';
import { equalBackup } from '../event/unchanged.js';
import { listEvents } from '../history/events.js';

/** One or two for each database that answers; none where a schedule goes by its times alone. */
export async function changeNotes(context: Context, scheduleId: string): Promise<string[]> {
  const plan = await makePlan(context, { scheduleId });
  const { triggers, skipIfUnchanged } = plan.schedule ?? {};
  if (!triggers && !skipIfUnchanged) return [];
  const databases = plan.targets.flatMap((target) => ('database' in target ? [target.database] : []));
  return (await Promise.all(databases.map((database) => notesOf(context, scheduleId, plan, database)))).flat();
}

async function notesOf(context: Context, scheduleId: string, plan: Plan, database: Database): Promise<string[]> {
  const { triggers, skipIfUnchanged } = plan.schedule ?? {};
  const { name } = database;
  const mark = await context.engine.mark(database).catch(() => null);
  const notes: string[] = [];
  if (triggers) {
    const { events } = await listEvents(context, { schedule: scheduleId, status: 'completed', limit: 20 });
    const ended = events.find(({ database: of }) => of === name);
    const facts = {
      now: context.clock.now(),
      before: await newestBefore(context, scheduleId, name),
      completedAt: ended ? new Date(ended.timestamp) : null,
      touchedAt: triggers.file === undefined ? null : context.touchedAt(triggers.file),
      mark,
    };
    const fired = firing(triggers, facts);
    notes.push(
      fired ? `${name}: a trigger starts it: ${fired.cause}` : `${name}: its triggers wait for ${awaited(triggers, facts).join(', or ')}`,
    );
  }
  if (skipIfUnchanged) {
    const equal = await equalBackup(context, { event: { scheduleId, database: name }, plan, healthIssues: [], mark });
    notes.push(
      equal === null
        ? `${name}: a run would store a backup: something was written since the last one, or it cannot be told (skipIfUnchanged)`
        : `${name}: a run would store nothing: the database is as backup ${equal} holds it (skipIfUnchanged); --force makes one all the same`,
    );
  }
  return notes;
}
