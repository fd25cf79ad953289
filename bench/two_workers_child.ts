/**
 * A Worker that contends with another one for a limiter or a pool. Started by `two_workers.ts`.
 *
 * @module
 */
import { setImmediate as turn } from "node:timers/promises";
import { UpstreamPool } from "../mod.ts";
import { AtomicsGcra, reopenLimiter } from "./gcra.ts";
import { type Contended, FREE, IN_USE, MOST_IN_USE, type Order, SLOTS } from "./two_workers.ts";

interface Scope {
  onmessage: ((event: MessageEvent<Order | "go">) => void) | null;
  postMessage(message: Contended | "ready"): void;
}

/** Checks between two readings of the clock. */
const CHECKS_PER_LOOK = 512;
const TASKS = 8;
const MAX_WAITS = 1_000_000;
const scope = globalThis as unknown as Scope;

scope.onmessage = ({ data: order }) => {
  if (order === "go") return;
  const contend = order.bucket === undefined ? acquiring(order) : checking(order);
  // All Workers start when all are ready.
  scope.onmessage = async () => scope.postMessage(await contend());
  scope.postMessage("ready");
};

function checking(order: Order): () => Contended {
  const check = order.sharing === "sluice" ? throughSluice(order) : throughAtomics(order);
  return () => {
    let [operations, admitted] = [0, 0];
    for (const end = performance.now() + order.ms; performance.now() < end;) {
      admitted += check(CHECKS_PER_LOOK);
      operations += CHECKS_PER_LOOK;
    }
    return { operations, admitted, waits: new Float64Array() };
  };
}

function throughSluice({ name, bucket, key }: Order): (times: number) => number {
  const limiter = reopenLimiter(name, bucket!);
  const handle = limiter.key(`tenant-${key}`);
  return (times) => {
    let admitted = 0;
    for (let i = 0; i < times; i++) if (limiter.take(handle).allowed) admitted++;
    return admitted;
  };
}

function throughAtomics({ memory, bucket, key, origin }: Order): (times: number) => number {
  const gcra = new AtomicsGcra(memory, bucket!);
  const index = AtomicsGcra.STRIDE * key!;
  const offset = performance.timeOrigin - origin!;
  return (times) => {
    let admitted = 0;
    for (let i = 0; i < times; i++) {
      if (gcra.take(index, (offset + performance.now()) * 1000 | 0) === 0) admitted++;
    }
    return admitted;
  };
}

function acquiring({ sharing, name, ms, holds, memory }: Order): () => Promise<Contended> {
  const words = new Int32Array(memory);
  const acquire = sharing === "sluice" ? poolOf(name) : semaphore(words);
  return async () => {
    const waits: number[] = [];
    let operations = 0;
    const end = performance.now() + ms;
    await Promise.all(Array.from({ length: TASKS }, async () => {
      for (let now = performance.now(); now < end; now = performance.now()) {
        const release = await acquire();
        if (waits.length < MAX_WAITS) waits.push((performance.now() - now) * 1e6);
        operations++;
        const inUse = Atomics.add(words, IN_USE, 1) + 1;
        if (inUse > Atomics.load(words, MOST_IN_USE)) Atomics.store(words, MOST_IN_USE, inUse);
        if (holds) await turn();
        Atomics.sub(words, IN_USE, 1);
        release();
      }
    }));
    return { operations, admitted: operations, waits: Float64Array.from(waits) };
  };
}

function poolOf(name: string): () => Promise<() => void> {
  const pool = new UpstreamPool({ name, upstreams: [{ id: "only", maxInFlight: SLOTS }] });
  return async () => {
    const lease = await pool.acquire();
    return () => lease.release();
  };
}

/** Not fair: a newcomer may overtake those that wait. */
function semaphore(words: Int32Array): () => Promise<() => void> {
  const release = () => {
    Atomics.add(words, FREE, 1);
    Atomics.notify(words, FREE, 1);
  };
  return async () => {
    for (;;) {
      const free = Atomics.load(words, FREE);
      if (free > 0) {
        if (Atomics.compareExchange(words, FREE, free, free - 1) === free) return release;
        continue;
      }
      // With a timeout, since a notification can go to one that was overtaken.
      const wait = Atomics.waitAsync(words as Int32Array<SharedArrayBuffer>, FREE, 0, 20);
      if (wait.async) await wait.value;
    }
  };
}
