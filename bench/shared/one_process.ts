/**
 * What a decision costs one process: its wait, the processor time of both sides, and the calls of the server.
 *
 * @module
 */
import type { Redis } from "ioredis";
import process from "node:process";
import { rounded } from "../measure.ts";
import { expect, progress } from "../program.ts";
import { type ContenderName, NAMES, openContender } from "./contenders.ts";
import type { Decider, SharedLimit } from "./limit.ts";
import { pace, quantile } from "./pace.ts";
import { bytesPerKey, connect, resetCost, scriptCost, startStore } from "./store.ts";

/** A limit that is not reached, so that every decision is an admission. */
const OPEN: SharedLimit = { rate: 1e6, burst: 1e6, processes: 1, timeoutMs: 5000 };
/** So slow that no key expires while it is looked at. */
const SLOW: SharedLimit = { rate: 0.1, burst: 1000, processes: 1, timeoutMs: 5000 };
const CONCURRENT = 100;
const PACED_PER_SECOND = 1000;

/** One way to limit; arrays have an entry for each round. */
export interface OneProcessCell {
  readonly part: "one";
  readonly name: ContenderName;
  /** Microseconds of a decision, one after the other. */
  readonly p50: number[];
  readonly p99: number[];
  /** Decisions a second with 100 at a time. */
  readonly perSecond: number[];
  /** Microseconds of this process's CPU a decision with 100 at a time. */
  readonly cpu: number[];
  /** Microseconds of the server a call, of one decision or what decisions one after the other need. */
  readonly server: number[];
  /** Calls a decision at 1,000 a second of one key. */
  readonly calls: number[];
  /** Bytes of the server a key. */
  readonly bytes: number;
}

/** Sizes of a run. */
interface Extent {
  readonly rounds: number;
  readonly single: number;
  readonly concurrent: number;
  readonly pacedMs: number;
  readonly keys: number;
}

const FULL: Extent = { rounds: 5, single: 2000, concurrent: 20_000, pacedMs: 2000, keys: 1000 };
const BRIEF: Extent = { rounds: 1, single: 50, concurrent: 200, pacedMs: 200, keys: 50 };

/** Measures every way in turns, so that a busy moment of the machine affects all alike. */
export async function oneProcess(brief: boolean): Promise<OneProcessCell[]> {
  const extent = brief ? BRIEF : FULL;
  await using store = await startStore();
  const client = await connect(store.port);
  const cells: OneProcessCell[] = [];
  for (const name of NAMES) {
    const bytes = await memoryOf(client, name, extent.keys);
    cells.push({
      part: "one",
      name,
      p50: [],
      p99: [],
      perSecond: [],
      cpu: [],
      server: [],
      calls: [],
      bytes,
    });
  }
  for (let round = 0; round < extent.rounds; round++) {
    for (const cell of cells) {
      progress(`shared: one process, round ${round + 1}, ${cell.name}`);
      await client.flushall();
      const decider = openContender(cell.name, client, OPEN);
      await measure(client, decider, cell, extent);
      await decider.close?.();
    }
  }
  client.disconnect();
  return cells;
}

async function measure(
  client: Redis,
  decider: Decider,
  cell: OneProcessCell,
  { single, concurrent, pacedMs }: Extent,
): Promise<void> {
  const decide = async (key: string) => {
    expect(await decider.decide(key), `${cell.name} admits where there is room`);
  };
  for (let i = 0; i < single / 4; i++) await decide("warm-up");

  await resetCost(client);
  const times: number[] = [];
  for (let i = 0; i < single; i++) {
    const start = performance.now();
    await decide("single");
    times.push(1000 * (performance.now() - start));
  }
  times.sort((a, b) => a - b);
  cell.p50.push(rounded(quantile(times, 0.5)));
  cell.p99.push(rounded(quantile(times, 0.99)));
  cell.server.push(rounded((await scriptCost(client)).microseconds));

  const [cpu, start] = [process.cpuUsage(), performance.now()];
  let left = concurrent;
  await Promise.all(Array.from({ length: CONCURRENT }, async () => {
    while (left-- > 0) await decide("concurrent");
  }));
  const { user, system } = process.cpuUsage(cpu);
  cell.perSecond.push(rounded(1000 * concurrent / (performance.now() - start)));
  cell.cpu.push(rounded((user + system) / concurrent));

  await resetCost(client);
  const { admitted, errors } = await pace(decider, ["paced"], PACED_PER_SECOND, pacedMs);
  expect(errors === 0 && admitted.length > 0, `${cell.name} decides without errors`);
  cell.calls.push(rounded((await scriptCost(client)).calls / admitted.length));
}

/** The bytes that a key takes on the server, after one decision. */
async function memoryOf(client: Redis, name: ContenderName, count: number): Promise<number> {
  await client.flushall();
  const decider = openContender(name, client, SLOW);
  await Promise.all(Array.from({ length: count }, (_, i) => decider.decide(`tenant-${i}`)));
  // Periodic synchronization writes later.
  await new Promise((resolve) => setTimeout(resolve, 150));
  const bytes = await bytesPerKey(client, count);
  await decider.close?.();
  return rounded(bytes);
}
