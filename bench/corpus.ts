/**
 * Whole corpora: commands of sluice, each a process of its own, beside the engine alone and the batch tokenizers of PyPI.
 *
 * Fetches 230 MB of packages for the corpus and 250 MB of Python on its first run. A brief run fetches nothing, has no peers,
 * and checks the commands only.
 *
 * @module
 */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Tokenizer } from "../mod.ts";
import { type CorpusFile, type KindCell, makeFiles } from "./corpus/files.ts";
import { type BatchCell, estimated, type ResumeCell, resumed } from "./corpus/others.ts";
import { buildEngine, emptyProgram, outputFolders, type Pass, type Row } from "./corpus/rows.ts";
import { rows } from "./corpus/rows.ts";
import { textsOf } from "./corpus/texts_of.ts";
import { rounded } from "./measure.ts";
import { expect, program, progress } from "./program.ts";

const ROUNDS = 3;
/** A file system in memory, on Linux. */
const MEMORY = "/dev/shm";

/** A command on the corpus. */
interface RunCell {
  readonly part: "run";
  readonly name: string;
  readonly threads: number;
  /** UTF-8 of the texts that it tokenized. */
  readonly bytes: number;
  readonly seconds: readonly number[];
  /** MB of text a second, one for each round. */
  readonly speed: readonly number[];
  /** The greatest peak of the memory in MB. */
  readonly rss: number;
  /** What of it is beyond an empty program of this runtime; none for other programs. */
  readonly beyond?: number;
}

type CorpusCell = BatchCell | KindCell | ResumeCell | RunCell;

async function run(brief: boolean): Promise<CorpusCell[]> {
  progress("corpus: making the files");
  const files = await makeFiles(brief);
  if (!brief) buildEngine();
  const memory = mkdtempSync(join(existsSync(MEMORY) ? MEMORY : tmpdir(), "sluice-corpus-"));
  const disk = mkdtempSync(join(tmpdir(), "sluice-corpus-"));
  try {
    const folders = outputFolders(memory, disk);
    const start = await emptyProgram();
    const passes = await inTurns(rows(files, folders, brief), brief ? 1 : ROUNDS);
    checkTokens(passes);
    return [
      ...files.kinds,
      ...[...passes].map(([row, all]) => runCell(row, all, start)),
      await estimated(files, brief),
      await resumed(files, folders.memory, brief),
    ];
  } finally {
    for (const folder of [memory, disk]) rmSync(folder, { recursive: true, force: true });
  }
}

/** In rounds, so that a busy moment of the machine affects all alike. */
async function inTurns(all: readonly Row[], rounds: number): Promise<Map<Row, Pass[]>> {
  const passes = new Map<Row, Pass[]>(all.map((row) => [row, []]));
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < all.length; i++) {
      // Rotated, so that none always follows the same one.
      const row = all[(i + round) % all.length]!;
      progress(`corpus: round ${round + 1}, ${row.name}, threads: ${row.threads}`);
      passes.get(row)!.push(await row.pass());
    }
  }
  return passes;
}

function runCell({ name, threads, corpus }: Row, passes: readonly Pass[], start: number): RunCell {
  const isOurs = /^(?:tokenize|encode|count)\b/.test(name);
  const rss = Math.max(...passes.map((pass) => pass.rss));
  return {
    part: "run",
    name,
    threads,
    bytes: corpus.bytes,
    seconds: passes.map(({ seconds }) => rounded(seconds)),
    speed: passes.map(({ seconds }) => rounded(corpus.bytes / 1e6 / seconds)),
    rss: rounded(rss),
    ...(isOurs ? { beyond: rounded(rss - start) } : {}),
  };
}

/** All must find as many tokens as `countBatch` does. gigatoken takes the text of a special token for that token. */
function checkTokens(passes: ReadonlyMap<Row, readonly Pass[]>): void {
  const counts = new Map<string, number>();
  for (const [{ name, corpus }, all] of passes) {
    const special = name.startsWith("gigatoken") ? "allow" : "text";
    const key = `${special} ${corpus.path}`;
    const truth = counts.get(key) ?? count(corpus, special);
    counts.set(key, truth);
    for (const { tokens } of all) {
      expect(Number.isNaN(tokens) || tokens === truth, `${name}: ${tokens} of ${truth} tokens`);
    }
  }
}

function count({ path }: CorpusFile, special: "allow" | "text"): number {
  using tokenizer = new Tokenizer("o200k_base", { special });
  let sum = 0;
  for (const texts of textsOf(path)) {
    for (const tokens of tokenizer.countBatch(texts)) sum += tokens;
  }
  return sum;
}

if (import.meta.main) await program<CorpusCell>({ name: "corpus", run });
