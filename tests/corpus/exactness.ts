/**
 * Tokenizes a large corpus of texts of this machine in both runtimes, and compares every id with tiktoken for Python.
 *
 *     bun tests/corpus/exactness.ts --bytes 1GB --most 250MB FOLDER...
 *
 * Files that are UTF-8 are cut into documents of at most 20,000 UTF-16 units. No file comes twice, and at most `--most`
 * bytes come from each folder. Needs the environment of `scripts/install_python.ts`, and takes some minutes.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";
import { machine } from "../../bench/machine.ts";
import { machineLine } from "../../bench/record.ts";
import { PYTHON, STATE } from "../support/python_environment.ts";
import { readRecord, treeOf } from "./folder.ts";
import { run, RUNTIMES } from "./program.ts";

const FOLDER = fileURLToPath(new URL("../../.build/exactness/", import.meta.url));
const UNITS = 20_000;
/** Larger files are data. */
const LARGEST = 4e6;
const SMALLEST = 200;
const PROCESSES = 2;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    bytes: { type: "string", default: "1000" },
    most: { type: "string", default: "250" },
    encoding: { type: "string", default: "o200k_base" },
  },
});

/** Every document that is taken. */
function* documents(): Generator<{ text: string; bytes: number }> {
  const seen = new Set<string>();
  let left = Number(values.bytes) * 1e6;
  for (const folder of positionals) {
    let most = Number(values.most) * 1e6;
    for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" }).sort()) {
      const text = textOf(join(folder, name), seen);
      if (text === undefined) continue;
      for (const piece of cut(text)) {
        const bytes = Buffer.byteLength(piece);
        if (left <= 0) return;
        left -= bytes;
        most -= bytes;
        yield { text: piece, bytes };
      }
      if (most <= 0) break;
    }
  }
}

function textOf(path: string, seen: Set<string>): string | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat?.isFile() || stat.size < SMALLEST || stat.size > LARGEST) return undefined;
  const bytes = readFileSync(path);
  const hash = createHash("sha256").update(bytes).digest("base64");
  if (seen.has(hash)) return undefined;
  seen.add(hash);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function* cut(text: string): Generator<string> {
  for (let start = 0, end: number; start < text.length; start = end) {
    end = start + UNITS;
    if (end < text.length) {
      const line = text.lastIndexOf("\n", end - 1) + 1;
      if (line > start) end = line;
      else if ((text.charCodeAt(end - 1) & 0xfc00) === 0xd800) end--;
    }
    yield text.slice(start, end);
  }
}

rmSync(FOLDER, { recursive: true, force: true });
mkdirSync(FOLDER, { recursive: true });
const file = openSync(join(FOLDER, "in.jsonl"), "w");
const hash = createHash("sha256");
const sums = { documents: 0, bytes: 0 };
for (const { text, bytes } of documents()) {
  const line = Buffer.from(`${JSON.stringify({ text })}\n`);
  hash.update(line);
  for (let at = 0; at < line.length;) at += writeSync(file, line, at);
  sums.documents++;
  sums.bytes += bytes;
}
closeSync(file);
const number = (value: number) => value.toLocaleString("en");
const made = machine();
console.log(`${machineLine(made)}; commit ${made.commit}`);
console.log(
  `corpus: ${number(sums.documents)} documents, ${number(sums.bytes)} bytes of text, ` +
    `sha256 of the JSON Lines ${hash.digest("hex")}`,
);

const trees: string[] = [];
for (const runtime of RUNTIMES) {
  const args = ["tokenize", "in.jsonl", "--out", runtime, "--encoding", values.encoding, "--quiet"];
  const { code, stderr } = await run(FOLDER, [...args, "--unit", "64MB"], { runtime });
  if (code !== 0) throw new Error(`${runtime} ended with ${code}: ${stderr}`);
  const { tree, tokens } = readRecord<{ tree: string; tokens: number }>(
    join(FOLDER, runtime),
    "manifest.json",
  );
  trees.push(treeOf(join(FOLDER, runtime)));
  console.log(`${runtime}: ${number(tokens)} ids with end tokens, tree ${tree}`);
}
console.log(`the folders of both runtimes are ${trees[0] === trees[1] ? "equal" : "DIFFERENT"}`);

const program = readFileSync(new URL("exactness.py", import.meta.url), "utf8");
const compared = await Promise.all(Array.from({ length: PROCESSES }, async (_, i) => {
  const { stdout } = await promisify(execFile)(
    PYTHON,
    ["-c", program, FOLDER, values.encoding, `${i}`, `${PROCESSES}`],
    { env: { ...process.env, ...STATE } },
  );
  return JSON.parse(stdout) as {
    documents: number;
    ids: number;
    different: number;
    version: string;
  };
}));
const sum = (name: "documents" | "ids" | "different") =>
  compared.reduce((all, one) => all + one[name], 0);
console.log(
  `tiktoken ${compared[0]!.version}: ${number(sum("documents"))} documents and ${
    number(sum("ids"))
  } ids ` +
    `compared one by one, ${number(sum("different"))} documents differ`,
);
const isExact = trees[0] === trees[1] && sum("different") === 0 &&
  sum("documents") === sums.documents;
if (!isExact) process.exitCode = 1;
