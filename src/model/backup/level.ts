/**
 * model: the Level, how far a backup was proven. Apart from the manifest's schema, so that naming the levels costs nothing.
 */
export const levels = ['checksum', 'archive', 'restore'] as const;
export type Level = (typeof levels)[number];
/** The greater, the more was proven; -1 for nothing. */
export const levelRank = (level: Level | null | undefined): number => (level ? levels.indexOf(level) : -1);
/** What a proof by a restore says where nothing but the server's account holds back what the database runs; the reason comes behind it. */
export const notCaged = 'the proof of a restore is not caged here: ';
/** Why a backup is doubted that failed its newest verification. */
export const failedProof = 'its newest verification failed';
