/**
 * The soak: a gateway under load, faults and aborts, in each runtime at the same time, and a line
 * through its memory, files, leases and reservations. Fails if one of them grows.
 *
 *     bun tests/soak/run.ts --minutes 10 [--runtime bun|deno] [--record]
 *
 * Needs Linux, as it reads /proc. Two runtimes take about a core together.
 */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import process from "node:process";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { judge, type Sample } from "./sample.ts";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const BIN = here("../../node_modules/.bin");
const RUNTIMES: Readonly<Record<string, readonly string[]>> = {
  bun: [`${BIN}/bun`],
  deno: [`${BIN}/deno`, "run", "--allow-all", "--no-check", "--quiet"],
};
/** So many samples are taken, however long it runs, but none more often than each second. */
const SAMPLES = 240;
/** For what was forgotten to be found: reservations live 5 s. */
const SETTLE_MS = 10_000;

/** A program that is asked and answers line by line. */
class Program {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: AsyncIterator<string>;

  constructor(runtime: string, path: string, ...args: string[]) {
    const [file, ...first] = RUNTIMES[runtime]!;
    // What a runtime prints of resets that a server's client sees would fill the screen.
    const stdio = ["pipe", "pipe", process.env["SLUICE_SOAK_VERBOSE"] ? "inherit" : "ignore"];
    this.#child = spawn(file!, [...first, here(path), ...args], { stdio: stdio as never }) as never;
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  async answer(): Promise<string> {
    const { done, value } = await this.#lines.next();
    if (done) throw new Error(`the program ended with exit code ${this.#child.exitCode}`);
    return value;
  }

  ask(line: string): Promise<string> {
    this.#child.stdin.write(`${line}\n`);
    return this.answer();
  }

  tell(line: string): void {
    this.#child.stdin.write(`${line}\n`);
  }

  end(): void {
    this.#child.kill();
  }
}

async function soak(runtime: string, minutes: number): Promise<{ line: string; faults: string[] }> {
  const load = new Program(runtime, "./load.ts");
  const gateway = new Program(runtime, "./gateway.ts", await load.answer());
  try {
    load.tell(await gateway.answer());
    const samples: Sample[] = [];
    const everyMs = Math.max(1000, minutes * 60_000 / SAMPLES);
    const end = performance.now() + minutes * 60_000;
    while (performance.now() < end) {
      await sleep(everyMs);
      samples.push(JSON.parse(await gateway.ask("sample")) as Sample);
    }
    await load.ask("over");
    await sleep(SETTLE_MS);
    // Twice: what the first collection finds is gone in the second.
    await gateway.ask("sample");
    return judge(samples, JSON.parse(await gateway.ask("sample")) as Sample);
  } finally {
    gateway.end();
    load.end();
  }
}

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "10" },
    runtime: { type: "string" },
    record: { type: "boolean", default: false },
  },
});
const minutes = Number(values.minutes);
if (!(minutes > 0)) throw new RangeError(`--minutes must be above 0, not ${values.minutes}`);
if (values.runtime !== undefined && RUNTIMES[values.runtime] === undefined) {
  throw new RangeError(`--runtime must be bun or deno, not ${values.runtime}`);
}
const runtimes = values.runtime === undefined ? Object.keys(RUNTIMES) : [values.runtime];
const results = await Promise.all(runtimes.map(async (runtime) => {
  const { line, faults } = await soak(runtime, minutes);
  const verdict = faults.length === 0 ? "ok" : `FAILED: ${faults.join("; ")}`;
  const told = `${runtime}: ${verdict}: ${line}`;
  console.log(told);
  return { told, isGood: faults.length === 0 };
}));
if (values.record) {
  const date = new Date().toISOString().slice(0, 10);
  mkdirSync(here("../../bench/record"), { recursive: true });
  writeFileSync(
    here(`../../bench/record/${date}-soak.md`),
    `# Soak of ${date}\n\n\`bun tests/soak/run.ts --minutes ${minutes}\` on ` +
      `${cpus().length} cores (${cpus()[0]?.model.trim() ?? "unknown"}): ` +
      "a gateway under load, faults, aborts and\nresponses that nobody reads. Slopes are of the " +
      "part after warming up, with their standard error.\n\n" +
      results.map(({ told }) => `- ${told}\n`).join(""),
  );
}
process.exitCode = results.every(({ isGood }) => isGood) ? 0 : 1;
