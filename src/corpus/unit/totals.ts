/**
 * Counters of a unit.
 *
 * @module
 */

/** What was read and made so far. */
export interface Totals {
  /** Lines, rows or text files that were read. */
  lines: number;
  /** Those with a text. */
  documents: number;
  /** Documents without ids besides the end token. */
  empty: number;
  /** Those without a text, which are in the quarantine. */
  bad: number;
  /** Lines of white space. */
  blank: number;
  /** Ids, end tokens included. */
  tokens: number;
  /** The greatest id, or -1. */
  maxId: number;
  /** Bytes of input that were read. */
  inputBytes: number;
}

export function noTotals(): Totals {
  return {
    lines: 0,
    documents: 0,
    empty: 0,
    bad: 0,
    blank: 0,
    tokens: 0,
    maxId: -1,
    inputBytes: 0,
  };
}

/** Adds what was counted elsewhere. */
export function addTotals(to: Totals, more: Readonly<Totals>): void {
  to.lines += more.lines;
  to.documents += more.documents;
  to.empty += more.empty;
  to.bad += more.bad;
  to.blank += more.blank;
  to.tokens += more.tokens;
  to.maxId = Math.max(to.maxId, more.maxId);
  to.inputBytes += more.inputBytes;
}
