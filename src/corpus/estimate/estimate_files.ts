/**
 * Reads files of requests, chats or texts, piece by piece, into an estimate.
 *
 * @module
 */
import { lineReason, type Tokenizer } from "../../tokenizer/mod.ts";
import { type Batch, inputFile, openPart, SourceError, STDIN } from "../sources/mod.ts";
import { KNOWN_LIMITS, type LimitSet } from "../split/limits.ts";
import { beginsAsJson, detect, type Detected } from "./detect.ts";
import type {
  Estimate,
  EstimateKind,
  EstimateOptions,
  LineEstimate,
  LinePlace,
} from "./estimate_types.ts";
import { type BadLine, Estimator } from "./estimator.ts";
import { fileKindOf } from "./file_kind.ts";
import { LineSplitter, parseLine } from "./json_lines.ts";

/** The most bytes of a line. */
const MAX_LINE = 1 << 28;

/** The memory that allows lines of {@linkcode MAX_LINE}. */
const MEMORY = 3 * MAX_LINE;

/** How to read and estimate files. */
export interface FilesOptions extends Omit<EstimateOptions, "kind" | "limits"> {
  /** What the lines are. `"auto"` decides by the first line that is a JSON object. */
  readonly kind: EstimateKind | "auto";
  /** Limits to compare with. `"auto"` takes those of the provider that the first request is for. */
  readonly limits: readonly LimitSet[] | "auto";
  /** Counts texts. */
  readonly tokenizer: Tokenizer;
  /** Where the text of a line is. */
  readonly field: string;
  /** Is called for each line that is not blank. */
  readonly onLine?: ((place: LinePlace, line: LineEstimate | BadLine) => void) | undefined;
  /** Is called after each piece. */
  readonly onPiece?: (() => Promise<void>) | undefined;
  /** Is called with the bytes of each read. */
  readonly onRead?: ((bytes: number) => void) | undefined;
  /** Is called for a file that cannot be read; the next one follows. */
  readonly onFailure: (error: Error) => void;
}

/** Estimates files; `-` is standard input. */
export async function estimateFiles(
  paths: readonly string[],
  options: FilesOptions,
): Promise<Estimate> {
  const reading = new Reading(options);
  for (const path of paths) {
    try {
      await reading.read(path);
    } catch (error) {
      if (!(error instanceof SourceError)) throw error;
      options.onFailure(error);
    }
  }
  return reading.result();
}

/** Reads one file after the other. The first piece decides what they are. */
class Reading {
  readonly #options: FilesOptions;
  #estimator: Estimator | undefined;
  /** Files without a line, before the first that has one and so decides what the lines are. */
  readonly #empty: string[] = [];
  #kind: EstimateKind = "batch";

  constructor(options: FilesOptions) {
    this.#options = options;
  }

  result(): Estimate {
    return (this.#estimator ?? this.#start({ kind: "batch", limits: undefined })).result();
  }

  async read(path: string): Promise<void> {
    const { kind, onRead, onPiece } = this.#options;
    const fileKind = fileKindOf(path, kind);
    const file = await inputFile(path, fileKind);
    const part = { file: 0, from: 0, to: file.size };
    const batches = openPart(file, part, { field: "", memory: MEMORY, onRead });
    const splitter = new LineSplitter();
    let text: WholeText | undefined;
    let isFirst = true;
    for await (const batch of batches) {
      if (isFirst) {
        const isText = isWholeText(batch, path, kind);
        this.#startFile(path, batch, isText);
        if (isText) text = new WholeText(path, this.#options.tokenizer);
        isFirst = false;
      }
      if (text !== undefined) text.add(batch);
      else if (batch.kind === "lines") this.#lines(path, batch.bytes, splitter);
      else if (batch.kind === "long-line") this.#long(path, batch.length, splitter);
      await onPiece?.();
    }
    if (isFirst) this.#startEmpty(path);
    if (text !== undefined) this.#text(path, text);
  }

  #startEmpty(path: string): void {
    if (this.#estimator === undefined) this.#empty.push(path);
    else this.#estimator.startFile(path);
  }

  #startFile(path: string, batch: Batch | undefined, isText: boolean): void {
    const lines = batch?.kind === "lines" && !isText ? batch.bytes : undefined;
    const found: Detected = lines === undefined
      ? { kind: isText ? "text" : "batch", limits: undefined }
      : detect(lines);
    const estimator = this.#estimator ?? this.#start(found);
    if (isText && this.#kind !== "text") {
      throw new SourceError(`${path}: is a text, and the files before are not`);
    }
    estimator.startFile(path);
  }

  #start(found: Detected): Estimator {
    const { kind, limits } = this.#options;
    this.#kind = kind === "auto" ? found.kind : kind;
    const known = this.#kind === "batch" ? found.limits : undefined;
    const estimator = new Estimator({
      ...this.#options,
      kind: this.#kind,
      limits: limits === "auto" ? KNOWN_LIMITS.filter(({ name }) => name === known) : limits,
    });
    for (const path of this.#empty) estimator.startFile(path);
    return this.#estimator = estimator;
  }

  #lines(path: string, bytes: Uint8Array, splitter: LineSplitter): void {
    if (this.#kind === "text") {
      this.#textLines(path, bytes, splitter);
      return;
    }
    const estimator = this.#estimator!;
    for (const line of splitter.lines(bytes)) {
      const parsed = parseLine(line);
      const { length } = line.bytes;
      if (parsed === undefined) {
        estimator.addBlank(length);
        continue;
      }
      const added = "value" in parsed
        ? estimator.addObject(parsed.value, length)
        : estimator.addBad(parsed.error, length);
      this.#options.onLine?.({ path, line: line.number }, added);
    }
  }

  /** Texts are counted in one call. */
  #textLines(path: string, bytes: Uint8Array, splitter: LineSplitter): void {
    const { tokenizer, field, onLine } = this.#options;
    const { lines, starts, reasons, counts, consumed } = tokenizer.countLines(bytes, { field });
    const estimator = this.#estimator!;
    const first = splitter.skip(lines);
    for (let i = 0; i < lines; i++) {
      const length = (i + 1 < lines ? starts[i + 1]! : consumed) - starts[i]!;
      const reason = lineReason(reasons[i]!);
      if (reason === "blank") {
        estimator.addBlank(length);
        continue;
      }
      const added = reason === "ok"
        ? estimator.addText(counts[i]!, length, tokenizer.exact)
        : estimator.addBad(reason, length);
      onLine?.({ path, line: first + i }, added);
    }
  }

  #long(path: string, length: number, splitter: LineSplitter): void {
    const line = splitter.skip(1);
    const bad = this.#estimator!.addBad(`longer than ${MAX_LINE >> 20} MiB`, length + 1);
    this.#options.onLine?.({ path, line }, bad);
  }

  #text(path: string, text: WholeText): void {
    const { tokenizer, onLine } = this.#options;
    const added = this.#estimator!.addText(text.end(), text.bytes, tokenizer.exact);
    onLine?.({ path, line: 1 }, added);
  }
}

/** Counts a file that is one text. */
class WholeText {
  readonly #path: string;
  readonly #counter;
  readonly #decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  #bytes = 0;

  constructor(path: string, tokenizer: Tokenizer) {
    this.#path = path;
    this.#counter = tokenizer.counter();
  }

  get bytes(): number {
    return this.#bytes;
  }

  add(batch: Batch): void {
    if (batch.kind !== "lines" && batch.kind !== "text") {
      throw new SourceError(`${this.#path}: has a line of more than ${MAX_LINE >> 20} MiB`);
    }
    // The reader of lines removes a byte order mark, which is text here.
    if (this.#bytes === 0 && batch.offset === 3) this.#push(new Uint8Array([0xef, 0xbb, 0xbf]));
    this.#push(batch.bytes);
  }

  end(): number {
    using counter = this.#counter;
    counter.push(this.#decode());
    return counter.count;
  }

  #push(bytes: Uint8Array): void {
    this.#bytes += bytes.length;
    this.#counter.push(this.#decode(bytes));
  }

  #decode(bytes?: Uint8Array): string {
    try {
      return this.#decoder.decode(bytes, { stream: bytes !== undefined });
    } catch (error) {
      this.#counter.close();
      throw new SourceError(`${this.#path}: not valid UTF-8`, { cause: error });
    }
  }
}

/** Whether a file is one text. Standard input has no name that says so. */
function isWholeText(batch: Batch, path: string, kind: EstimateKind | "auto"): boolean {
  if (batch.kind === "text") return true;
  const canBeText = path === STDIN && (kind === "auto" || kind === "text");
  return canBeText && batch.kind === "lines" && !beginsAsJson(batch.bytes);
}
