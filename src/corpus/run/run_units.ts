/**
 * A work queue: runners take the pending units in order until there are none, or until the run is to end.
 *
 * @module
 */
import type { Commit, Plan } from "../plan/plan_types.ts";
import { shardName } from "../unit/names.ts";
import { addTotals, noTotals, type Totals } from "../unit/totals.ts";
import type { CorpusEvent, FailedEvent } from "./events.ts";
import { OutputError } from "../output_error.ts";
import type { Failure } from "./failure.ts";
import { OtherThread, OwnThread, type Runner } from "./threads.ts";

/** A runner that is to stop is killed after this many milliseconds. */
const STOP_MS = 1000;

/** The units of a run. */
export interface UnitQueue {
  readonly out: string;
  readonly plan: Plan;
  readonly pending: readonly number[];
  /** How many units of the run were committed before. */
  readonly committed: number;
  /** Bad lines of these. */
  readonly bad: number;
  /** More bad lines than this end the run. */
  readonly mostBad: number;
  readonly threads: number;
  readonly signal: AbortSignal | undefined;
  readonly emit: (event: CorpusEvent) => void;
  readonly onCommit: (commit: Commit) => void;
}

/** How the queue was left. */
export interface Left {
  readonly failed: readonly FailedEvent[];
  /** Whether there were more bad lines than allowed. */
  readonly isOverBad: boolean;
}

/**
 * Does all pending units.
 *
 * @throws {OutputError} If the folder cannot be written. The reason of the signal, if it aborts. What `emit` throws.
 * Nothing but committed units is left then.
 */
export async function runUnits(queue: UnitQueue): Promise<Left> {
  return await new Run(queue).finish();
}

class Run {
  readonly #queue: UnitQueue;
  readonly #stop = new SharedArrayBuffer(4);
  readonly #next: Iterator<number>;
  readonly #failed: FailedEvent[] = [];
  /** What is known of the units in work. */
  readonly #open = new Map<number, Readonly<Totals>>();
  readonly #done: Totals = noTotals();
  #committed: number;
  #fatal: Failure | undefined;
  #isOverBad = false;
  #thrown: { readonly error: unknown } | undefined;
  #toldAt = 0;

  constructor(queue: UnitQueue) {
    this.#queue = queue;
    this.#committed = queue.committed;
    this.#next = queue.pending.values();
  }

  async finish(): Promise<Left> {
    const { signal, bad, mostBad } = this.#queue;
    signal?.throwIfAborted();
    if (bad > mostBad) return { failed: [], isOverBad: true };
    const runners = this.#runners();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stop = () => {
      this.#halt();
      for (const runner of runners) runner.stop();
      timer = setTimeout(() => runners.forEach((runner) => runner.kill()), STOP_MS);
    };
    signal?.addEventListener("abort", stop);
    try {
      await Promise.all(runners.map((runner) => this.#work(runner)));
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", stop);
      for (const runner of runners) runner.close();
    }
    if (this.#thrown !== undefined) throw this.#thrown.error;
    signal?.throwIfAborted();
    if (this.#fatal !== undefined) throw new OutputError(this.#fatal.message, this.#fatal.code);
    this.#failed.sort((a, b) => a.unit - b.unit);
    return { failed: this.#failed, isOverBad: this.#isOverBad };
  }

  #runners(): Runner[] {
    const { out, plan, threads, pending, mostBad } = this.#queue;
    const setup = { out, plan, stop: this.#stop, stopsAtBad: mostBad === 0 };
    const count = Math.min(threads, pending.length);
    if (count <= 1) return count === 0 ? [] : [new OwnThread(setup)];
    return Array.from({ length: count }, () => new OtherThread(setup));
  }

  async #work(runner: Runner): Promise<void> {
    while (!this.#isHalted()) {
      const { value: unit, done } = this.#next.next();
      if (done) return;
      await this.#do(runner, unit);
    }
  }

  async #do(runner: Runner, unit: number): Promise<void> {
    const { plan, onCommit } = this.#queue;
    const emit = (event: CorpusEvent) => this.#emit(event);
    const outcome = await runner.do(unit, {
      onProgress: (totals) => {
        this.#open.set(unit, totals);
        this.#progress();
      },
      onBadLine: (line) => {
        emit({ event: "bad-line", unit, line });
        if (this.#queue.mostBad === 0) this.#overBad();
      },
    });
    this.#open.delete(unit);
    if ("commit" in outcome) {
      const { commit } = outcome;
      this.#committed++;
      addTotals(this.#done, commit);
      onCommit(commit);
      emit({ event: "committed", name: shardName(unit, plan.units.length), commit });
      return this.#progress();
    }
    const { failure } = outcome;
    if (failure.kind === "stopped" || this.#isHalted()) return;
    if (failure.kind === "output") {
      this.#fatal ??= failure;
      return this.#halt();
    }
    const name = shardName(unit, plan.units.length);
    const failed = { event: "failed", name, unit, message: failure.message } as const;
    this.#failed.push(failed);
    emit(failed);
  }

  #progress(): void {
    const { bad: badBefore, mostBad } = this.#queue;
    const sum = noTotals();
    for (const totals of [this.#done, ...this.#open.values()]) addTotals(sum, totals);
    if (badBefore + sum.bad > mostBad) this.#overBad();
    const now = performance.now();
    if (now - this.#toldAt < 250 && this.#open.size > 0) return;
    this.#toldAt = now;
    const { inputBytes: bytes, documents, tokens, bad } = sum;
    this.#emit({ event: "progress", committed: this.#committed, bytes, documents, tokens, bad });
  }

  /** An error of the listener ends the run. Thrown here, where messages of Workers arrive, it would end the process. */
  #emit(event: CorpusEvent): void {
    try {
      this.#queue.emit(event);
    } catch (error) {
      this.#thrown ??= { error };
      this.#halt();
    }
  }

  #overBad(): void {
    this.#isOverBad = true;
    this.#halt();
  }

  #halt(): void {
    Atomics.store(new Int32Array(this.#stop), 0, 1);
  }

  #isHalted(): boolean {
    return Atomics.load(new Int32Array(this.#stop), 0) !== 0;
  }
}
