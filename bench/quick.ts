/**
 * A regression run of about five minutes: the working tree against a commit, in turns, in both runtimes.
 *
 *     bun bench/quick.ts --base COMMIT [--rounds 9] [--here]
 *
 * A cell is the time of the working tree over that of the commit, each the least of its rounds, which noise changes least;
 * cells above their bound are measured again. Exits with 1 if a group of cells is slower by more than 5 % in the geometric mean, or a cell by 15 %.
 * Started by Bun it then starts itself by Deno, unless `--here` is set.
 *
 * @module
 */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { availableParallelism, loadavg } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { corpora } from "./held_out/corpora.ts";
import { fetchAll } from "./held_out/fetch.ts";
import { writeTexts } from "./held_out/texts.ts";
import { runtimeName, runtimeVersion } from "./machine.ts";
import { geometricMean } from "./measure.ts";
import { measurePasses, OPERATIONS } from "./passes.ts";
import { executable, runArguments, runSelf } from "./runtimes.ts";
import { alignRight } from "./text_table.ts";
import { CLASS_TITLES, TEXT_CLASSES, TextWalk } from "./text_walk.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const MAX_GROUP = 1.05;
const MAX_CELL = 1.15;
/** A spread of the held-out corpora. */
const CORPORA = [
  "web, ten languages in Latin letters",
  "web, Greek, Bulgarian, Ukrainian",
  "web, Hindi, Thai",
  "web, Chinese, Japanese, Korean",
  "informal English",
  "Python",
  "HTML, documentation",
  "chats, 20 languages",
];
/** Milliseconds of the warm passes. */
const BUDGET = 100;
const CALLS = "limiter and pool";

/** The least times of the commit and of this tree. */
interface Times {
  before: number;
  after: number;
}

/** The times by name and group of the cell. */
type Cells = Map<string, Map<string, Times>>;

/** Unpacks and builds a commit, unless that was done before. Returns its folder. */
function build(commit: string): string {
  const git = (...args: string[]) => execFileSync("git", args, { cwd: ROOT, encoding: "utf8" });
  const sha = git("rev-parse", "--verify", `${commit}^{commit}`).trim();
  const folder = join(ROOT, ".build", "quick", sha);
  if (existsSync(folder)) return folder;
  const part = `${folder}.part`;
  rmSync(part, { recursive: true, force: true });
  mkdirSync(part, { recursive: true });
  git("archive", "--output", `${part}.tar`, sha);
  execFileSync("tar", ["xf", `${part}.tar`, "-C", part]);
  rmSync(`${part}.tar`);
  symlinkSync(join(ROOT, "node_modules"), join(part, "node_modules"));
  buildLibrary(part);
  // Atomic, so that an interrupted build is not used.
  renameSync(part, folder);
  return folder;
}

function buildLibrary(cwd: string): void {
  const cargo = "build --release --locked --quiet -p sluice-abi".split(" ");
  execFileSync("cargo", cargo, { cwd, stdio: "inherit" });
}

/** The files with the texts, by name: held-out ones, or made ones if no registry can be reached. */
function textFiles(): { name: string; texts: string }[] {
  let all: { name: string; text: string }[];
  try {
    fetchAll();
    all = corpora().filter(({ name }) => CORPORA.includes(name));
  } catch (error) {
    console.error(`no held-out corpora, so texts of npm packages: ${(error as Error).message}`);
    all = TEXT_CLASSES.map((textClass) => ({
      name: CLASS_TITLES[textClass],
      text: new TextWalk(textClass).next(1_000_000),
    }));
  }
  return all.map(({ name, text }) => ({
    name,
    texts: writeTexts({ name: `quick ${name}`, text }, 4_000),
  }));
}

/** Measures both checkouts in an order that alternates, and returns their results, the base first. */
async function both<T>(
  round: number,
  base: string,
  measure: (checkout: string) => Promise<T>,
): Promise<[before: T, after: T]> {
  const first = await measure(round % 2 === 0 ? base : ROOT);
  const second = await measure(round % 2 === 0 ? ROOT : base);
  return round % 2 === 0 ? [first, second] : [second, first];
}

async function addRound(
  cells: Cells,
  round: number,
  base: string,
  files: readonly { name: string; texts: string }[],
  isWanted: (name: string) => boolean,
): Promise<void> {
  const add = (name: string, group: string, before: number, after: number) => {
    const groups = cells.get(name) ?? new Map<string, Times>();
    const least = groups.get(group) ?? { before, after };
    least.before = Math.min(least.before, before);
    least.after = Math.min(least.after, after);
    cells.set(name, groups.set(group, least));
  };
  for (const { name, texts } of files.filter(({ name }) => isWanted(name))) {
    for (const operation of OPERATIONS) {
      const sets = [{ operation, texts }];
      const order = { engine: "sluice", encoding: "o200k_base", sets, budget: BUDGET } as const;
      const [before, after] = await both(round, base, async (checkout) => {
        return (await measurePasses({ ...order, checkout }))[0]!;
      });
      if (before.digest !== after.digest) throw new Error(`${name}, ${operation}: ids differ`);
      add(name, `${operation}, first`, before.first, after.first);
      add(name, `${operation}, warm`, before.fastest, after.fastest);
    }
  }
  const [before, after] = await both(round, base, async (checkout) => {
    return JSON.parse(await runSelf("quick_calls.ts", ["--checkout", checkout]));
  });
  for (const name of Object.keys(before).filter(isWanted)) {
    add(name, CALLS, before[name], after[name]);
  }
}

function ratioOf({ before, after }: Times): number {
  return after / before;
}

/** Prints the table and returns what is slower than the bounds. */
function report(cells: Cells, base: string): string[] {
  const failures: string[] = [];
  const groups = [...new Set([...cells.values()].flatMap((times) => [...times.keys()]))];
  const rows = [...cells].map(([name, times]) => [
    name,
    ...groups.map((group) => {
      if (!times.has(group)) return "";
      const ratio = ratioOf(times.get(group)!);
      if (ratio > MAX_CELL) failures.push(`${name}, ${group}: ${ratio.toFixed(2)}`);
      return ratio.toFixed(2);
    }),
  ]);
  const means = groups.map((group) => {
    const all = [...cells.values()].flatMap((times) => times.get(group) ?? []);
    const mean = geometricMean(all.map(ratioOf));
    if (mean > MAX_GROUP) failures.push(`mean of ${group}: ${mean.toFixed(3)}`);
    return mean.toFixed(3);
  });
  const head = [`${runtimeVersion()}: time over that of ${base}`, ...groups];
  for (const line of alignRight([head, ...rows, ["geometric mean", ...means]])) console.log(line);
  const bounds = `a group ${MAX_GROUP}x, a cell ${MAX_CELL}x`;
  console.log(`${failures.length === 0 ? "within" : "slower than"} the bounds: ${bounds}`);
  for (const failure of failures) console.log(`  ${failure}`);
  return failures;
}

const { values } = parseArgs({
  args: process.argv.slice(2),
  options: {
    base: { type: "string" },
    rounds: { type: "string", default: "9" },
    here: { type: "boolean", default: false },
  },
});
if (values.base === undefined) throw new Error("--base names the commit to compare with");
const rounds = Number(values.rounds);
if (!(rounds >= 1)) throw new RangeError(`--rounds must be at least 1, not ${values.rounds}`);
const base = build(values.base);
buildLibrary(ROOT);
const files = textFiles();
const cells: Cells = new Map();
for (let round = 0; round < rounds; round++) await addRound(cells, round, base, files, () => true);
const slow = [...cells].filter(([, times]) =>
  [...times.values()].some((time) => ratioOf(time) > MAX_CELL)
).map(([name]) => name);
if (slow.length > 0) console.error(`measuring again: ${slow.join("; ")}`);
for (let round = 0; slow.length > 0 && round < rounds; round++) {
  await addRound(cells, round, base, files, (name) => slow.includes(name));
}
if (loadavg()[0]! > availableParallelism() + 1) {
  console.error("other programs run on this machine: repeat this before you believe it");
}
let isGood = report(cells, values.base).length === 0;
if (runtimeName() === "bun" && !values.here) {
  const args = runArguments("deno", new URL(import.meta.url), process.argv.slice(2));
  isGood = spawnSync(executable("deno"), args, { stdio: "inherit" }).status === 0 && isGood;
}
process.exit(isGood ? 0 : 1);
