/**
 * The files of the corpus in `.build/corpus`: JSON Lines plain and compressed, Parquet, the texts alone for the engine, and a
 * batch file.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { closeSync, createReadStream, createWriteStream, openSync, writeSync } from "node:fs";
import { mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { createGzip, createZstdCompress } from "node:zlib";
import { runtimeName } from "../machine.ts";
import { writeParquet } from "./peers.ts";
import { type Document, documents } from "./texts.ts";

const FOLDER = fileURLToPath(new URL("../../.build/corpus/", import.meta.url));
/** Requests of the batch file, and the UTF-16 units of each one's text. */
const REQUESTS = 50_000;
const REQUEST_UNITS = 1_800;
/** Bytes of text of the samples: the slow peers would take minutes for the whole corpus. */
const SAMPLES = { tiktoken: 65e6, tokenizers: 25e6 } as const;

/** A file with its documents. */
export interface CorpusFile {
  readonly path: string;
  readonly documents: number;
  /** UTF-8 of all texts. */
  readonly bytes: number;
}

/** Everything that is tokenized. */
export interface CorpusFiles {
  readonly plain: CorpusFile;
  /** The whole corpus or, for slow peers, its first documents. */
  readonly samples: Readonly<Record<keyof typeof SAMPLES, CorpusFile>>;
  readonly gz: string;
  readonly zst: string;
  /** Undefined in a brief run, because pyarrow writes it. */
  readonly parquet: string | undefined;
  /** The texts without JSON, and a file with the length of each. */
  readonly texts: string;
  readonly lengths: string;
  readonly batch: string;
  readonly requests: number;
  readonly kinds: readonly KindCell[];
}

/** How much of the corpus is of a kind. */
export interface KindCell {
  readonly part: "kind";
  readonly name: string;
  readonly documents: number;
  readonly bytes: number;
  /** The SHA-256 of the whole file, in the row of the sum. */
  readonly sha256?: string;
}

/** Makes all files anew. */
export async function makeFiles(brief: boolean): Promise<CorpusFiles> {
  // Brief runs of both runtimes go on at the same time.
  const folder = join(FOLDER, brief ? `brief-${runtimeName()}` : "whole");
  mkdirSync(folder, { recursive: true });
  const all = documents(brief ? "brief" : "all");
  const path = (name: string) => join(folder, name);
  const { plain, kinds } = writeLines(path("corpus.jsonl"), all);
  const texts = path("texts.txt");
  const lengths = path("lengths.txt");
  writeTexts(texts, lengths, all);
  const requests = brief ? 200 : REQUESTS;
  const batch = path("batch.jsonl");
  writeBatch(batch, all, requests);
  const gz = `${plain.path}.gz`;
  const zst = `${plain.path}.zst`;
  await compress(plain.path, gz, createGzip({ level: 6 }));
  await compress(plain.path, zst, createZstdCompress());
  const parquet = brief ? undefined : path("corpus.parquet");
  if (parquet !== undefined) writeParquet(plain.path, parquet);
  const sample = (name: keyof typeof SAMPLES) =>
    writeLines(path(`${name}.jsonl`), first(all, SAMPLES[name])).plain;
  const samples = { tiktoken: sample("tiktoken"), tokenizers: sample("tokenizers") };
  return { plain, samples, gz, zst, parquet, texts, lengths, batch, requests, kinds };
}

function first(all: readonly Document[], bytes: number): Document[] {
  let sum = 0;
  const end = all.findIndex(({ text }) => (sum += Buffer.byteLength(text)) > bytes);
  return end < 0 ? all.slice() : all.slice(0, end);
}

function writeLines(path: string, all: readonly Document[]) {
  const hash = createHash("sha256");
  const kinds = new Map<string, { documents: number; bytes: number }>();
  let sum = 0;
  write(path, function* () {
    for (const { kind, text } of all) {
      const entry = kinds.get(kind) ?? { documents: 0, bytes: 0 };
      const bytes = Buffer.byteLength(text);
      kinds.set(kind, { documents: entry.documents + 1, bytes: entry.bytes + bytes });
      sum += bytes;
      const line = `${JSON.stringify({ text })}\n`;
      hash.update(line);
      yield line;
    }
  });
  const plain: CorpusFile = { path, documents: all.length, bytes: sum };
  const cells = [...kinds].sort().map(([name, of]): KindCell => ({ part: "kind", name, ...of }));
  const sha256 = hash.digest("hex");
  cells.push({ part: "kind", name: "all", documents: all.length, bytes: sum, sha256 });
  return { plain, kinds: cells };
}

function writeTexts(texts: string, lengths: string, all: readonly Document[]): void {
  write(texts, () => all.map(({ text }) => text));
  write(lengths, () => all.map(({ text }) => `${Buffer.byteLength(text)}\n`));
}

/** Requests whose messages are pieces of the documents. */
function writeBatch(path: string, all: readonly Document[], requests: number): void {
  write(path, function* () {
    let written = 0;
    for (const { text } of all) {
      for (let at = 0; at + REQUEST_UNITS <= text.length; at += REQUEST_UNITS) {
        if (written === requests) return;
        const content = text.slice(at, at + REQUEST_UNITS).toWellFormed();
        const messages = [
          { role: "system", content: "Summarize what follows in one sentence." },
          { role: "user", content },
        ];
        const body = { model: "gpt-4o-mini", max_completion_tokens: 200, messages };
        const custom_id = `request-${written++}`;
        const line = { custom_id, method: "POST", url: "/v1/chat/completions", body };
        yield `${JSON.stringify(line)}\n`;
      }
    }
    if (written < requests) throw new Error(`only ${written} requests: the corpus is too short`);
  });
}

/** Writes texts in pieces of a few megabytes. */
function write(path: string, texts: () => Iterable<string>): void {
  const file = openSync(path, "w");
  let held: string[] = [];
  let units = 0;
  const flush = () => {
    // The whole buffer, since one call may write less.
    const bytes = Buffer.from(held.join(""));
    for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
    held = [];
    units = 0;
  };
  for (const text of texts()) {
    held.push(text);
    units += text.length;
    if (units > 2 ** 22) flush();
  }
  flush();
  closeSync(file);
}

async function compress(
  from: string,
  to: string,
  transform: ReturnType<typeof createGzip> | ReturnType<typeof createZstdCompress>,
): Promise<void> {
  await pipeline(createReadStream(from), transform, createWriteStream(to));
  if (statSync(to).size === 0) throw new Error(`${to} is empty`);
}
