/**
 * Splits of JSON Lines that need no index: a part has the lines that begin in its range of bytes, as Hadoop's text
 * input has. The reader skips to the first line that begins in the range, and reads the last one beyond its end.
 *
 * @module
 */
import { lineBatches, lineLimit } from "./line_batches.ts";
import { OpenFile } from "./open_file.ts";
import { isWhole, streamOf } from "./streams.ts";
import type { InputFile, LineBatch, LongLine, Part, ReadOptions, SizedPart } from "./source.ts";

/** The parts of a file: ranges of `unitBytes`. The file is not read. */
export function jsonlParts(file: InputFile, index: number, unitBytes: number): SizedPart[] {
  const parts: SizedPart[] = [];
  for (let from = 0; from < file.size || parts.length === 0; from += unitBytes) {
    const to = Math.min(from + unitBytes, file.size);
    parts.push({ part: { file: index, from, to }, bytes: to - from });
  }
  return parts;
}

/** The lines that begin in a part. */
export async function* readJsonl(
  file: InputFile,
  part: Part,
  options: ReadOptions,
): AsyncGenerator<LineBatch | LongLine> {
  const { from, to } = isWhole(file) ? { from: 0, to: Infinity } : part;
  const opened = await OpenFile.open(file, options.signal);
  try {
    yield* lineBatches(streamOf(opened, part, options), {
      offset: Math.max(from - 1, 0),
      skipsFirst: from > 0,
      to,
      limit: lineLimit(options.memory),
    });
    opened.checkUnchanged();
  } finally {
    opened.close();
  }
}
