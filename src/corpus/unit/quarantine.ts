/**
 * The quarantine of a unit: a file of JSON Lines with each line that has no document, where it is, and why.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import fs from "node:fs";
import path from "node:path";
import type { LineReason } from "../../tokenizer/line_types.ts";
import { makeFolder } from "../durable.ts";
import { HashedFile } from "../formats/mod.ts";
import type { ShardFile } from "../plan/plan_types.ts";
import { BAD_FOLDER, badPath } from "./names.ts";

/** The most bytes of a line that are kept. */
const MOST_RAW = 1 << 16;

/** A line, row or file without a document. */
export interface BadLine {
  /** The path of the input, as in the plan. */
  readonly file: string;
  /** The number of the line in the file, counted from 1. A text file is one line. */
  readonly line?: number;
  /** The offset of its first byte in the file, or in what a compressed file decompresses to. */
  readonly byte?: number;
  /** The number of a row in a Parquet file, counted from 0. */
  readonly row?: number;
  /** Why it has no document. */
  readonly reason: LineReason;
}

/** Writes the file under a temporary name. Nothing is written until a line is bad. */
export class Quarantine {
  readonly #out: string;
  readonly #name: string;
  readonly #temporary: string;
  #file: HashedFile | undefined;
  /** Records that are not written yet: a buffer for each of millions takes memory. */
  #text = "";

  /** @param name The name of the shard. */
  constructor(out: string, name: string, temporary: (suffix: string) => string) {
    this.#out = out;
    this.#name = name;
    this.#temporary = path.join(out, BAD_FOLDER, temporary(".jsonl"));
  }

  /** @param length The length of the line, if `raw` is only its beginning. */
  add(line: BadLine, raw: Uint8Array | undefined, length: number = raw?.length ?? 0): void {
    if (this.#file === undefined) {
      makeFolder(path.dirname(this.#temporary));
      this.#file = new HashedFile(this.#temporary);
    }
    this.#text += `${JSON.stringify({ ...line, ...content(raw, length) })}\n`;
    if (this.#text.length >= MOST_RAW) this.#flush();
  }

  /** Completes the temporary file and returns what is renamed; undefined if no line is bad. */
  async finish(): Promise<{ readonly file: ShardFile; rename(): void } | undefined> {
    if (this.#file === undefined) return undefined;
    this.#flush();
    const sum = await this.#file.finish();
    return {
      file: { name: `${BAD_FOLDER}/${this.#name}.jsonl`, ...sum },
      rename: () => fs.renameSync(this.#temporary, badPath(this.#out, this.#name)),
    };
  }

  /** Deletes the temporary file. */
  abort(): void {
    this.#file?.close();
    fs.rmSync(this.#temporary, { force: true });
  }

  #flush(): void {
    this.#file!.write(Buffer.from(this.#text));
    this.#text = "";
  }
}

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The line as text, or in base64 if it is not UTF-8. */
function content(raw: Uint8Array | undefined, length: number): object {
  if (raw === undefined) return {};
  const isCut = length > MOST_RAW || length > raw.length;
  const kept = isCut ? raw.subarray(0, MOST_RAW) : raw;
  const whole = isCut ? { bytes: length } : {};
  try {
    return { raw: strict.decode(isCut ? wholeCharacters(kept) : kept), ...whole };
  } catch {
    return { base64: Buffer.from(kept).toString("base64"), ...whole };
  }
}

/** Without the character at the end that the cut divides. */
function wholeCharacters(bytes: Uint8Array): Uint8Array {
  for (let back = 1; back <= 3 && back <= bytes.length; back++) {
    const byte = bytes[bytes.length - back]!;
    if (byte < 0x80) break;
    if (byte < 0xc0) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
    return length > back ? bytes.subarray(0, bytes.length - back) : bytes;
  }
  return bytes;
}
