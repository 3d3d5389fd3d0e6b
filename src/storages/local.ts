/**
 * storages: a folder on a file system that this machine mounts; writes by the commit protocol and never follows a link.
 */
import { z } from 'zod';

export const local = {
  kind: 'local',
  options: z.strictObject({
    kind: z.literal('local').describe('A folder on a mounted file system.'),
    path: z.string().min(1).describe('The folder; relative paths are relative to the configuration file.'),
  }),
} as const;
