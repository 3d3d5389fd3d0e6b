/**
 * system: when a scheduler last started us, and when it did not although it should have; a file whose time is the last tick.
 */
import { appendFileSync, mkdirSync, readFileSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import type { Ticks } from '../../model/roles/scheduler.js';

/** Ticks come every minute; one may be late. */
const longestGap = 3 * 60_000;
const remembered = 20;
const fileOf = (stateDirectory: string) => join(stateDirectory, 'ticks');

function lastOf(file: string): Date | null {
  try {
    return statSync(file).mtime;
  } catch {
    return null;
  }
}

/** Notes a tick. Nothing depends on it but what is told: it is not made durable, and a failure is none. */
export function tick(stateDirectory: string, now: Date): void {
  const file = fileOf(stateDirectory);
  try {
    const last = lastOf(file);
    if (last === null) mkdirSync(stateDirectory, { recursive: true, mode: 0o700 });
    const gap = last !== null && now.getTime() - last.getTime() > longestGap;
    if (last === null || gap) appendFileSync(file, gap ? `${last.toISOString()} ${now.toISOString()}\n` : '', { mode: 0o600 });
    utimesSync(file, now, now);
  } catch {
    // what matters is told by the ledger, which does not pass over such a thing
  }
}

export function readTicks(stateDirectory: string): Ticks {
  const file = fileOf(stateDirectory);
  const last = lastOf(file);
  if (last === null) return { last, gaps: [] };
  const lines = readFileSync(file, 'utf8').trim().split('\n').filter(Boolean).slice(-remembered);
  const gaps = lines.map((line) => line.split(' ')).map(([from = '', until = '']) => ({ from: new Date(from), until: new Date(until) }));
  return { last, gaps: gaps.filter(({ from, until }) => !Number.isNaN(from.getTime() + until.getTime())) };
}
