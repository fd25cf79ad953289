/**
 * Texts that are whole files, read in pieces of fixed length.
 *
 * @module
 */
import { DoubleBuffer } from "./byte_source.ts";
import { OpenFile } from "./open_file.ts";
import type { InputFile, Part, ReadOptions, SizedPart, TextBatch } from "./source.ts";
import { isWhole, streamOf } from "./streams.ts";

/** A file that is one part. */
export function wholePart(file: InputFile, index: number): SizedPart {
  return { part: { file: index, from: 0, to: file.size }, bytes: file.size };
}

/** The text of a file. A byte order mark is text, as everywhere. */
export async function* readText(
  file: InputFile,
  part: Part,
  options: ReadOptions,
): AsyncGenerator<TextBatch> {
  const end = isWhole(file) ? Infinity : file.size;
  const opened = await OpenFile.open(file, options.signal);
  const buffers = new DoubleBuffer(streamOf(opened, part, options), 0);
  try {
    buffers.start();
    for (let offset = 0;;) {
      const { buffer, start, end: filled } = await buffers.next();
      const bytes = buffer.subarray(start, filled);
      // Where the length is not known, an empty piece is the last.
      const isLast = bytes.length === 0 || offset + bytes.length === end;
      if (isLast) opened.checkUnchanged();
      else buffers.start();
      yield { kind: "text", bytes, offset, isLast };
      if (isLast) return;
      offset += bytes.length;
    }
  } finally {
    await buffers.close();
    opened.close();
  }
}
