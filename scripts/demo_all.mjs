/**
 * Runs the demo under Bun and Deno, one after the other, and prints one table for each encoding.
 * Plain JavaScript, so that the Node.js which installed the runtimes can start it.
 *
 *     node scripts/demo_all.mjs
 *
 * Exits with 1 if any id, count or decoded text differs from tiktoken's, in either runtime.
 *
 * @module
 */
import { spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** How each runtime runs the demo; Deno with no more than it needs. */
const COMMANDS = [
  ["bun", ["scripts/demo.ts", "--json"]],
  [
    "deno",
    ["run", "--allow-read", "--allow-ffi", "--allow-env", "scripts/demo.ts", "--json"],
  ],
];

/**
 * One line of the demo in one runtime; `scripts/demo.ts` says what the fields mean.
 *
 * @typedef {{ encoding: string, corpus: string, texts: number, bytes: number, tokens: number,
 *   count: number, encode: number, tiktoken: number, difference?: string }} Row
 */

/** @returns {Promise<{ runtime: string, rows: Row[] }>} */
function demo(/** @type {string} */ runtime, /** @type {string[]} */ args) {
  return new Promise((resolve, reject) => {
    const child = spawn(`node_modules/.bin/${runtime}`, args, {
      cwd: ROOT,
      stdio: ["ignore", "pipe", "inherit"],
    });
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (chunk) => output += chunk);
    child.on("error", reject);
    child.on("close", (code) => {
      // 1 with a result is a difference, which the table shows; without one it is a failure.
      if (output === "") reject(new Error(`The demo failed in ${runtime} with exit code ${code}`));
      else resolve(JSON.parse(output));
    });
  });
}

const number = new Intl.NumberFormat("en");
const colours = process.stdout.isTTY && !process.env.NO_COLOR;
const green = (/** @type {string} */ text) => colours ? `\x1b[32m${text}\x1b[0m` : text;
const red = (/** @type {string} */ text) => colours ? `\x1b[1;31m${text}\x1b[0m` : text;

const start = performance.now();
const results = [];
for (const [runtime, args] of COMMANDS) {
  if (process.stderr.isTTY) process.stderr.write(`${runtime} `);
  try {
    results.push(await demo(runtime, args));
  } catch (error) {
    console.error(error.message);
    process.exit(1);
  }
  if (process.stderr.isTTY) process.stderr.write("\n");
}

const [first] = results;
const differences = [];
for (const encoding of new Set(first.rows.map((row) => row.encoding))) {
  console.log(`\n${encoding}, speeds in MB/s`);
  console.log(
    " ".repeat(50) + results.map(({ runtime }) => runtime.padStart(16)).join("") +
      "  tiktoken  equal to",
  );
  console.log(
    "corpus".padEnd(30) + "bytes".padStart(10) + "tokens".padStart(10) +
      results.map(() => "count".padStart(8) + "encode".padStart(8)).join("") +
      "    (WASM)  tiktoken",
  );
  for (const row of first.rows.filter((row) => row.encoding === encoding)) {
    const same = results.map(({ rows }) =>
      rows.find((other) => other.encoding === encoding && other.corpus === row.corpus)
    );
    const speeds = same.map(({ count, encode }) =>
      count.toFixed(0).padStart(8) + encode.toFixed(0).padStart(8)
    );
    same.forEach(({ difference }, i) => {
      if (difference === undefined) return;
      differences.push(`${encoding}, ${row.corpus}, ${results[i].runtime}: ${difference}`);
    });
    const equal = same.every(({ difference }) => difference === undefined);
    console.log(
      row.corpus.padEnd(30) + number.format(row.bytes).padStart(10) +
        number.format(row.tokens).padStart(10) + speeds.join("") +
        row.tiktoken.toFixed(1).padStart(10) + "  " + (equal ? green("yes") : red("NO")),
    );
  }
}

const rows = results.flatMap((result) => result.rows);
const megabytes = rows.reduce((sum, row) => sum + row.bytes, 0) / 1e6;
const seconds = ((performance.now() - start) / 1000).toFixed(0);
console.log(
  `\n${
    megabytes.toFixed(0)
  } MB compared with tiktoken in ${seconds} s (every corpus, twice in each ` +
    `runtime): ${differences.length === 0 ? green("every id equal") : red("NOT equal")}`,
);
for (const difference of differences) console.log(`  ${difference}`);
process.exitCode = differences.length === 0 ? 0 : 1;
