/**
 * cli: who types: the user of the operating system, on this host. It asks nobody.
 */
import { hostname, userInfo } from 'node:os';
import type { Actor } from '../model/access/actor.js';

/** The number of a user without a name, as in many containers. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.geteuid?.() ?? 'unknown');
  }
}

export const actor = (): Actor => ({ by: `cli:${userName()}`, address: hostname() });
