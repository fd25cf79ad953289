/**
 * Runners: the calling thread, or a Worker, as something that does one unit after the other.
 *
 * @module
 */
import process from "node:process";
import { Worker, type WorkerOptions } from "node:worker_threads";
import type { Commit } from "../plan/plan_types.ts";
import type { BadLine } from "../unit/quarantine.ts";
import type { Totals } from "../unit/totals.ts";
import { Workshop } from "../unit/tokenize_unit.ts";
import { workerUrl } from "../worker_url.ts";
import { type Failure, failureOf, Stopped } from "./failure.ts";
import type { FromWorker, Setup, ToWorker } from "./messages.ts";

/** Progress is told so often, in milliseconds. */
export const PROGRESS_MS = 250;

/** What a runner tells during a unit. */
export interface Watch {
  /** What was read and made of the unit so far. */
  onProgress(totals: Readonly<Totals>): void;
  /** The first bad line of the unit. */
  onBadLine(line: BadLine): void;
}

/** A unit is committed, or why it is not. */
export type Outcome = { readonly commit: Commit } | { readonly failure: Failure };

/** Does one unit at a time. */
export interface Runner {
  do(unit: number, watch: Watch): Promise<Outcome>;
  /** Ends the work on a unit soon. */
  stop(): void;
  /** Ends it at once, whatever is left. */
  kill(): void;
  close(): void;
}

/** Does units in the calling thread. */
export class OwnThread implements Runner {
  readonly #workshop: Workshop;
  readonly #stop: Int32Array;
  readonly #stopsAtBad: boolean;
  /** Ends a read that waits, as one of standard input does while its writer waits. */
  readonly #waiting = new AbortController();
  /** Ends the wait for a unit that does not end. */
  #leave: () => void = () => {};

  constructor({ out, plan, stop, stopsAtBad }: Setup) {
    this.#workshop = new Workshop(out, plan);
    this.#stop = new Int32Array(stop);
    this.#stopsAtBad = stopsAtBad;
  }

  do(unit: number, watch: Watch): Promise<Outcome> {
    const left = new Promise<Outcome>((resolve) => {
      this.#leave = () => resolve({ failure: failureOf(new Stopped()) });
    });
    return Promise.race([this.#work(unit, watch), left]);
  }

  async #work(unit: number, watch: Watch): Promise<Outcome> {
    let told = 0;
    let hasBad = false;
    const checkStop = () => {
      if (Atomics.load(this.#stop, 0) !== 0) throw new Stopped();
    };
    try {
      checkStop();
      const commit = await this.#workshop.do(unit, {
        signal: this.#waiting.signal,
        onProgress: (totals) => {
          checkStop();
          const now = performance.now();
          if (now - told < PROGRESS_MS) return;
          told = now;
          watch.onProgress({ ...totals });
          checkStop();
        },
        onBadLine: (line) => {
          if (!hasBad) watch.onBadLine(line);
          hasBad = true;
          if (this.#stopsAtBad) Atomics.store(this.#stop, 0, 1);
          checkStop();
        },
      });
      return { commit };
    } catch (error) {
      return { failure: failureOf(error) };
    }
  }

  stop(): void {
    this.#waiting.abort(new Stopped());
  }

  kill(): void {
    this.#leave();
  }

  close(): void {
    this.#workshop[Symbol.dispose]();
  }
}

/** Does units in a Worker. If the Worker dies, its unit has failed, and the next one gets another Worker. */
export class OtherThread implements Runner {
  readonly #setup: Setup;
  #worker: Worker | undefined;
  /** What is called when the Worker ends during a unit. */
  #onEnd: (message: string) => void = () => {};

  constructor(setup: Setup) {
    this.#setup = setup;
  }

  async do(unit: number, watch: Watch): Promise<Outcome> {
    const worker = this.#worker ??= this.#start();
    const outcome = await new Promise<Outcome>((resolve) => {
      this.#onEnd = (message) => {
        this.close();
        resolve({
          failure: { kind: "unit", message: `its Worker died: ${message}`, code: undefined },
        });
      };
      worker.removeAllListeners("message").on("message", (data: FromWorker) => {
        switch (data.kind) {
          case "progress":
            return watch.onProgress(data.totals);
          case "bad-line":
            return watch.onBadLine(data.line);
          case "committed":
            return resolve({ commit: data.commit });
          case "failed":
            return resolve({ failure: data.failure });
        }
      });
      worker.postMessage({ unit } satisfies ToWorker);
    });
    this.#onEnd = () => {};
    return outcome;
  }

  close(): void {
    void this.#worker?.terminate();
    this.#worker = undefined;
  }

  /** It sees the word of the setup. */
  stop(): void {}

  /** Ends the Worker, and the unit with it. */
  kill(): void {
    this.#onEnd("it was stopped");
  }

  #start(): Worker {
    const worker = new Worker(workerUrl(), optionsOf(process.execArgv));
    const ended = (message: string) => {
      if (worker !== this.#worker) return;
      this.close(); // The next unit gets another one.
      this.#onEnd(message);
    };
    worker.on("error", (error: Error) => ended(error.message));
    worker.on("exit", () => ended("it exited"));
    worker.postMessage(this.#setup);
    return worker;
  }
}

/**
 * The options for a Worker of a program with these. It inherits them, unless they are those of a program that is given as
 * text: with `--input-type`, no Worker can run a file.
 */
function optionsOf(execArgv: readonly string[]): WorkerOptions | undefined {
  const isText = execArgv.some((option) => option.startsWith("--input-type"));
  return isText ? { execArgv: [] } : undefined;
}
