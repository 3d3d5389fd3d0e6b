/**
 * engines: the shelf of what takes a database out of its server and puts it back; adding one is a file and a line here.
 */
import { pgDump } from './pg_dump/engine.js';

export const engines = { pg_dump: pgDump } as const;
