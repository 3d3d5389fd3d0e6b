/**
 * model: all that is kept of a ledger by whoever is asked about it again and again. Pure, and its state is JSON, so that it can be remembered.
 */
import { digest, emptyDigest, type Digest } from '../metrics/digest.js';
import { emptyTally, tally, type Tally } from '../metrics/tally.js';
import { auditLine, type AuditLine } from '../events/audit.js';
import { bookmark, emptyBookmarks, type Bookmarks } from '../events/bookmarks.js';
import { emptyFigures, FiguresFold, type FiguresState } from './figures.js';
import { groupings } from './grouping.js';
import { emptyRecent, recent, type Recent } from '../overview/recent.js';
import type { LedgerLine } from '../roles/ledger.js';

export interface Folded {
  readonly digest: Digest;
  readonly tally: Tally;
  readonly figures: FiguresState;
  readonly bookmarks: Bookmarks;
  readonly recent: Recent;
  /** The newest deeds, the oldest of them first. */
  audit: AuditLine[];
}

const mostDeeds = 500;

const emptyFolded = (): Folded => ({
  digest: emptyDigest(),
  tally: emptyTally(),
  figures: emptyFigures(),
  bookmarks: emptyBookmarks(),
  recent: emptyRecent(),
  audit: [],
});

/** Takes the lines of a ledger, oldest first. */
export class LedgerFold {
  readonly state: Folded;
  readonly figures: FiguresFold;

  constructor(state = emptyFolded()) {
    this.state = state;
    this.figures = new FiguresFold({ by: groupings }, state.figures);
  }

  take(line: LedgerLine): void {
    const { state } = this;
    digest(state.digest, line);
    tally(state.tally, line.record);
    bookmark(state.bookmarks, line);
    recent(state.recent, line.record);
    this.figures.take(line.record);
    const deed = auditLine(line.record);
    if (deed) state.audit.push(deed);
    if (state.audit.length >= 2 * mostDeeds) state.audit = state.audit.slice(-mostDeeds);
  }
}
