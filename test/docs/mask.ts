/** test: what is seen once and what is seen again: the same but for ids, times, sizes, durations and versions. */
import { matches } from '../stories/story.js';

const masks: readonly (readonly [RegExp, string])[] = [
  // where the kernel permits no namespaces
  [/^ *the proof of a restore is not caged here.*\n?/gm, ''],
  // newer versions of pg_dump compress inside the archive
  [/\b(database\.dump|globals\.sql)\.(zst|gz)\b/g, '$1'],
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g, '<id>'],
  [/\b01[0-9a-f]{6}(-[0-9a-f]{4}){0,3}\b/g, '<id>'],
  [/\bage1\w+/g, 'age1<key>'],
  [/\bbat_[\w-]+/g, 'bat_<key>'],
  [/\b[0-9a-f]{16,64}\b/g, '<hash>'],
  [/\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun)\b/g, '<day>'],
  [/\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?Z?( UTC)?/g, '<time>'],
  [/\b\d{4}-\d\d-\d\d\b/g, '<date>'],
  [/\b\d\d:\d\d(:\d\d)?\b/g, '<clock>'],
  [/\b\d+(\.\d+)? ?([kMGT]?B)\b/g, '<size>'],
  [/\b\d+(\.\d+)? ?(ms|s|min|m|h|d|days|minutes|seconds|hours)\b( \d+ (s|min|h)\b)*/g, '<duration>'],
  [/\b\d+(\.\d+)? %/g, '<share>'],
  // pages that are tried at the same time share a server
  [/\b\d+ of \d+ connections/g, '<count> connections'],
  [/\b\d+ other backups? (is|are) running/g, '<count> other backups'],
  [/^(load|concurrency) +\d+/gm, '$1  <count>'],
  [/\b[0-9A-F]+\/[0-9A-F]{5,}\b/g, '<position>'],
  [/\b\d+\.\d+(\.\d+)*\b/g, '<number>'],
  [/PostgreSQL \d+/g, 'PostgreSQL <number>'],
  [/\/[\w/.-]*\/(pg_\w+|psql|zstd|gzip)\b/g, '$1'],
  [/"(duration|size)":\d+/g, '"$1":<number>'],
  [/\b(process|pid|byte) \d+/g, '$1 <number>'],
];

const masked = (text: string) => masks.reduce((words, [pattern, mark]) => words.replace(pattern, mark), text);

/** What is only said where the kernel lets nobody build a cage. */
const isLocal = (line: string) => line.startsWith('the proof of a restore is not caged here: ');

/** The lines of a terminal, ready to be compared. */
const lines = (text: string) => text.trimEnd().split('\n').filter((line) => !isLocal(line)).map((line) => masked(line).trimEnd()); // prettier-ignore

/** Whether a page shows what is seen. */
export function sameWords(shown: string, seen: string): boolean {
  const pattern = lines(shown).map((line) => (line.trim() === '...' ? '[...]' : line.replaceAll('...', '[..]')));
  return matches(pattern, lines(seen));
}
