/**
 * The work on a unit: read, encode, write under temporary names, commit.
 *
 * @module
 */
import fs from "node:fs";
import path from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import type { LineReason } from "../../tokenizer/line_types.ts";
import { Tokenizer } from "../../tokenizer/tokenizer.ts";
import { type Block, formatOf, type FormatOptions, type FormatWriter } from "../formats/mod.ts";
import { writing } from "../output_error.ts";
import type { Commit, Plan, PlanOptions } from "../plan/plan_types.ts";
import { VOCABULARIES } from "../plan/vocabularies.ts";
import { openPart } from "../sources/mod.ts";
import type { Batch, InputFile, Part, TextBatch } from "../sources/source.ts";
import { BatchEncoder } from "./batch_encoder.ts";
import { writeCommit } from "./commit.ts";
import { linesBefore } from "./line_numbers.ts";
import { shardName, temporaryName } from "./names.ts";
import { type BadLine, Quarantine } from "./quarantine.ts";
import { BadText, encodeText } from "./text_encoder.ts";
import { noTotals, type Totals } from "./totals.ts";

/** After this many milliseconds of work other tasks of the thread get a turn. */
const TURN_MS = 50;

/** How a unit is worked on. Nothing of it changes what is written. */
export interface WorkOptions {
  /** Is called between batches with what was read and made so far. May throw to end the work. */
  readonly onProgress?: ((totals: Readonly<Totals>) => void) | undefined;
  /** Is called with each line that has no document. May throw to end the work. */
  readonly onBadLine?: ((line: BadLine) => void) | undefined;
  /** Ends the work when it aborts. Nothing of the unit is left. */
  readonly signal?: AbortSignal | undefined;
}

/** What all units of a plan are done with. */
export class Workshop implements Disposable {
  readonly out: string;
  readonly plan: Plan;
  readonly #tokenizer: Tokenizer;

  constructor(out: string, plan: Plan) {
    this.out = out;
    this.plan = plan;
    const { encoding, special } = plan.options;
    this.#tokenizer = new Tokenizer(encoding, { special });
  }

  /**
   * Does a unit and commits it. If it fails, nothing of it is left.
   *
   * @throws {SourceError} If an input cannot be read or has changed.
   * @throws {OutputError} If the folder cannot be written.
   */
  async do(unit: number, options: WorkOptions = {}): Promise<Commit> {
    const badTexts = new Map<Part, LineReason>();
    for (;;) {
      const attempt = new Attempt(this, this.#tokenizer, unit, badTexts, options);
      try {
        return await attempt.run();
      } catch (error) {
        await attempt.abort();
        if (!(error instanceof BadText) || attempt.part === undefined) throw error;
        badTexts.set(attempt.part, error.reason);
      }
    }
  }

  [Symbol.dispose](): void {
    this.#tokenizer.close();
  }
}

/** The bookkeeping of one attempt at a unit. */
class Attempt {
  /** What is being read. */
  part: Part | undefined;
  readonly #workshop: Workshop;
  readonly #tokenizer: Tokenizer;
  readonly #unit: number;
  readonly #badTexts: ReadonlyMap<Part, LineReason>;
  readonly #options: WorkOptions;
  readonly #totals: Totals = noTotals();
  readonly #name: string;
  readonly #temporary: (suffix: string) => string;
  readonly #quarantine: Quarantine;
  #writer: FormatWriter | undefined;
  #turnAt = 0;

  constructor(
    workshop: Workshop,
    tokenizer: Tokenizer,
    unit: number,
    badTexts: ReadonlyMap<Part, LineReason>,
    options: WorkOptions,
  ) {
    const { out, plan: { units } } = workshop;
    this.#workshop = workshop;
    this.#tokenizer = tokenizer;
    this.#unit = unit;
    this.#badTexts = badTexts;
    this.#options = options;
    this.#name = shardName(unit, units.length);
    this.#temporary = temporaryName(this.#name);
    this.#quarantine = new Quarantine(out, this.#name, this.#temporary);
  }

  async run(): Promise<Commit> {
    const { plan: { options, units } } = this.#workshop;
    const format = formatOf(options.format);
    this.#writer = await writing(() =>
      format.open((suffix) => this.#temporaryPath(suffix), formatOptions(options))
    );
    const encoder = new BatchEncoder(this.#tokenizer, options, this.#totals);
    for (const part of units[this.#unit]!.parts) {
      this.part = part;
      await this.#read(part, encoder);
    }
    this.part = undefined;
    return await this.#commit();
  }

  /** Deletes what was written. */
  async abort(): Promise<void> {
    const { options } = this.#workshop.plan;
    const remove = (suffix: string) => fs.rmSync(this.#temporaryPath(suffix), { force: true });
    const steps = [
      () => this.#writer?.abort(),
      () => this.#quarantine.abort(),
      ...formatOf(options.format).suffixes.map((suffix) => () => remove(suffix)),
    ];
    for (const step of steps) {
      try {
        await step();
      } catch {
        // What failed first is what is told.
      }
    }
  }

  async #read(part: Part, encoder: BatchEncoder): Promise<void> {
    const { plan } = this.#workshop;
    const { options } = plan;
    const file = plan.files[part.file]!;
    const badText = this.#badTexts.get(part);
    if (badText !== undefined) return this.#skipText(file, badText);
    const batches = openPart(file, part, {
      field: options.field,
      ...options.idField === null ? {} : { idField: options.idField },
      memory: options.memory,
      onRead: (bytes) => this.#totals.inputBytes += bytes,
      ...this.#options.signal === undefined ? {} : { signal: this.#options.signal },
    });
    if (file.kind.startsWith("text")) {
      const name = options.idField === null ? undefined : file.path;
      const texts = batches as AsyncIterable<TextBatch>;
      await this.#readText(file, encodeText(texts, name, this.#tokenizer, options, this.#totals));
      return;
    }
    await this.#readLines(file, batches, encoder);
  }

  /** Reads a text. A unit can have thousands, so it is not begun again for one of which nothing is written. */
  async #readText(file: InputFile, blocks: AsyncIterable<Block>): Promise<void> {
    const { inputBytes } = this.#totals;
    let isWritten = false;
    try {
      for await (const block of blocks) {
        isWritten = true;
        await this.#write(block);
      }
    } catch (error) {
      if (!(error instanceof BadText) || isWritten) throw error;
      this.#totals.inputBytes = inputBytes;
      await this.#skipText(file, error.reason);
      await this.#pause();
    }
  }

  /** Reads lines or rows. */
  async #readLines(
    file: InputFile,
    batches: AsyncIterable<Batch>,
    encoder: BatchEncoder,
  ): Promise<void> {
    const { path: name } = file;
    let first: number | undefined;
    let offset = -1;
    const linesAtStart = this.#totals.lines;
    for await (const batch of batches) {
      const before = this.#totals.lines - linesAtStart;
      if (offset < 0 && batch.kind !== "column") offset = batch.offset;
      /** Where the part begins in the file is only looked up for a line that is bad. */
      const lineNumber = async (index: number) =>
        (first ??= await linesBefore(file, offset)) + before + index + 1;
      switch (batch.kind) {
        case "lines": {
          const { block, bad } = encoder.lines(batch);
          for (const { index, start, reason, raw } of bad) {
            const line = await lineNumber(index);
            const byte = batch.offset + start;
            await this.#keepBad({ file: name, line, byte, reason }, raw);
          }
          await this.#write(block);
          break;
        }
        case "column": {
          const { block, bad } = encoder.rows(batch);
          for (const { index, reason, raw } of bad) {
            await this.#keepBad({ file: name, row: batch.firstRow + index, reason }, raw);
          }
          await this.#write(block);
          break;
        }
        case "long-line": {
          this.#totals.lines++;
          this.#totals.bad++;
          const line = await lineNumber(0);
          const byte = batch.offset;
          const reason = "too-long";
          await this.#keepBad({ file: name, line, byte, reason }, batch.head, batch.length);
          await this.#pause();
          break;
        }
        case "text":
          throw new Error(`${name} is text`);
      }
    }
  }

  async #skipText({ path: file, size }: InputFile, reason: LineReason): Promise<void> {
    const line: BadLine = { file, line: 1, byte: 0, reason };
    this.#totals.lines++;
    this.#totals.bad++;
    this.#totals.inputBytes += size;
    await this.#keepBad(line, undefined);
  }

  async #keepBad(line: BadLine, raw: Uint8Array | undefined, length?: number): Promise<void> {
    await writing(() => this.#quarantine.add(line, raw, length));
    this.#options.onBadLine?.(line);
  }

  async #write(block: Block): Promise<void> {
    await writing(() => this.#writer!.write(block));
    await this.#pause();
  }

  /** Lets signals, timers and messages in. */
  async #pause(): Promise<void> {
    this.#options.signal?.throwIfAborted();
    this.#options.onProgress?.(this.#totals);
    const now = performance.now();
    if (now < this.#turnAt) return;
    await turn();
    this.#turnAt = now + TURN_MS;
  }

  async #commit(): Promise<Commit> {
    const { out, plan } = this.#workshop;
    const written = await writing(() => this.#writer!.finish());
    const bad = await writing(() => this.#quarantine.finish());
    const files = written.map(({ suffix, bytes, sha256 }) => ({
      name: this.#name + suffix,
      bytes,
      sha256,
    }));
    const commit: Commit = {
      unit: this.#unit,
      ...this.#totals,
      files: bad === undefined ? files : [...files, bad.file],
    };
    this.#options.onProgress?.(this.#totals);
    this.#options.signal?.throwIfAborted();
    await writing(() => {
      for (const suffix of formatOf(plan.options.format).suffixes) {
        fs.renameSync(this.#temporaryPath(suffix), path.join(out, this.#name + suffix));
      }
      bad?.rename();
      writeCommit(out, plan, commit);
    });
    return commit;
  }

  #temporaryPath(suffix: string): string {
    return path.join(this.#workshop.out, this.#temporary(suffix));
  }
}

/** What a format must know of a plan. */
export function formatOptions({ encoding, dtype, eos, pack, idField }: PlanOptions): FormatOptions {
  return {
    dtype,
    eos: eos?.id,
    vocabularySize: VOCABULARIES[encoding].size,
    pack,
    names: idField !== null,
  };
}
