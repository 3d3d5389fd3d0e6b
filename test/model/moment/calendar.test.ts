/** model/moment/calendar: rules of days against RFC 5545's own examples, and iCalendar files as programs write them. */
import { describe, expect, it } from 'vitest';
import { CalendarError, calendarPlans } from '../../../src/model/moment/calendar/icalendar.js';
import { daysFrom, daysUntil, parseRule } from '../../../src/model/moment/calendar/rule.js';
import { contents, occurrencesOf } from '../../../src/model/moment/occurrences.js';

const day = (date: string): number => Date.parse(date) / 86_400_000;
const dates = (days: readonly number[]): string => days.map((one) => new Date(one * 86_400_000).toISOString().slice(0, 10)).join(' ');
function named(rule: string, first: string, count: number): string {
  const days: number[] = [];
  for (const one of daysFrom(parseRule(rule), day(first), day(first))) if (days.push(one) === count) break;
  const last = days.at(-1);
  // backwards it is the same
  if (last !== undefined) expect(dates([...daysUntil(parseRule(rule), day(first), last)].toReversed())).toBe(dates(days));
  return dates(days);
}

describe('a rule', () => {
  it.each([
    // of RFC 5545, 3.8.5.3, and of everyday life
    ['FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1', '2026-01-01', '2026-01-30 2026-02-27 2026-03-31 2026-04-30'],
    ['FREQ=MONTHLY;BYDAY=TU,WE,TH;BYSETPOS=3', '1997-09-04', '1997-09-04 1997-10-07 1997-11-06'],
    ['FREQ=MONTHLY;BYMONTHDAY=-3', '1997-09-28', '1997-09-28 1997-10-29 1997-11-28'],
    ['FREQ=MONTHLY;BYMONTHDAY=31', '2026-01-01', '2026-01-31 2026-03-31 2026-05-31 2026-07-31'],
    ['FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13', '1997-09-03', '1998-02-13 1998-03-13 1998-11-13 1999-08-13'],
    ['FREQ=MONTHLY;INTERVAL=18;BYMONTHDAY=10', '1997-09-10', '1997-09-10 1999-03-10 2000-09-10'],
    ['FREQ=MONTHLY;BYDAY=1SU,-1SU;INTERVAL=2', '1997-09-07', '1997-09-07 1997-09-28 1997-11-02 1997-11-30'],
    ['FREQ=WEEKLY;INTERVAL=2;WKST=MO;BYDAY=TU,SU', '1997-08-05', '1997-08-05 1997-08-10 1997-08-19 1997-08-24'],
    ['FREQ=WEEKLY;INTERVAL=2;WKST=SU;BYDAY=TU,SU', '1997-08-05', '1997-08-05 1997-08-17 1997-08-19 1997-08-31'],
    ['FREQ=YEARLY;BYDAY=20MO', '1997-05-19', '1997-05-19 1998-05-18 1999-05-17'],
    ['FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO', '1997-05-12', '1997-05-12 1998-05-11 1999-05-17'],
    ['FREQ=YEARLY;INTERVAL=3;BYYEARDAY=1,100,200', '1997-01-01', '1997-01-01 1997-04-10 1997-07-19 2000-01-01'],
    ['FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8', '1996-11-05', '1996-11-05 2000-11-07 2004-11-02'],
    ['FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29', '2096-01-01', '2096-02-29 2104-02-29'],
    ['FREQ=DAILY;INTERVAL=10;COUNT=3', '1997-09-02', '1997-09-02 1997-09-12 1997-09-22'],
    ['FREQ=DAILY;BYMONTH=1', '1998-01-30', '1998-01-30 1998-01-31 1999-01-01'],
    ['FREQ=WEEKLY', '2026-03-04', '2026-03-04 2026-03-11'],
    ['FREQ=YEARLY', '2026-03-04', '2026-03-04 2027-03-04'],
    ['FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30', '2026-01-01', ''],
    ['FREQ=WEEKLY;BYDAY=MO;BYSETPOS=2', '2026-01-01', ''],
  ])('%s from %s', (rule, first, expected) => {
    expect(named(rule, first, expected === '' ? 1 : expected.split(' ').length)).toBe(expected);
  });

  it.each([
    ['FREQ=HOURLY', 'FREQ is HOURLY'],
    ['BYDAY=MO', 'FREQ is missing'],
    ['FREQ=DAILY;INTERVAL=0', 'INTERVAL=0'],
    ['FREQ=DAILY;FOO=1', 'there is no FOO'],
    ['FREQ=DAILY;BYHOUR=3', 'BYHOUR is not taken'],
    ['FREQ=MONTHLY;BYMONTHDAY=32', 'BYMONTHDAY=32'],
    ['FREQ=WEEKLY;BYDAY=1MO', 'the n-th day of the week'],
    ['FREQ=WEEKLY;BYDAY=XX', 'BYDAY=XX'],
    ['FREQ=MONTHLY;BYSETPOS=-1', 'BYSETPOS needs another'],
    ['FREQ=DAILY;COUNT=3;UNTIL=20260101', 'either COUNT or UNTIL'],
    ['rubbish', 'not written NAME=VALUE'],
  ])('%s is refused', (rule, why) => {
    expect(() => parseRule(rule)).toThrow(why);
  });
});

const calendar = (...events: readonly (readonly string[])[]): string =>
  ['BEGIN:VCALENDAR', 'VERSION:2.0', ...events.flatMap((lines) => ['BEGIN:VEVENT', ...lines, 'END:VEVENT']), 'END:VCALENDAR'].join('\r\n');

function moments(text: string, from: string, count: number, zone = 'Europe/Berlin'): string[] {
  const occurrences = occurrencesOf({ calendar: { file: 'x.ics', at: '02:00', [contents]: text } }, zone);
  const found: string[] = [];
  for (let at = occurrences.next(new Date(from)); at && found.length < count; at = occurrences.next(at)) found.push(at.toISOString());
  const last = found.at(-1);
  if (last !== undefined)
    expect(occurrences.previous(found.length, new Date(last)).map((at) => at.toISOString())).toEqual(found.toReversed());
  return found;
}

describe('an iCalendar file', () => {
  it('has events in zones of their own, with exceptions, moved and cancelled ones', () => {
    const weekly = ['UID:a', 'DTSTART;TZID=America/New_York:20260302T210000', 'RRULE:FREQ=WEEKLY;BYDAY=MO;UNTIL=20260407T010000Z'];
    const text = calendar(
      [...weekly, 'EXDATE;TZID=America/New_York:20260309T210000'],
      ['UID:a', 'RECURRENCE-ID;TZID=America/New_York:20260316T210000', 'DTSTART:20260317T120000Z'],
      ['UID:a', 'RECURRENCE-ID:20260324T010000Z', 'DTSTART:20260324T010000Z', 'STATUS:CANCELLED'],
    );
    expect(moments(text, '2026-01-01', 9)).toEqual([
      '2026-03-03T02:00:00.000Z',
      '2026-03-17T12:00:00.000Z',
      '2026-03-31T01:00:00.000Z',
      '2026-04-07T01:00:00.000Z',
    ]);
  });

  it('has whole days and times without a zone on the clock of the schedule, across its changes', () => {
    const text = calendar(
      ['DTSTART;VALUE=DATE:20260328', 'RRULE:FREQ=DAILY;COUNT=2'],
      ['DTSTART:20261025T023000', 'RDATE:20261101T023000', 'BEGIN:VALARM', 'TRIGGER:-PT15M', 'END:VALARM'],
    );
    expect(moments(text, '2026-01-01', 9)).toEqual([
      '2026-03-28T01:00:00.000Z',
      '2026-03-29T01:00:00.000Z',
      '2026-10-25T00:30:00.000Z',
      '2026-11-01T01:30:00.000Z',
    ]);
  });

  it('is unfolded, and may quote its parameters', () => {
    const text = calendar(['SUMMARY:a long\r\n  line: with colons', 'DTSTART;TZID="Europe/Berlin";X-A=b:20260302\r\n T210000']);
    expect(moments(text, '2026-01-01', 2, 'UTC')).toEqual(['2026-03-02T20:00:00.000Z']);
  });

  it.each([
    ['hello', 1, 'not written NAME:VALUE'],
    ['BEGIN:VEVENT\nEND:VEVENT', 1, 'BEGIN:VCALENDAR is missing'],
    ['BEGIN:VCALENDAR\nEND:VCALENDAR', 1, 'no event'],
    ['BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VCALENDAR', 3, 'closes VEVENT, begun in line 2'],
    ['BEGIN:VCALENDAR\nBEGIN:VEVENT', 2, 'never closed'],
    [calendar(['SUMMARY:x']), 3, 'no DTSTART'],
    [calendar(['DTSTART:20260230T000000']), 4, 'no day or time'],
    [calendar(['DTSTART;TZID=Mars/Olympus:20260228T000000']), 4, 'the zone "Mars/Olympus" is not known'],
    [calendar(['DTSTART:20260228T000000', 'RRULE:FREQ=SOMETIMES']), 5, 'RRULE: FREQ is SOMETIMES'],
    [calendar(['DTSTART:20260228T000000', 'RECURRENCE-ID;RANGE=THISANDFUTURE:20260228T000000']), 5, 'RANGE is not taken'],
  ])('%j is refused with its line', (text, line, why) => {
    let found: unknown;
    try {
      calendarPlans(text, '02:00');
    } catch (error) {
      found = error;
    }
    expect(found).toBeInstanceOf(CalendarError);
    expect(found).toMatchObject({ line, message: expect.stringContaining(why) as string });
  });
});
