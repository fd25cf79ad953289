/**
 * Tokenizes a corpus in Bun undisturbed, then in Deno with `kill -9` in the middle and a second start, and compares both.
 * Plain JavaScript, so that the Node.js which installed the runtimes can start it.
 *
 *     node scripts/demo_corpus.mjs
 *
 * Exits with 1 if a byte of the token files differs.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const FOLDER = join(ROOT, ".build/demo");
const CORPUS = join(FOLDER, "corpus.jsonl");
const MEGABYTES = 100;
/** So small that a kill finds some units done and some not. */
const UNIT = "4MB";

/** How each runtime runs the command line. With all permissions Deno sees at once that a process was killed. */
const RUNTIMES = { bun: [], deno: ["run", "-A"] };

/**
 * Starts `sluice tokenize` in a runtime.
 *
 * @param {keyof typeof RUNTIMES} runtime
 */
function start(runtime) {
  const args = ["src/cli/main.ts", "tokenize", relative(ROOT, CORPUS)];
  const options = ["--encoding", "o200k_base", "--unit", UNIT, "--quiet"];
  return spawn(
    `node_modules/.bin/${runtime}`,
    [...RUNTIMES[runtime], ...args, "--out", join(FOLDER, runtime), ...options],
    // A group of its own: npm's launcher of a runtime may be another process than the runtime.
    { cwd: ROOT, stdio: ["ignore", "ignore", "inherit"], detached: true },
  );
}

/** The exit code or the signal that ended a process. */
function end(/** @type {import("node:child_process").ChildProcess} */ child) {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve(signal ?? code));
  });
}

/** Runs to the end and returns the seconds. */
async function complete(/** @type {keyof typeof RUNTIMES} */ runtime) {
  const started = performance.now();
  const code = await end(start(runtime));
  if (code !== 0) throw new Error(`sluice tokenize ended with ${code} in ${runtime}`);
  return (performance.now() - started) / 1000;
}

/** The units of which a folder has the commit record. */
function committed(/** @type {string} */ folder) {
  try {
    return readdirSync(folder).filter((name) => /^shard-.*\.json$/.test(name)).length;
  } catch {
    return 0; // There is no folder yet.
  }
}

/** Kills a run with SIGKILL once it has committed `units` units. */
async function killed(/** @type {keyof typeof RUNTIMES} */ runtime, /** @type {number} */ units) {
  const child = start(runtime);
  const ended = end(child);
  const timer = setInterval(() => {
    if (committed(join(FOLDER, runtime)) < units) return;
    clearInterval(timer);
    process.kill(-child.pid, "SIGKILL");
  }, 2);
  const signal = await ended;
  clearInterval(timer);
  if (signal !== "SIGKILL") throw new Error(`${runtime} ended with ${signal} before it was killed`);
}

/** SHA-256 of all files that a run leaves, names included, but of no lock. */
function hashOf(/** @type {string} */ folder) {
  const hash = createHash("sha256");
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();
  for (const name of names.filter((name) => !name.startsWith("locks"))) {
    const path = join(folder, name);
    hash.update(`${name}\n`);
    if (statSync(path).isFile()) hash.update(readFileSync(path));
  }
  return hash.digest("hex");
}

const colours = process.stdout.isTTY && !process.env.NO_COLOR;
const green = (/** @type {string} */ text) => colours ? `\x1b[32m${text}\x1b[0m` : text;
const red = (/** @type {string} */ text) => colours ? `\x1b[1;31m${text}\x1b[0m` : text;
const number = new Intl.NumberFormat("en");

rmSync(FOLDER, { recursive: true, force: true });
mkdirSync(FOLDER, { recursive: true });
const texts = ["scripts/demo_texts.ts", CORPUS, String(MEGABYTES)];
const made = spawn("node_modules/.bin/bun", texts, { cwd: ROOT, stdio: "inherit" });
if (await end(made) !== 0) throw new Error("the corpus could not be written");
console.log("\na whole corpus: sluice tokenize");

const seconds = await complete("bun");
const manifest = JSON.parse(readFileSync(join(FOLDER, "bun/manifest.json"), "utf8"));
const units = committed(join(FOLDER, "bun"));
const megabytes = statSync(CORPUS).size / 1e6;
console.log(
  `Bun   ${megabytes.toFixed(0)} MB, ${number.format(manifest.documents)} documents, ` +
    `${number.format(manifest.tokens)} ids, ${units} units: ${seconds.toFixed(1)} s`,
);

await killed("deno", Math.ceil(units / 3));
const kept = committed(join(FOLDER, "deno"));
console.log(`Deno  kill -9 with ${kept} of ${units} units committed`);
const rest = await complete("deno");
console.log(`Deno  started again: the other ${units - kept} units: ${rest.toFixed(1)} s`);

const hashes = ["bun", "deno"].map((runtime) => hashOf(join(FOLDER, runtime)));
const isSame = hashes[0] === hashes[1] && kept < units;
console.log(`Bun   ${hashes[0]}\nDeno  ${hashes[1]}`);
console.log(isSame ? green("every byte of every file is the same") : red("NOT the same"));
process.exitCode = isSame ? 0 : 1;
