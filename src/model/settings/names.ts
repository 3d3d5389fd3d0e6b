/**
 * model: the names of a backup's own files, the same in every storage.
 */
export const manifestName = 'manifest.json';
export const detailsName = 'details.json';
export const guideName = 'RESTORE.md';
/** Beside the manifest of a backup that is pinned; its text says why. */
export const pinnedName = 'PINNED';
