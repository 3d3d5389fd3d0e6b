/**
 * cli: `schedule`: when the schedules run, and what starts them.
 */
import type { Command } from 'commander';
import { addCommand } from '../../command.js';
import { schedulerCommands } from './scheduler.js';
import { timetableCommands } from './timetable.js';

export function scheduleCommand(program: Command): void {
  const schedule = addCommand(program, 'schedule', 'when backups run, and what starts them', {
    examples: [
      ['schedule next', 'the next ten runs, in local time and UTC'],
      ['schedule install', 'have cron or systemd start whatever is due, every minute'],
      ['schedule check', 'whether they are started'],
    ],
    exits: { 2: 'wrong usage', 10: 'configuration' },
  });
  timetableCommands(schedule);
  schedulerCommands(schedule);
}
