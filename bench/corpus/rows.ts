/**
 * What is timed: commands of sluice, the engine alone, and the peers.
 *
 * @module
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { runArguments } from "../runtimes.ts";
import { runtimeName } from "../machine.ts";
import type { CorpusFile, CorpusFiles } from "./files.ts";
import { peerCommand, type PeerName, peerTitle } from "./peers.ts";
import { timed } from "./process.ts";

/** One pass of a row. */
export interface Pass {
  readonly seconds: number;
  /** Peak of the memory in MB. */
  readonly rss: number;
  /** Ids or counts of all texts, without end tokens. */
  readonly tokens: number;
}

/** A way to tokenize a file. */
export interface Row {
  readonly name: string;
  readonly threads: number;
  /** What it reads. */
  readonly corpus: CorpusFile;
  pass(): Promise<Pass>;
}

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const MAIN = new URL("../../src/cli/main.ts", import.meta.url);
const EMPTY = new URL("empty.ts", import.meta.url);
/** So small that two threads have equal work. */
const UNIT = "16MB";
const ENCODING = ["--encoding", "o200k_base"];

/** The command line of sluice in this runtime. */
export function sluice(...args: readonly string[]): string[] {
  return [process.execPath, ...runArguments(runtimeName(), MAIN, args)];
}

/** The memory in MB of this runtime with a program that does nothing, beyond which the bounds of commands are told. */
export async function emptyProgram(): Promise<number> {
  return (await timed([process.execPath, ...runArguments(runtimeName(), EMPTY, [])], true)).rss;
}

/** All rows, those of sluice first. */
export function rows(files: CorpusFiles, folders: Folders, brief: boolean): Row[] {
  const { plain, samples, gz, zst, parquet } = files;
  const tokenize = (name: string, threads: number, input: string, ...options: string[]): Row => ({
    name,
    threads,
    corpus: plain,
    pass: () => tokenizes(input, folders.memory, threads, plain.documents, options),
  });
  const ours: Row[] = [
    tokenize("tokenize", 1, plain.path),
    tokenize("tokenize", 2, plain.path),
    {
      ...tokenize("tokenize, to the disk", 2, plain.path),
      pass: () => tokenizes(plain.path, folders.disk, 2, plain.documents, []),
    },
    tokenize("tokenize, .gz", 1, gz),
    tokenize("tokenize, .zst", 1, zst),
    ...(parquet === undefined ? [] : [tokenize("tokenize, Parquet", 1, parquet)]),
    tokenize("tokenize, as megatron", 1, plain.path, "--format", "megatron"),
    tokenize("tokenize, as arrow", 1, plain.path, "--format", "arrow"),
    {
      name: "encode --jsonl",
      threads: 1,
      corpus: plain,
      // The ids are not read here, since they are over a gigabyte of decimal digits.
      pass: async () => ({
        ...await timed(sluice("encode", "--jsonl", ...ENCODING, plain.path), false),
        tokens: NaN,
      }),
    },
    {
      name: "count --jsonl",
      threads: 1,
      corpus: plain,
      pass: async () => {
        const args = ["count", "--jsonl", "--json", ...ENCODING, plain.path];
        const { stdout, ...rest } = await timed(sluice(...args), true);
        return { ...rest, tokens: (JSON.parse(stdout) as { tokens: number }).tokens };
      },
    },
  ];
  if (brief) return ours;
  return [
    { name: "the engine alone", threads: 1, corpus: plain, pass: () => engine(files) },
    ...ours,
    ...[1, 2].flatMap((threads) => [
      peer("gigatoken", threads, plain),
      peer("tiktoken", threads, samples.tiktoken),
      peer("tokenizers", threads, samples.tokenizers),
    ]),
  ];
}

/** Where the output goes. */
export interface Folders {
  /** A file system in memory where there is one, so that the disk is not measured. */
  readonly memory: string;
  readonly disk: string;
}

async function tokenizes(
  input: string,
  out: string,
  threads: number,
  documents: number,
  options: readonly string[],
): Promise<Pass> {
  rmSync(out, { recursive: true, force: true });
  const args = ["tokenize", input, "--out", out, "--threads", String(threads), "--unit", UNIT]
    .concat(ENCODING);
  const { seconds, rss } = await timed(
    sluice(...args, "--eos", "none", "--quiet", ...options),
    false,
  );
  const manifest = JSON.parse(readFileSync(join(out, "manifest.json"), "utf8")) as {
    documents: number;
    bad: number;
    tokens: number;
  };
  if (manifest.documents !== documents || manifest.bad !== 0) {
    throw new Error(`${manifest.documents} of ${documents} documents of ${input}`);
  }
  rmSync(out, { recursive: true });
  return { seconds, rss, tokens: manifest.tokens };
}

async function engine({ texts, lengths }: CorpusFiles): Promise<Pass> {
  const example = join(ROOT, "target/release/examples/corpus");
  return own(await timed([example, texts, lengths], true));
}

function peer(name: PeerName, threads: number, corpus: CorpusFile): Row {
  return {
    name: peerTitle(name),
    threads,
    corpus,
    pass: async () => {
      const result = await timed(peerCommand(name, threads, corpus.path), true);
      const { documents } = JSON.parse(result.stdout) as { documents: number };
      if (documents !== corpus.documents) throw new Error(`${name}: ${documents} documents`);
      return own(result);
    },
  };
}

/** The time that a process has measured itself: without its start, and for the peers without reading their vocabulary. */
function own({ stdout, rss }: { readonly stdout: string; readonly rss: number }): Pass {
  const { seconds, tokens } = JSON.parse(stdout) as { seconds: number; tokens: number };
  return { seconds, rss, tokens };
}

/** Builds the example that measures the engine. */
export function buildEngine(): void {
  const args = ["build", "--release", "--locked", "--quiet", "-p", "sluice-tokenizer"];
  execFileSync("cargo", [...args, "--example", "corpus"], { cwd: ROOT, stdio: "inherit" });
}

/** Makes the folders of the output. */
export function outputFolders(memory: string, disk: string): Folders {
  for (const folder of [memory, disk]) mkdirSync(folder, { recursive: true });
  return { memory: join(memory, "out"), disk: join(disk, "out") };
}
