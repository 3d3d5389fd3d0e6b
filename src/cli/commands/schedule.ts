/**
 * cli: `schedule`: what starts the schedules.
 */
import type { Command } from 'commander';
import { addCommand } from '../command.js';
import { schedulerCommands } from './scheduler.js';

export function scheduleCommand(program: Command): void {
  const schedule = addCommand(program, 'schedule', 'when backups run, and what starts them', {
    examples: [
      ['schedule install', 'have cron or systemd start whatever is due, every minute'],
      ['schedule check', 'whether they are started'],
    ],
    exits: { 2: 'wrong usage', 10: 'configuration' },
  });
  schedulerCommands(schedule);
}
