/**
 * model: the names of a backup's own files, the same in every storage.
 */
export const manifestName = 'manifest.json';
export const detailsName = 'details.json';
export const guideName = 'RESTORE.md';
