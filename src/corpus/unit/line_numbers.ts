/**
 * Line numbers in a file of which only a range is read: the line feeds before the range are counted when a number is
 * needed, once.
 *
 * @module
 */
import fs from "node:fs";
import { isWhole } from "../sources/streams.ts";
import { type InputFile, SourceError } from "../sources/source.ts";

const LINE_FEED = 0x0a;
const PIECE_BYTES = 1 << 20;
/** Files of which counts are kept. */
const MOST_FILES = 64;

interface Counted {
  readonly offset: number;
  readonly feeds: number;
}

/** The last count of each file, by path and time. Units are worked on in order, so the next is behind it. */
const counts = new Map<string, Counted>();

/** How many lines of `file` are before `offset`, at which one begins. O(offset), less what was counted before. */
export async function linesBefore(file: InputFile, offset: number): Promise<number> {
  // What can only be read as a whole is read from its first line, which a byte order mark may be before.
  if (offset === 0 || file.kind !== "jsonl" || isWhole(file)) return 0;
  const key = JSON.stringify([file.path, file.size, file.mtime]);
  const known = counts.get(key);
  const from = known !== undefined && known.offset <= offset ? known : { offset: 0, feeds: 0 };
  const feeds = from.feeds + await countFeeds(file, from.offset, offset);
  if (counts.size >= MOST_FILES) counts.delete(counts.keys().next().value!);
  counts.set(key, { offset, feeds });
  return feeds;
}

async function countFeeds({ path }: InputFile, from: number, to: number): Promise<number> {
  let feeds = 0;
  try {
    const file = await fs.promises.open(path);
    try {
      const piece = new Uint8Array(PIECE_BYTES);
      for (let at = from; at < to;) {
        const { bytesRead } = await file.read(piece, 0, Math.min(piece.length, to - at), at);
        if (bytesRead === 0) break;
        feeds += feedsIn(piece.subarray(0, bytesRead));
        at += bytesRead;
      }
    } finally {
      await file.close();
    }
  } catch (error) {
    throw new SourceError(`${path}: ${(error as Error).message}`, { cause: error });
  }
  return feeds;
}

function feedsIn(bytes: Uint8Array): number {
  let feeds = 0;
  for (let at = bytes.indexOf(LINE_FEED); at >= 0; at = bytes.indexOf(LINE_FEED, at + 1)) feeds++;
  return feeds;
}
