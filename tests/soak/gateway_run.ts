/**
 * The soak of a gateway in one runtime: it samples the memory, files, leases and reservations of a gateway that serves
 * clients and upstreams with faults and aborts. Needs Linux, as it reads /proc.
 *
 * @module
 */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import process from "node:process";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import type { RuntimeName } from "../../bench/machine.ts";
import { executable, runArguments } from "../../bench/runtimes.ts";
import { judge, type Sample } from "./sample.ts";

/** Samples of a run, but at most one a second. */
const SAMPLES = 240;
/** Time for forgotten responses and reservations to be collected: reservations live 5 s. */
const SETTLE_MS = 10_000;

/** A process that answers line by line. */
class Program {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: AsyncIterator<string>;

  constructor(runtime: RuntimeName, path: string, ...args: string[]) {
    const all = runArguments(runtime, new URL(path, import.meta.url), args);
    // Runtimes print every connection reset.
    const stdio = ["pipe", "pipe", process.env["SLUICE_SOAK_VERBOSE"] ? "inherit" : "ignore"];
    this.#child = spawn(executable(runtime), all, { stdio: stdio as never }) as never;
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

/** Runs the gateway and its load in a runtime, and judges the samples. */
export async function soakGateway(
  runtime: RuntimeName,
  minutes: number,
): Promise<{ line: string; faults: string[] }> {
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
