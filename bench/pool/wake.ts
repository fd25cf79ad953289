/**
 * How soon who waits in another Worker is woken, and what waiting costs, by how often the safety poll
 * looks: with bells, which is how it is, and without, which is what a lost ring costs.
 *
 * Run by itself with `--poll N --ms N`, it waits in this process and prints what that took of a core.
 *
 * @module
 */
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { UpstreamPool } from "../../mod.ts";
import { PoolMember } from "../../src/pool/member.ts";
import type { PoolOptions } from "../../src/pool/options.ts";
import { packPool } from "../../src/pool/settings.ts";
import { rounded } from "../measure.ts";
import { monotonicClock } from "../monotonic.ts";
import { progress } from "../program.ts";
import { runSelf } from "../runtimes.ts";
import { type PoolCell, roundedSpread, type Waking } from "./cells.ts";
import type { Wait } from "./waiter.ts";

/** How often to look, in milliseconds. */
const POLLS = [5, 20, 100];
const WAKINGS: readonly Waking[] = ["bell and poll", "poll alone"];

/** Each way of waking with each period. */
export async function wakes(brief: boolean): Promise<PoolCell[]> {
  const cells: PoolCell[] = [];
  for (const pollMs of brief ? [20] : POLLS) {
    const args = ["--poll", `${pollMs}`, "--ms", brief ? "100" : "5000"];
    const { idleCpu } = JSON.parse(await runSelf("pool/wake.ts", args)) as { idleCpu: number };
    for (const name of WAKINGS) {
      progress(`pool: wake, ${name}, every ${pollMs} ms`);
      const [first, ...waits] = await woken(name, pollMs, brief ? 5 : 300);
      const sorted = Float64Array.from(waits).sort();
      cells.push({
        part: "wake",
        name,
        pollMs,
        ...roundedSpread(waits),
        wait99: rounded(sorted[Math.floor(0.99 * sorted.length)]!),
        first: rounded(first!),
        idleCpu,
      });
    }
  }
  return cells;
}

/** Nanoseconds from each release here to the wake of who waits there. */
async function woken(name: Waking, pollMs: number, times: number): Promise<number[]> {
  const options = one(`wake, ${name}, ${pollMs}`);
  using pool = new UpstreamPool(options);
  const worker = new Worker(new URL("waiter.ts", import.meta.url), { type: "module" });
  const wokenAt = new Float64Array(new SharedArrayBuffer(8));
  const order: Wait = { pool: options, pollMs, hasBell: name === "bell and poll", wokenAt };
  const clock = monotonicClock();
  const waits: number[] = [];
  for (let i = 0; i < times; i++) {
    const lease = await pool.acquire();
    await new Promise<void>((resolve, reject) => {
      worker.onmessage = () => resolve();
      worker.onerror = ({ message }) => reject(new Error(message));
      worker.postMessage(order);
    });
    // At any phase of the poll.
    await sleep(5 + Math.random() * pollMs);
    const released = clock();
    lease.release();
    // Asleep meanwhile: who spins may keep the other from the core that it wakes on.
    while (wokenAt[0]! < released) await sleep(1);
    waits.push((wokenAt[0]! - released) * 1e6);
  }
  worker.terminate();
  return waits;
}

function one(name: string): PoolOptions {
  return { name, upstreams: [{ id: "only", maxInFlight: 1 }] };
}

if (import.meta.main) {
  const { values } = parseArgs({
    args: process.argv.slice(2),
    options: { poll: { type: "string" }, ms: { type: "string" } },
  });
  const packed = packPool(one("idle"));
  const member = new PoolMember(packed.title, packed, Number(values.poll));
  await member.acquire(undefined, 0, 60_000, undefined);
  const wait = member.acquire(undefined, 0, 600_000, undefined);
  await sleep(200);
  const before = process.cpuUsage();
  const start = performance.now();
  await sleep(Number(values.ms));
  const { user, system } = process.cpuUsage(before);
  const idleCpu = rounded((user + system) / 10 / (performance.now() - start));
  console.log(JSON.stringify({ idleCpu, waiting: wait instanceof Promise }));
  process.exit(0);
}
