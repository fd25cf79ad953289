/**
 * The harness of the soaks of shared state: Workers that run random operations and are killed at random, invariants
 * that are checked in the meantime, and a report at the end. The process exits with 1 if an invariant was violated.
 *
 * @module
 */
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { runtimeVersion } from "../../bench/machine.ts";
import type { InUse } from "./in_use.ts";
import "../support/web_worker.ts";

/** How many Workers run at a time. */
export const WORKERS = 4;

/** Without progress for this long, the soak reports a deadlock. */
const STALL_MS = 3000;
/** Growth of the resident set, from the second fifth of the time to the last, that counts as a leak. */
const MAX_GROWTH = 0.25;
/** In shorter runs the start of the runtime dominates the resident set. */
const MIN_MINUTES_FOR_GROWTH = 1;

/** The value of `--minutes`; 10 by default. */
export function minutesArgument(): number {
  const { values } = parseArgs({
    args: process.argv.slice(2),
    options: { minutes: { type: "string", default: "10" } },
  });
  const minutes = Number(values.minutes);
  if (!(minutes > 0)) throw new RangeError(`--minutes must be above 0, not ${values.minutes}`);
  return minutes;
}

/** What differs between two soaks. */
export interface SoakPlan {
  readonly name: string;
  /** The module of the Workers. */
  readonly worker: URL;
  readonly minutes: number;
  readonly inUse: InUse;
  /** The first message to the Worker with this row in the counts. */
  order(row: number): unknown;
  /** Checks the invariants that hold at every moment. */
  check(): void;
  /** A number that grows as long as the Workers make progress. */
  progress(): number;
}

/** One soak. */
export class Soak {
  readonly #plan: SoakPlan;
  readonly #workers: Worker[] = [];
  readonly #violations = new Map<string, number>();
  readonly #rss = { early: 0, late: 0 };
  #row = 0;
  #kills = 0;
  #checks = 0;

  constructor(plan: SoakPlan) {
    this.#plan = plan;
  }

  /** Notes a violated invariant. */
  violated(what: string, times = 1): void {
    this.#violations.set(what, (this.#violations.get(what) ?? 0) + times);
  }

  /** Runs the Workers for the whole time, then kills all of them. */
  async run(): Promise<void> {
    const { minutes, check, progress } = this.#plan;
    const milliseconds = minutes * 60_000;
    for (let index = 0; index < WORKERS; index++) this.#start(index);
    const begin = performance.now();
    let nextKill = begin + 500;
    let last = 0;
    let lastProgress = begin;
    for (let now = begin; now < begin + milliseconds; now = performance.now()) {
      check();
      this.#checks++;
      const count = progress();
      if (count > last) [last, lastProgress] = [count, now];
      else if (now - lastProgress > STALL_MS) {
        this.violated(`no progress for ${STALL_MS} ms`);
        lastProgress = now;
      }
      if (now > nextKill) {
        const index = Math.floor(Math.random() * WORKERS);
        this.#kill(index);
        this.#start(index);
        this.#kills++;
        nextKill = now + 200 + Math.random() * 600;
      }
      this.#lookAtMemory((now - begin) / milliseconds);
      await sleep(2);
    }
    for (let index = 0; index < WORKERS; index++) this.#kill(index);
    const growth = this.#rss.late / this.#rss.early - 1;
    if (minutes >= MIN_MINUTES_FOR_GROWTH && growth > MAX_GROWTH) {
      this.violated(`the resident set grew by ${Math.round(100 * growth)} %`);
    }
  }

  /** Prints the report and ends the process. */
  report(lines: readonly string[]): never {
    const { name, minutes } = this.#plan;
    const megabytes = (bytes: number) => `${Math.round(bytes / 2 ** 20)} MB`;
    const { early, late } = this.#rss;
    console.log(`${name} soak, ${runtimeVersion()}, ${minutes} minutes, ${WORKERS} Workers`);
    for (const line of lines) console.log(`  ${line}`);
    console.log(`  ${this.#kills} Workers killed; ${number(this.#checks)} checks`);
    console.log(`  resident set: ${megabytes(early)} early, ${megabytes(late)} late`);
    for (const [what, times] of this.#violations) console.log(`  VIOLATED ${times} times: ${what}`);
    const isGood = this.#violations.size === 0;
    console.log(isGood ? "  all invariants held" : "  invariants were violated");
    process.exit(isGood ? 0 : 1);
  }

  #start(index: number): void {
    const row = ++this.#row;
    this.#plan.inUse.begin(index, row);
    const worker = new Worker(this.#plan.worker, { type: "module" });
    worker.onerror = ({ message }) => void this.violated(`a Worker failed: ${message}`);
    worker.postMessage(this.#plan.order(row));
    this.#workers[index] = worker;
  }

  /** Uncounts the Worker first: it may go on for a moment after it was terminated. */
  #kill(index: number): void {
    this.#plan.inUse.end(index);
    this.#workers[index]?.terminate();
  }

  #lookAtMemory(share: number): void {
    const resident = process.memoryUsage().rss;
    if (share > 0.2 && share < 0.4) this.#rss.early = Math.max(this.#rss.early, resident);
    if (share > 0.8) this.#rss.late = Math.max(this.#rss.late, resident);
  }
}

/** Waits until `isDone`, or for at most `ms`, with `step` in between. */
export async function until(
  isDone: () => boolean,
  ms: number,
  step: () => void = () => {},
): Promise<void> {
  for (const end = performance.now() + ms; !isDone() && performance.now() < end;) {
    step();
    await sleep(10);
  }
}

/** A number with separators of thousands. */
export function number(value: number): string {
  return value.toLocaleString("en");
}
