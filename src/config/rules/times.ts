/**
 * config: the rules about when schedules run; pure.
 */
import { Cron } from 'croner';
import { blackoutProblem } from '../../model/moment/blackout.js';
import { plainRulePlan } from '../../model/moment/calendar/rule-plan.js';
import type { Path } from '../layers.js';
import type { Finding, Rule } from './rule.js';

/** Why croner does not take the expression; null when it does. Five fields: seconds have no place here. */
function cronProblem(expression: string): string | null {
  const fields = 'a cron expression of five fields, e.g. "0 2 * * *"';
  try {
    const cron = new Cron(expression, { paused: true, mode: '5-part', utcOffset: 0 });
    return cron.nextRun(new Date(0)) ? null : `${fields}, that is ever due`;
  } catch (error) {
    return `${fields} (${(error instanceof Error ? error.message : String(error)).replace(/^CronPattern: /, '').slice(0, 120)})`;
  }
}

/** Why a rule of days cannot be; null when it can. */
function ruleProblem(rule: string, at: string): string | null {
  try {
    const [first] = plainRulePlan(rule, at).after(0);
    return first === undefined ? 'a rule that names a day' : null;
  } catch (error) {
    return `a rule of whole days, e.g. "FREQ=WEEKLY;BYDAY=MO,TH" (${(error as Error).message})`;
  }
}

/** What says when a schedule runs: each of it, and that it is said once. */
export const times: Rule = (config) =>
  Object.entries(config.schedules).flatMap(([name, { cron, calendar, triggers, blackout = [] }]) => {
    const found: Finding[] = [];
    const add = (path: Path, expected: string | null) => expected && found.push({ path: ['schedules', name, ...path], expected });
    if (cron === undefined && !calendar && !triggers) add(['cron'], 'a cron expression, `calendar` or `triggers`');
    if (cron !== undefined && calendar) add(['calendar'], 'either `cron` or this');
    if (cron !== undefined) add(['cron'], cronProblem(cron));
    if (calendar && (calendar.rule === undefined) === (calendar.file === undefined)) add(['calendar'], 'either `rule` or `file` in it');
    if (calendar?.rule !== undefined) add(['calendar', 'rule'], ruleProblem(calendar.rule, calendar.at));
    for (const [index, entry] of blackout.entries()) add(['blackout', String(index)], blackoutProblem(entry));
    return found;
  });

function isZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

export const zones: Rule = (config) => {
  const all: [Path, string | undefined][] = [[['timezone'], config.timezone]];
  for (const [name, { timezone }] of Object.entries(config.schedules)) all.push([['schedules', name, 'timezone'], timezone]);
  return all
    .filter(([, zone]) => zone !== undefined && !isZone(zone))
    .map(([path]) => ({ path, expected: 'a time zone of the IANA list that this machine knows, e.g. "Europe/Berlin"' }));
};
