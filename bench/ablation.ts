/**
 * Builds the engine without each of its mechanisms, and times those builds and the whole engine in turns: what each
 * mechanism is worth, by class of text.
 *
 *     bun bench/ablation.ts [--only NAME,NAME] [--rounds 5] [--corpora NAME,NAME] [--length 4000]
 *
 * A cell is the time without the mechanism over the time with it, the median of the rounds: above 1 it is worth
 * something. Each round is a process of its own; the first pass is over text that comes in no other.
 *
 * @module
 */
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { MECHANISMS } from "./ablation/mechanisms.ts";
import { corpora } from "./held_out/corpora.ts";
import { fetchAll } from "./held_out/fetch.ts";
import { makeClasses } from "./ablation/classes.ts";
import { geometricMean, median } from "./measure.ts";
import { alignRight } from "./text_table.ts";

const { values } = parseArgs({
  args: process.argv.slice(2),
  options: {
    only: { type: "string" },
    rounds: { type: "string", default: "5" },
    corpora: { type: "string" },
    length: { type: "string", default: "4000" },
  },
});

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const FOLDER = join(ROOT, ".build", "ablation");
const WHOLE = "whole";
const WARM_PASSES = 5;

/** Builds the example `passes` from a copy of the working tree with these edits; returns the executable. */
function build(name: string): string {
  const source = join(FOLDER, "source");
  rmSync(source, { recursive: true, force: true });
  const files = execFileSync("git", [
    "ls-files",
    "-zco",
    "--exclude-standard",
    "rust",
    "Cargo.toml",
    "Cargo.lock",
  ], {
    cwd: ROOT,
    encoding: "utf8",
  });
  for (const file of files.split("\0").filter((file) => file !== "")) {
    mkdirSync(dirname(join(source, file)), { recursive: true });
    copyFileSync(join(ROOT, file), join(source, file));
  }
  for (const { file, find, replace } of MECHANISMS[name] ?? []) {
    const text = readFileSync(join(ROOT, file), "utf8");
    if (text.split(find).length !== 2) throw new Error(`${name}: ${file} has not once: ${find}`);
    const path = join(source, file);
    writeFileSync(path, readFileSync(path, "utf8").replace(find, () => replace));
  }
  const cargo = "build --release --locked --quiet -p sluice-tokenizer --example passes";
  execFileSync("cargo", cargo.split(" "), {
    cwd: source,
    env: { ...process.env, CARGO_TARGET_DIR: join(FOLDER, "target"), RUSTFLAGS: "-Awarnings" },
    stdio: ["ignore", "inherit", "inherit"],
  });
  const executable = join(FOLDER, name.replaceAll(/\W+/g, "-"));
  copyFileSync(join(FOLDER, "target", "release", "examples", "passes"), executable);
  return executable;
}

type Cell = readonly [first: number, warm: number];

function run(executable: string, file: string, operation: string, tokens: Map<string, string>) {
  // What comes alone is cut into texts of about a word.
  const length = file.includes("single-words") ? "12" : values.length;
  const output = execFileSync(executable, [file, operation, length, `${WARM_PASSES}`], {
    encoding: "utf8",
  });
  const [first, warm, count] = output.trim().split(" ");
  if ((tokens.get(file) ?? count) !== count) throw new Error(`${executable}: other ids, ${file}`);
  tokens.set(file, count!);
  return [Number(first), Number(warm)] as Cell;
}

fetchAll();
const texts = join(FOLDER, "texts");
mkdirSync(texts, { recursive: true });
const chosen = values.corpora?.split(",");
const classes = [...corpora(), ...makeClasses()].filter(({ name }) =>
  chosen === undefined || chosen.includes(name)
).map(({ name, text }) => {
  const file = join(texts, `${name.replaceAll(/\W+/g, "-")}.txt`);
  writeFileSync(file, text);
  return { name, file };
});
const names = Object.keys(MECHANISMS).filter((name) =>
  values.only === undefined || values.only.split(",").includes(name)
);
const executables = new Map([WHOLE, ...names].map((name) => [name, build(name)]));

/** Of each mechanism, by operation and pass, the ratios of all classes. */
const means = new Map<string, number[][]>(names.map((name) => [name, [[], [], [], []]]));
const tokens = new Map<string, string>();
const rows = [["time without / with", "", "count first", "warm", "encode first", "warm"]];
for (const { name: corpus, file } of classes) {
  const ratios = new Map<string, number[][]>(names.map((name) => [name, [[], [], [], []]]));
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const [at, operation] of ["count", "encode"].entries()) {
      const cells = new Map<string, Cell>();
      const order = round % 2 === 0 ? [...executables] : [...executables].reverse();
      for (const [name, executable] of order) {
        cells.set(name, run(executable, file, operation, tokens));
      }
      for (const name of names) {
        for (const pass of [0, 1] as const) {
          ratios.get(name)![2 * at + pass]!.push(cells.get(name)![pass] / cells.get(WHOLE)![pass]);
        }
      }
    }
  }
  for (const name of names) {
    const cells = ratios.get(name)!.map(median);
    cells.forEach((cell, i) => means.get(name)![i]!.push(cell));
    rows.push([name, corpus, ...cells.map((cell) => cell.toFixed(2))]);
  }
}
for (const line of alignRight(rows)) console.log(line);
console.log();
const summary = [["geometric mean (highest)", "count first", "warm", "encode first", "warm"]];
for (const [name, columns] of means) {
  summary.push([
    name,
    ...columns.map((ratios) =>
      `${geometricMean(ratios).toFixed(3)} (${Math.max(...ratios).toFixed(2)})`
    ),
  ]);
}
for (const line of alignRight(summary)) console.log(line);
