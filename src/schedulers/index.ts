/**
 * schedulers: the shelf of what starts `execute --due` every minute, one file a member; adding one is a file and a line here.
 */
import { cron } from './cron.js';
import { systemd } from './systemd.js';

export const schedulers = { cron, systemd } as const;
