/**
 * A Worker that contends with others for a few permits.
 *
 * @module
 */
import { setImmediate as turn } from "node:timers/promises";
import { UpstreamPool } from "../../mod.ts";
import type { Contest, Contested } from "./contest.ts";

/** Acquires and returns how to give back. */
type Acquire = () => Promise<() => void>;

interface Scope {
  onmessage: ((event: MessageEvent<Contest>) => void) | null;
  postMessage(message: Contested): void;
}

const FREE = 0;
const IN_USE = 1;
const MOST = 2;
const LONGEST = 4_000_000;

async function contend({ sharing, name, slots, tasks, ms, holds, shared, port }: Contest) {
  const words = new Int32Array(shared);
  const acquire = {
    "sluice": () => throughSluice(name, slots),
    "SharedArrayBuffer + Atomics": () => throughAtomics(words),
    "owner Worker": () => throughOwner(port!),
  }[sharing]();
  const waits = new Float64Array(LONGEST);
  let operations = 0;
  const end = performance.now() + ms;
  await Promise.all(Array.from({ length: tasks }, async () => {
    for (let now = performance.now(); now < end;) {
      const asked = now;
      const release = await acquire();
      now = performance.now();
      if (operations < LONGEST) waits[operations] = (now - asked) * 1000;
      operations++;
      const inUse = Atomics.add(words, IN_USE, 1) + 1;
      if (inUse > Atomics.load(words, MOST)) Atomics.store(words, MOST, inUse);
      if (holds) await turn();
      Atomics.sub(words, IN_USE, 1);
      release();
      if (holds) now = performance.now();
    }
  }));
  return { operations, waits: waits.slice(0, Math.min(operations, LONGEST)) };
}

function throughSluice(name: string, slots: number): Acquire {
  const pool = new UpstreamPool({ name, upstreams: [{ id: "only", maxInFlight: slots }] });
  return async () => {
    const lease = await pool.acquire();
    return () => lease.release();
  };
}

function throughAtomics(words: Int32Array): Acquire {
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
      // Not fair: who comes at the right moment goes ahead of who waits. With a limit, since a
      // notification can go to somebody who was overtaken.
      const wait = Atomics.waitAsync(words as Int32Array<SharedArrayBuffer>, FREE, 0, 20);
      if (wait.async) await wait.value;
    }
  };
}

function throughOwner(port: MessagePort): Acquire {
  const granted = new Map<number, () => void>();
  let last = 0;
  port.onmessage = ({ data }: MessageEvent<number>) => {
    granted.get(data)?.();
    granted.delete(data);
  };
  const release = () => port.postMessage(-1);
  return () =>
    new Promise((resolve) => {
      granted.set(++last, () => resolve(release));
      port.postMessage(last);
    });
}

const scope = globalThis as unknown as Scope;
scope.onmessage = async ({ data }) => scope.postMessage(await contend(data));
