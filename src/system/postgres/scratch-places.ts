/**
 * system: the folders in which a throwaway server could keep its data, with their volumes and their room. Chooses none.
 */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ScratchPlace } from '../../model/restore/scratch-place.js';
import { freeBytes } from '../files/disk.js';
import { everyoneMayEnter, look, mayWrite } from '../files/folders.js';
import { runner, type Runner } from './account.js';
import { socketFits, sweep } from './cluster.js';

function obstacleIn(folder: string, { account }: Runner): string | null {
  if (!look(folder)?.isDirectory()) return 'is not a folder';
  if (!mayWrite(folder)) return 'may not be written to';
  if (account && !everyoneMayEnter(folder)) return `may not be entered by the account ${account.name}, which the server runs as`;
  return socketFits(folder) ? null : 'is too long a path for a socket';
}

/** `folder` alone, where somebody named it; else the temp folders and `last`. What killed processes left there is removed first. */
export async function measurePlaces(folder: string | undefined, last: string): Promise<ScratchPlace[]> {
  const as = runner();
  const folders = folder === undefined ? [tmpdir(), '/tmp', '/var/tmp', last] : [folder];
  return Promise.all(
    [...new Set(folders)].map(async (each) => {
      const obstacle = obstacleIn(each, as);
      if (obstacle === null) await sweep(each, as);
      return { folder: each, device: look(each)?.dev ?? null, free: await freeBytes(each), obstacle };
    }),
  );
}

/** Devices of a server's data folders, and of its log of changes where that may be seen; null when none can. */
export function devicesOf(folders: readonly string[] | null): number[] | null {
  const devices = (folders ?? []).flatMap((folder) => [look(folder)?.dev ?? [], look(join(folder, 'pg_wal'))?.dev ?? []].flat());
  return folders === null || (folders.length > 0 && devices.length === 0) ? null : devices;
}
