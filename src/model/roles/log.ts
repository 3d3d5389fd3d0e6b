/**
 * model: the Log role, what the tool writes down about its own work; a log never fails what it tells of.
 */

/** From the quietest to the gravest. */
export const logLevels = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof logLevels)[number];

export type Log = (level: LogLevel, message: string, facts?: Readonly<Record<string, unknown>>) => void;
