/**
 * Fuzzes the targets of `rust/fuzz`, two at a time: `fuzz.ts --seconds 20`, or `--minutes 30` over all of
 * them, `--asan` under AddressSanitizer, and names of targets to run these alone. `--build` only builds them.
 *
 * Needs the pinned stable Rust and a C++ compiler, for libFuzzer itself, which comes with the crate
 * `libfuzzer-sys`. What is found lies in `target/fuzz/found`, and the corpus goes on growing beside it.
 *
 * @module
 */
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import process from "node:process";
import { parseArgs } from "node:util";

/** The longest input of each target: longer ones take longer and find no more. */
const TARGETS = { abi: 4096, encode: 400, cut: 3000, decode: 600 };
type Target = keyof typeof TARGETS;

const FOLDER = "target/fuzz";

/** Every edge, comparisons, and a counter for each: what libFuzzer steers by. */
const COVERAGE = [
  "-Cpasses=sancov-module",
  ...["level=4", "inline-8bit-counters", "pc-table", "trace-compares"]
    .map((option) => `-Cllvm-args=-sanitizer-coverage-${option}`),
  "--cfg=fuzzing",
];

function host(): string {
  const version = execFileSync("rustc", ["-vV"], { encoding: "utf8" });
  return /^host: (.+)$/m.exec(version)![1]!;
}

/** Builds all targets and returns the folder that they are in. */
function build(asan: boolean): string {
  // Without the sanitizer beside the library, whose build scripts and their packages are compiled already.
  const folder = asan ? `${FOLDER}/asan` : "target";
  const flags = asan ? [...COVERAGE, "-Zsanitizer=address"] : COVERAGE;
  execFileSync(
    "cargo",
    ["build", "--locked", "--release", "--target", host()]
      .concat("--manifest-path", "rust/fuzz/Cargo.toml", "--target-dir", folder),
    {
      stdio: "inherit",
      // A stable compiler has the sanitizer too, and asks to be told that it is meant.
      env: { ...process.env, RUSTFLAGS: flags.join(" "), ...(asan && { RUSTC_BOOTSTRAP: "1" }) },
    },
  );
  return `${folder}/${host()}/release`;
}

/** Where a fuzzer begins: a few texts and many bytes, the same each time. */
function seed(folder: string, longest: number): void {
  mkdirSync(folder, { recursive: true });
  const texts = [
    "Hello, world!",
    "the quick brown fox's 12345\n\n",
    "中文 und Größe",
    "<|endoftext|>",
  ];
  texts.forEach((text, i) => writeFileSync(`${folder}/seed-text-${i}`, `\u0004\u0080${text}`));
  let state = 1;
  for (let i = 0; i < 24; i++) {
    const bytes = new Uint8Array(Math.ceil(longest / (1 + i % 4))).map(() => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      // Small numbers are choices that mean something more often than others.
      return (state >>> 24) >> (state >>> 20 & 3);
    });
    writeFileSync(`${folder}/seed-bytes-${i}`, bytes);
  }
}

interface Result {
  readonly target: Target;
  readonly failed: boolean;
  readonly line: string;
}

function fuzz(folder: string, target: Target, seconds: number): Promise<Result> {
  const corpus = `${FOLDER}/corpus/${target}`;
  mkdirSync(`${FOLDER}/found`, { recursive: true });
  seed(corpus, TARGETS[target]);
  const options = {
    max_total_time: seconds,
    max_len: TARGETS[target],
    timeout: 20,
    rss_limit_mb: 6000,
    print_final_stats: 1,
    artifact_prefix: `${FOLDER}/found/${target}-`,
  };
  const started = performance.now();
  return new Promise((resolve, reject) => {
    const child = spawn(
      `${folder}/${target}`,
      [corpus, ...Object.entries(options).map(([name, value]) => `-${name}=${value}`)],
      { stdio: ["ignore", "ignore", "pipe"] },
    );
    let output = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      output = (output + text).slice(-200_000);
    });
    child.on("error", reject);
    child.on("close", (code, signal) => {
      const failed = code !== 0;
      if (failed) console.log(output.slice(-20_000));
      const number = (pattern: RegExp) =>
        Number([...output.matchAll(pattern)].at(-1)?.[1] ?? 0).toLocaleString("en");
      const took = Math.round((performance.now() - started) / 1000);
      const line =
        `${target}: ${number(/number_of_executed_units: *(\d+)/g)} inputs in ${took} s, ` +
        `${number(/cov: (\d+)/g)} edges: ${
          failed ? `FAILED (${code ?? signal})` : "nothing found"
        }`;
      console.log(line);
      resolve({ target, failed, line });
    });
  });
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: "string" },
    minutes: { type: "string" },
    asan: { type: "boolean", default: false },
    build: { type: "boolean", default: false },
  },
});
const all = Object.keys(TARGETS) as Target[];
const chosen = positionals.length === 0 ? all : all.filter((name) => positionals.includes(name));
const lanes = Math.min(2, chosen.length);
const seconds = values.minutes === undefined
  ? Number(values.seconds ?? 20)
  : Math.max(1, Math.round(Number(values.minutes) * 60 * lanes / chosen.length));

const folder = build(values.asan);
if (values.build) process.exit();
const waiting = [...chosen];
const results: Result[] = [];
await Promise.all(Array.from({ length: lanes }, async () => {
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    results.push(await fuzz(folder, next, seconds));
  }
}));
const failed = results.filter((result) => result.failed).length;
console.log(`${results.length - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 && results.length > 0 ? 0 : 1;
