/**
 * How much resident memory it takes to hold many leases, or to have many wait, in a process of its
 * own: `--name NAME --held N --waiting N` prints bytes.
 *
 * @module
 */
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { createPool } from "generic-pool";
import { Pool } from "tarn";
import { UpstreamPool } from "../../mod.ts";

/** Those whose memory is measured. */
export const HOLDERS = ["sluice", "generic-pool", "tarn"] as const;

/** One of {@linkcode HOLDERS}. */
export type Holder = (typeof HOLDERS)[number];

type Acquire = () => Promise<unknown>;

const PATIENCE = 600_000;

function acquireFrom(holder: Holder, slots: number): Acquire {
  switch (holder) {
    case "sluice": {
      const pool = new UpstreamPool({
        name: "memory",
        upstreams: [{ id: "only", maxInFlight: slots }],
        queue: { max: 131_072, timeoutMs: PATIENCE },
      });
      return () => pool.acquire();
    }
    case "generic-pool": {
      const factory = { create: () => Promise.resolve({}), destroy: () => Promise.resolve() };
      const pool = createPool(factory, { max: slots, acquireTimeoutMillis: PATIENCE });
      return async () => await pool.acquire();
    }
    case "tarn": {
      const pool = new Pool<object>({
        create: () => ({}),
        destroy: () => {},
        min: 0,
        max: slots,
        acquireTimeoutMillis: PATIENCE,
      });
      return () => pool.acquire().promise;
    }
  }
}

if (import.meta.main) {
  const { values } = parseArgs({
    args: process.argv.slice(2),
    options: { name: { type: "string" }, held: { type: "string" }, waiting: { type: "string" } },
  });
  const held = Number(values.held);
  const waiting = Number(values.waiting);
  const acquire = acquireFrom(values.name as Holder, Math.max(1, held));
  const holder = values.name as Holder;
  if (held === 0) await acquire();
  // The code itself is loaded and warm before the first look.
  const warm = acquireFrom(holder === "sluice" ? "tarn" : holder, 1);
  await warm();
  await sleep(100);
  const kept: unknown[] = [];
  const before = process.memoryUsage().rss;
  for (let i = 0; i < held; i++) kept.push(await acquire());
  for (let i = 0; i < waiting; i++) kept.push(acquire());
  await sleep(100);
  const bytes = (process.memoryUsage().rss - before) / (held + waiting);
  console.log(JSON.stringify({ bytes, kept: kept.length }));
  process.exit(0);
}
