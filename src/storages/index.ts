/**
 * storages: the shelf of places that keep backups, one file a member; adding one is a file and a line here.
 */
import { local } from './local/local.js';

export const storages = { local } as const;
