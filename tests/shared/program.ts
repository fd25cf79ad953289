/** A program of the rig in a process of its own, that answers by lines of JSON on its standard output. */
import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import { createInterface } from "node:readline";
import type { RuntimeName } from "../../bench/machine.ts";
import { executable, runArguments } from "../../bench/runtimes.ts";
import { endWithThisProcess } from "../support/end_with_this_process.ts";

/** Bun limits the requests that a process has open, and waits with the others. */
const ENVIRONMENT = { BUN_CONFIG_MAX_HTTP_REQUESTS: "16384", NO_COLOR: "1" };

export class Program {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #name: string;
  #errors = "";

  constructor(
    runtime: RuntimeName,
    name: string,
    settings: unknown,
    environment: Readonly<Record<string, string>> = {},
  ) {
    this.#name = `${name} in ${runtime}`;
    const file = new URL(`${name}.ts`, import.meta.url);
    this.#child = spawn(
      executable(runtime),
      runArguments(runtime, file, [JSON.stringify(settings)]),
      {
        stdio: ["ignore", "pipe", "pipe"],
        env: { ...process.env, ...ENVIRONMENT, ...environment },
      },
    );
    endWithThisProcess(this.#child);
    this.#child.stderr!.setEncoding("utf8").on("data", (text: string) => this.#errors += text);
    this.#lines = createInterface({ input: this.#child.stdout! })[Symbol.asyncIterator]();
  }

  /** The next line. Throws if the program ends before. */
  async answer<Answer>(): Promise<Answer> {
    const { done, value } = await this.#lines.next();
    if (done) throw new Error(`${this.#name} ended with ${await this.ended()}:\n${this.#errors}`);
    return JSON.parse(value) as Answer;
  }

  /** Whatever it wrote to its standard error. */
  get errors(): string {
    return this.#errors;
  }

  /** Sends a signal. */
  signal(signal: "SIGKILL" | "SIGSTOP" | "SIGCONT" | "SIGTERM"): void {
    process.kill(this.#child.pid!, signal);
  }

  /** Waits for its end: its exit code, or the signal that ended it. */
  ended(): Promise<number | string | null> {
    const child = this.#child;
    if (child.exitCode !== null || child.signalCode !== null) {
      return Promise.resolve(child.exitCode ?? child.signalCode);
    }
    return new Promise((resolve) => child.once("exit", (code, signal) => resolve(code ?? signal)));
  }

  /** Kills it, and waits until it is gone. */
  async kill(): Promise<void> {
    const ended = this.ended();
    this.#child.kill("SIGKILL");
    await ended;
  }
}
