/**
 * model: what an object that is used as a map has itself: a database may be called `constructor`.
 */
export const own = <T>(map: Readonly<Record<string, T>>, key: string): T | undefined => (Object.hasOwn(map, key) ? map[key] : undefined);
