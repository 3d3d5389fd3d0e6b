/**
 * system: on what kind of file system a folder lies, as far as that makes its locks and appends doubtful. Writes nothing.
 */
import { statfsSync } from 'node:fs';

/** By the kernel's magic numbers (statfs(2)). */
const doubtful: Readonly<Record<number, string>> = {
  0x6969: 'NFS',
  0x517b: 'SMB',
  0xff534d42: 'CIFS',
  0xfe534d42: 'SMB',
  0x65735546: 'FUSE',
  0x01021997: '9p',
  0x00c36400: 'Ceph',
};

/** `NFS` and the like; null: a file system of this host. */
export const doubtfulKind = (folder: string): string | null => doubtful[statfsSync(folder).type >>> 0] ?? null;
