/**
 * Runs soaks in both runtimes at the same time, and fails if one of them finds a leak or a violated invariant.
 *
 *     bun tests/soak/run.ts [gateway] [limiter] [pool] [keys] --minutes 10 [--runtime bun|deno] [--record]
 *
 * Without a name it runs the soak of a gateway, which takes about a core for both runtimes. `--record` writes what
 * the soak of the gateway found to `bench/record`.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import process from "node:process";
import { parseArgs } from "node:util";
import type { RuntimeName } from "../../bench/machine.ts";
import { executable, runArguments } from "../../bench/runtimes.ts";
import { soakGateway } from "./gateway_run.ts";

const RUNTIMES: readonly RuntimeName[] = ["bun", "deno"];
/** The soaks that are programs of their own, by file. */
const PROGRAMS: Readonly<Record<string, string>> = {
  limiter: "limiter.ts",
  pool: "pool.ts",
  keys: "limiter_keys.ts",
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    minutes: { type: "string", default: "10" },
    runtime: { type: "string" },
    record: { type: "boolean", default: false },
  },
});
const minutes = Number(values.minutes);
if (!(minutes > 0)) throw new RangeError(`--minutes must be above 0, not ${values.minutes}`);
const runtimes = RUNTIMES.filter((name) => (values.runtime ?? name) === name);
if (runtimes.length === 0) {
  throw new RangeError(`--runtime must be bun or deno, not ${values.runtime}`);
}
const names = positionals.length === 0 ? ["gateway"] : positionals;
const unknown = names.find((name) => name !== "gateway" && PROGRAMS[name] === undefined);
if (unknown !== undefined) {
  throw new RangeError(`There is no soak ${unknown}: gateway, ${Object.keys(PROGRAMS).join(", ")}`);
}

/** Runs a soak that is a program of its own. Returns whether it found nothing. */
function runProgram(name: string, runtime: RuntimeName): Promise<boolean> {
  const file = new URL(PROGRAMS[name]!, import.meta.url);
  const args = runArguments(runtime, file, name === "keys" ? [] : ["--minutes", `${minutes}`]);
  const child = spawn(executable(runtime), args, { stdio: "inherit" });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(code === 0));
  });
}

const reports: string[] = [];

async function runGateway(runtime: RuntimeName): Promise<boolean> {
  const { line, faults } = await soakGateway(runtime, minutes);
  const verdict = faults.length === 0 ? "ok" : `FAILED: ${faults.join("; ")}`;
  const report = `${runtime}: ${verdict}: ${line}`;
  console.log(report);
  reports.push(report);
  return faults.length === 0;
}

let isGood = true;
for (const name of names) {
  const results = await Promise.all(
    runtimes.map((runtime) => name === "gateway" ? runGateway(runtime) : runProgram(name, runtime)),
  );
  isGood &&= results.every(Boolean);
}
if (values.record && reports.length > 0) {
  const date = new Date().toISOString().slice(0, 10);
  writeFileSync(
    new URL(`../../bench/record/${date}-soak.md`, import.meta.url),
    `# Soak of ${date}\n\n\`bun tests/soak/run.ts --minutes ${minutes}\` on ` +
      `${cpus().length} cores (${cpus()[0]?.model.trim() ?? "unknown"}): ` +
      "a gateway under load, faults, aborts and\nresponses that are not read. Slopes are of the " +
      "part after the warm-up, with their standard error.\n\n" +
      reports.map((report) => `- ${report}\n`).join(""),
  );
}
process.exitCode = isGood ? 0 : 1;
