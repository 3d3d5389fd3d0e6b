/**
 * storages: the shelf of places that keep backups, one file a member; adding one is a file and a line here.
 */
import { local } from './local/local.js';
import type { StorageMember } from './member.js';

export const storages = { local } as const satisfies Readonly<Record<string, StorageMember>>;
export type { StorageMember };
