/**
 * Pools and semaphores beside each other, each in its own words and with call sites of its own: a
 * shared loop would be slow for all of them, and slowest for the fastest.
 *
 * All guard the same thing, `slots` permits, and those that know a time limit for waiting have one,
 * as ours has. What they do not do, ours does: tell upstreams apart, watch health, share between
 * Workers.
 *
 * @module
 */
import { Sema } from "async-sema";
import { createPool } from "generic-pool";
import pLimit from "p-limit";
import { Pool } from "tarn";
import { UpstreamPool } from "../../mod.ts";

/** One of them, open. */
export interface Rival {
  /** Acquires and gives back `times` times, with nobody else there. */
  pairs(times: number): void | Promise<void>;
  /** Gives the one permit there is round among all tasks until it was had `times` times. */
  line?(tasks: number, times: number): Promise<void>;
  close(): void | Promise<void>;
}

/** The names, as tables show them; ours first. */
export const RIVALS = [
  "sluice, tryAcquire",
  "sluice, acquire",
  "sluice, batches of 64",
  "generic-pool",
  "tarn",
  "async-sema, tryAcquire",
  "async-sema",
  "p-limit",
  "SharedArrayBuffer + Atomics",
  "owner Worker",
] as const;

/** One of {@linkcode RIVALS}. */
export type RivalName = (typeof RIVALS)[number];

/** Those that a line forms in front of, within one Worker. */
export const LINED: readonly RivalName[] = [
  "sluice, acquire",
  "generic-pool",
  "tarn",
  "async-sema",
  "p-limit",
];

/** How long one may wait, in milliseconds. */
const PATIENCE = 120_000;

let opened = 0;

/** Opens one with so many permits. */
export async function openRival(name: RivalName, slots: number): Promise<Rival> {
  switch (name) {
    case "sluice, tryAcquire":
    case "sluice, acquire":
    case "sluice, batches of 64":
      return sluice(name, slots);
    case "generic-pool":
      return genericPool(slots);
    case "tarn":
      return tarn(slots);
    case "async-sema":
    case "async-sema, tryAcquire":
      return asyncSema(name, slots);
    case "p-limit":
      return limit(slots);
    case "SharedArrayBuffer + Atomics":
      return atomics(slots);
    case "owner Worker":
      return await owner(slots);
  }
}

function sluice(name: RivalName, slots: number): Rival {
  const pool = new UpstreamPool({
    name: `bench ${opened++}`,
    upstreams: [{ id: "only", maxInFlight: slots }],
    queue: { max: 131_072, timeoutMs: PATIENCE },
  });
  const close = () => pool.close();
  if (name === "sluice, tryAcquire") {
    return {
      pairs(times) {
        for (let i = 0; i < times; i++) pool.tryAcquire()!.release();
      },
      close,
    };
  }
  if (name === "sluice, batches of 64") {
    return {
      pairs(times) {
        for (let i = 0; i < times; i += 64) pool.releaseBatch(pool.acquireBatch(64));
      },
      close,
    };
  }
  return {
    async pairs(times) {
      for (let i = 0; i < times; i++) (await pool.acquire()).release();
    },
    async line(tasks, times) {
      let left = times;
      await together(tasks, async () => {
        while (left-- > 0) (await pool.acquire()).release();
      });
    },
    close,
  };
}

function genericPool(slots: number): Rival {
  const pool = createPool<object>(
    { create: () => Promise.resolve({}), destroy: () => Promise.resolve() },
    { max: slots, acquireTimeoutMillis: PATIENCE },
  );
  return {
    async pairs(times) {
      for (let i = 0; i < times; i++) await pool.release(await pool.acquire());
    },
    async line(tasks, times) {
      let left = times;
      await together(tasks, async () => {
        while (left-- > 0) await pool.release(await pool.acquire());
      });
    },
    async close() {
      await pool.drain();
      await pool.clear();
    },
  };
}

function tarn(slots: number): Rival {
  const pool = new Pool<object>({
    create: () => ({}),
    destroy: () => {},
    min: 0,
    max: slots,
    acquireTimeoutMillis: PATIENCE,
  });
  return {
    async pairs(times) {
      for (let i = 0; i < times; i++) pool.release(await pool.acquire().promise);
    },
    async line(tasks, times) {
      let left = times;
      await together(tasks, async () => {
        while (left-- > 0) pool.release(await pool.acquire().promise);
      });
    },
    close: async () => void await pool.destroy(),
  };
}

function asyncSema(name: RivalName, slots: number): Rival {
  const sema = new Sema(slots, { capacity: 131_072 });
  if (name === "async-sema, tryAcquire") {
    return {
      pairs(times) {
        for (let i = 0; i < times; i++) {
          sema.tryAcquire();
          sema.release();
        }
      },
      close() {},
    };
  }
  return {
    async pairs(times) {
      for (let i = 0; i < times; i++) {
        await sema.acquire();
        sema.release();
      }
    },
    async line(tasks, times) {
      let left = times;
      await together(tasks, async () => {
        while (left-- > 0) {
          await sema.acquire();
          sema.release();
        }
      });
    },
    close() {},
  };
}

function limit(slots: number): Rival {
  const limited = pLimit(slots);
  const nothing = () => {};
  return {
    async pairs(times) {
      for (let i = 0; i < times; i++) await limited(nothing);
    },
    async line(tasks, times) {
      let left = times;
      await together(tasks, async () => {
        while (left-- > 0) await limited(nothing);
      });
    },
    close() {},
  };
}

function atomics(slots: number): Rival {
  const free = new Int32Array(new SharedArrayBuffer(4));
  free[0] = slots;
  return {
    pairs(times) {
      for (let i = 0; i < times; i++) {
        for (;;) {
          const seen = Atomics.load(free, 0);
          if (seen > 0 && Atomics.compareExchange(free, 0, seen, seen - 1) === seen) break;
        }
        Atomics.add(free, 0, 1);
      }
    },
    close() {},
  };
}

async function owner(slots: number): Promise<Rival> {
  const worker = new Worker(new URL("owner.ts", import.meta.url), { type: "module" });
  const { port1, port2 } = new MessageChannel();
  await new Promise<void>((resolve, reject) => {
    worker.onmessage = () => resolve();
    worker.onerror = ({ message }) => reject(new Error(message));
    worker.postMessage({ slots, port: port2 }, [port2]);
  });
  let granted = () => {};
  port1.onmessage = () => granted();
  return {
    async pairs(times) {
      for (let i = 0; i < times; i++) {
        const grant = new Promise<void>((resolve) => granted = resolve);
        port1.postMessage(1);
        await grant;
        port1.postMessage(-1);
      }
    },
    close() {
      port1.close();
      worker.terminate();
    },
  };
}

/** Runs so many tasks at a time. */
async function together(tasks: number, task: () => Promise<void>): Promise<void> {
  await Promise.all(Array.from({ length: tasks }, task));
}
