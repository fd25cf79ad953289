/**
 * Splits a file of JSON Lines into files under limits, by next-fit packing. The lines and their order stay as they are.
 *
 * @module
 */
import type { Tokenizer } from "../../tokenizer/mod.ts";
import { fileKindOf } from "../estimate/file_kind.ts";
import type { IdsEstimate, LinePlace } from "../estimate/estimate_types.ts";
import { First } from "../estimate/first.ts";
import { IdCheck } from "../estimate/id_check.ts";
import { type JsonObject, LineSplitter, parseLine, type RawLine } from "../estimate/json_lines.ts";
import { sizeOfRequest } from "../estimate/request_size.ts";
import { requestOf } from "../estimate/request_line.ts";
import { inputFile, openPart, SourceError } from "../sources/mod.ts";
import { describeLimit, type Limit, type LineSize } from "./limits.ts";
import { Packer } from "./packer.ts";
import { PartFiles } from "./part_files.ts";

/** The most bytes of a line. */
const MAX_LINE = 1 << 28;

/** How to split. */
export interface SplitOptions {
  /** All of them hold for each part. */
  readonly limits: readonly Limit[];
  /** What identifiers must match. */
  readonly customIds: readonly RegExp[];
  /** The model to count for, instead of those of the requests. */
  readonly model: string | undefined;
  /** Counts texts, and requests whose model is unknown. */
  readonly tokenizer: Tokenizer;
  readonly onRead?: ((bytes: number) => void) | undefined;
}

/** A part that was written. */
export interface SplitPart {
  readonly name: string;
  readonly lines: number;
  readonly requests: number;
  readonly bytes: number;
  readonly tokens: number;
  /** How many models its requests name. The order decides about them. */
  readonly models: number;
}

/** What was written, or why nothing was. */
export interface Split {
  /** Empty if a line is too large. */
  readonly parts: readonly SplitPart[];
  /** Lines that exceed a limit alone. */
  readonly tooLarge: number;
  readonly firstTooLarge: readonly (LinePlace & { readonly limit: string })[];
  /** Lines that are no requests and no texts. They are in the parts, where they were. */
  readonly bad: number;
  readonly firstBad: readonly (LinePlace & { readonly error: string })[];
  readonly ids: IdsEstimate;
}

/**
 * Splits the file `path` into `folder/stem-NNNNN-of-NNNNN.jsonl`. Joined, the parts are the file, byte for byte. If a
 * line exceeds a limit alone, nothing is written.
 *
 * @throws {SourceError} If the file cannot be read.
 * @throws {NameTaken} If the folder has such parts.
 */
export async function splitFile(
  path: string,
  folder: string,
  stem: string,
  options: SplitOptions,
): Promise<Split> {
  const file = await inputFile(path, fileKindOf(path, "batch"));
  const part = { file: 0, from: 0, to: file.size };
  const reading = { field: "", memory: 3 * MAX_LINE, onRead: options.onRead };
  using files = new PartFiles(folder, stem, ".jsonl");
  const splitting = new Splitting(path, files, options);
  for await (const batch of openPart(file, part, reading)) {
    if (batch.kind !== "lines") {
      throw new SourceError(`${path}: has a line of more than ${MAX_LINE >> 20} MiB`);
    }
    splitting.add(batch.bytes, batch.offset);
  }
  return splitting.result();
}

const MARK = new Uint8Array([0xef, 0xbb, 0xbf]);

type PartCounts = { -readonly [name in Exclude<keyof SplitPart, "name">]: number };

interface SizeOfModel extends LineSize {
  readonly model?: string | undefined;
}

class Splitting {
  readonly #path: string;
  readonly #files: PartFiles;
  readonly #options: SplitOptions;
  readonly #packer: Packer;
  readonly #splitter = new LineSplitter();
  readonly #parts: PartCounts[] = [];
  /** The models of the last part. */
  readonly #models = new Set<string>();
  readonly #tooLarge = new First<LinePlace & { limit: string }>();
  readonly #bad = new First<LinePlace & { error: string }>();
  readonly #ids: IdCheck;

  constructor(path: string, files: PartFiles, options: SplitOptions) {
    this.#path = path;
    this.#files = files;
    this.#options = options;
    this.#packer = new Packer(options.limits);
    this.#ids = new IdCheck(options.customIds);
  }

  add(piece: Uint8Array, offset: number): void {
    // The reader removes a byte order mark. The first part gets it back.
    let mark = this.#parts.length === 0 && offset === MARK.length ? MARK.length : 0;
    for (const line of this.#splitter.lines(piece)) {
      const size = this.#sizeOf(line, line.bytes.length + mark);
      const { isFirst, exceeded } = this.#packer.add(size);
      if (exceeded !== undefined) {
        const limit = describeLimit(exceeded);
        this.#tooLarge.add({ path: this.#path, line: line.number, limit });
      }
      // What follows is only examined.
      if (this.#tooLarge.count > 0) continue;
      if (isFirst) {
        this.#files.next();
        this.#parts.push({ lines: 0, requests: 0, bytes: 0, tokens: 0, models: 0 });
        this.#models.clear();
      }
      if (mark > 0) this.#files.write(MARK);
      mark = 0;
      this.#files.write(line.bytes);
      const part = this.#parts.at(-1)!;
      part.lines++;
      part.requests += size.requests;
      part.bytes += size.bytes;
      part.tokens += size.tokens;
      if (size.model !== undefined) this.#models.add(size.model);
      part.models = this.#models.size;
    }
  }

  result(): Split {
    const names = this.#tooLarge.count === 0 ? this.#files.commit() : [];
    return {
      parts: names.map((name, i) => ({ name, ...this.#parts[i]! })),
      tooLarge: this.#tooLarge.count,
      firstTooLarge: this.#tooLarge.kept,
      bad: this.#bad.count,
      firstBad: this.#bad.kept,
      ids: this.#ids.result(),
    };
  }

  #sizeOf(line: RawLine, bytes: number): SizeOfModel {
    const nothing = { requests: 0, bytes, tokens: 0, inputs: 0, inputBytes: 0 };
    const parsed = parseLine(line);
    if (parsed === undefined) return nothing;
    if ("value" in parsed) {
      const size = this.#sizeOfObject(parsed.value, line, bytes);
      if (size !== undefined) return size;
    }
    const error = "error" in parsed ? parsed.error : "no request and no text";
    this.#bad.add({ path: this.#path, line: line.number, error });
    return { ...nothing, requests: 1 };
  }

  #sizeOfObject(value: JsonObject, line: RawLine, bytes: number): SizeOfModel | undefined {
    const { model, tokenizer } = this.#options;
    const request = requestOf(value);
    if (request !== undefined) {
      // A line that is itself a request, as in a file to train with, has no identifier.
      if (request.body !== value) {
        this.#ids.add(request.id, { path: this.#path, line: line.number });
      }
      return sizeOfRequest(request, value, bytes, model, tokenizer.encoding);
    }
    const { text } = value;
    if (typeof text !== "string") return undefined;
    return { requests: 1, bytes, tokens: tokenizer.count(text), inputs: 0, inputBytes: 0 };
  }
}
