/**
 * system: follows the ledger's hash chain from the first line to the last, in constant memory. Reports; repairs nothing.
 */
import { closeSync, constants } from 'node:fs';
import type { LedgerRecord } from '../../model/events/ledger.js';
import type { ChainProblem, ChainReport } from '../../model/roles/ledger.js';
import { decodeLine, hashLine, noLine, parseLine, salvage } from './line.js';
import { forwardsIn, missingBefore, type Taking } from './read.js';
import { openSegment, segmentsOf } from './segments.js';

/** A line as the chain sees it. */
interface Link {
  readonly offset: number;
  /** What the next line may name as the one before. */
  readonly hashes: readonly string[];
  readonly records: readonly LedgerRecord[];
  readonly flaw: 'damaged' | 'torn' | null;
}

function linkOf(bytes: Buffer, start: number, end: number, offset: number, flaw: 'damaged' | 'torn'): Link {
  const whole = hashLine(bytes.subarray(start, end));
  const record = decodeLine(bytes, start, end);
  if (record) return { offset, hashes: [whole], records: [record], flaw: null };
  const pieces = salvage(bytes, start, end);
  // the line after two that were glued together names the second one
  const last = pieces.at(-1);
  const hashes = last ? [whole, hashLine(bytes.subarray(last.start, last.end))] : [whole];
  return { offset, hashes, records: pieces.flatMap((piece) => parseLine(piece.text) ?? []), flaw };
}

const links = (newest: boolean): Taking<Link> => ({
  line: (bytes, start, end, offset) => [linkOf(bytes, start, end, offset, 'damaged')],
  tail: (bytes, start, end, offset) => [linkOf(bytes, start, end, offset, newest ? 'torn' : 'damaged')],
  tooLong: (offset) => [{ offset, hashes: [], records: [], flaw: 'damaged' }],
});

const isUnlocked = ({ records }: Link): boolean => records.some(({ nolock }) => nolock === true);

/** How far back a line may be joined that was written beside one without the lock. */
const longestFork = 64;
const mostProblems = 100;

/** The last links, and what was found so far. */
class Chain {
  readonly problems: ChainProblem[] = [];
  readonly counts: Record<ChainProblem['problem'], number> = { damaged: 0, torn: 0, broken: 0, gap: 0 };
  lines = 0;
  nolock = 0;
  private recent: Link[] = [];

  report(problem: ChainProblem): void {
    this.counts[problem.problem] += 1;
    if (this.problems.length < mostProblems) this.problems.push(problem);
  }

  /** What comes next cannot be joined to what was before. */
  loosen(): void {
    this.recent = [{ offset: 0, hashes: [], records: [], flaw: 'damaged' }];
  }

  add(path: string, link: Link): void {
    const { offset, flaw, records } = link;
    this.lines += Math.max(1, records.length);
    if (isUnlocked(link)) this.nolock += 1;
    const [first] = records;
    if (flaw === 'torn') this.report({ path, offset, problem: 'torn', detail: 'the last line is not whole' });
    else if (flaw) this.report({ path, offset, problem: 'damaged', detail: 'the line is not as it was written' });
    else if (first && !this.isJoined(link, first.prev))
      this.report({ path, offset, problem: 'broken', detail: 'lines before it were changed, removed or inserted' });
    this.recent.push(link);
    if (this.recent.length > longestFork) this.recent.shift();
  }

  /** To the line before, or, beside a line that was written without the lock, to one shortly before it. */
  private isJoined(link: Link, prev: string): boolean {
    const before = this.recent.at(-1);
    if (!before) return prev === noLine;
    // a line that is not as it was written is one finding, not two
    if (before.flaw === 'damaged' || before.hashes.includes(prev)) return true;
    const joint = this.recent.findLastIndex(({ hashes }) => hashes.includes(prev));
    return joint >= 0 && [link, ...this.recent.slice(joint + 1)].some(isUnlocked);
  }
}

/** The whole chain. Throws a Failure `ledger` when a file cannot be read at all. */
export function verifyChain(stateDirectory: string): ChainReport {
  const segments = segmentsOf(stateDirectory);
  const chain = new Chain();
  for (const [index, segment] of segments.entries()) {
    const missing = missingBefore(segments, index);
    if (missing > 0) {
      chain.report({
        path: segment.path,
        offset: 0,
        problem: 'gap',
        detail: `${missing} segment${missing > 1 ? 's' : ''} before it missing`,
      });
      chain.loosen();
    }
    const file = openSegment(segment, constants.O_RDONLY);
    try {
      for (const batch of forwardsIn(file, 0, links(index === segments.length - 1)))
        for (const link of batch) chain.add(segment.path, link);
    } finally {
      closeSync(file.fd);
    }
  }
  const { lines, counts, problems, nolock } = chain;
  return { segments: segments.length, lines, counts, problems, nolock };
}
