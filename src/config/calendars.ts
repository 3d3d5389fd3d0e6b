/**
 * config: reads the iCalendar files that schedules name, so that nobody has to later; it keeps what they hold beside their path.
 */
import { CalendarError, calendarPlans } from '../model/moment/calendar/icalendar.js';
import { contents, type Timed } from '../model/moment/occurrences.js';
import { readText } from './file.js';
import { ConfigurationFailure, type Problem } from './problem.js';

/** Paths are absolute by now. Gives what is wrong with a file, by its name and line. */
export function readCalendars({ schedules }: { readonly schedules: Readonly<Record<string, Timed>> }): Problem[] {
  return Object.values(schedules).flatMap(({ calendar }) => {
    if (calendar?.file === undefined) return [];
    try {
      const text = readText(calendar.file);
      calendarPlans(text, calendar.at);
      Object.assign(calendar, { [contents]: text });
      return [];
    } catch (error) {
      if (error instanceof ConfigurationFailure) return error.problems;
      if (!(error instanceof CalendarError)) throw error;
      return [{ source: calendar.file, key: '', found: `line ${error.line}: ${error.message}`, expected: 'an iCalendar file' }];
    }
  });
}
