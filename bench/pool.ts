/**
 * Leases: what a pair of acquire and release costs beside the pools and semaphores of npm; handing
 * over between Workers; the line and the choice of an upstream as they grow; memory.
 *
 *     bun bench/pool.ts [--brief] [--out FILE]
 *     deno run -A bench/pool.ts [--brief] [--out FILE]
 *
 * @module
 */
import { UpstreamPool } from "../mod.ts";
import { median, rounded, type Spread, spread } from "./measure.ts";
import { type Contest, type Contested, type Sharing, SHARINGS } from "./pool/contest.ts";
import { HOLDERS } from "./pool/memory.ts";
import { LINED, openRival, type RivalName, RIVALS } from "./pool/rivals.ts";
import { type Bench, expect, program, progress } from "./program.ts";
import { runSelf } from "./runtimes.ts";
import { duration } from "./tables/duration.ts";
import { alignRight } from "./text_table.ts";

/** One measurement. */
export type PoolCell =
  /** Nanoseconds for acquire and release, nobody else there. */
  | (Spread & { readonly part: "pair"; readonly name: RivalName })
  /** Nanoseconds for a turn of a line of so many. */
  | (Spread & { readonly part: "line"; readonly name: RivalName; readonly waiters: number })
  /** Nanoseconds for acquire and release among so many upstreams. */
  | (Spread & { readonly part: "choice"; readonly name: Chooser; readonly upstreams: number })
  /** Two Workers, eight tasks each, four permits. Waits are in nanoseconds. */
  | {
    readonly part: "contest";
    readonly name: Sharing;
    /** Whether permits were held for a turn of the event loop. */
    readonly holds: boolean;
    /** Nanoseconds for an operation, over both Workers. */
    readonly median: number;
    readonly low: number;
    readonly high: number;
    readonly wait50: number;
    readonly wait99: number;
    readonly longest: number;
  }
  /** Bytes of resident memory for each that is held, or waits. */
  | (Spread & { readonly part: "memory"; readonly name: string; readonly of: "lease" | "waiter" });

/** Who chooses among upstreams: ours, or a loop over an array as gateways have it. */
export type Chooser = "sluice" | "loop over an array";

const WAITERS = [0, 10, 100, 1000, 10_000];
const UPSTREAMS = [1, 3, 10, 30, 100, 300, 1000];
const WORKERS = 2;
const TASKS = 8;
const SLOTS = 4;

const bench: Bench<PoolCell[]> = {
  name: "pool",

  async run(brief) {
    return [
      ...await pairs(brief),
      ...await lines(brief),
      ...choices(brief),
      ...await contests(brief),
      ...await memory(brief),
    ];
  },

  check(cells) {
    for (const { part, name, median } of cells) {
      // Resident memory comes in pages and may not have grown at all in a brief run.
      expect(part === "memory" || median > 0, `${part} of ${name} takes time`);
    }
    for (const part of ["pair", "line", "choice", "contest", "memory"]) {
      expect(cells.some((cell) => cell.part === part), `there is a ${part}`);
    }
  },

  describe(cells) {
    const rows = cells.map((cell) => {
      const show = (value: number) =>
        cell.part === "memory" ? `${Math.round(value)} B` : duration(value);
      return [
        titleOf(cell),
        show(cell.median),
        `${show(cell.low)} – ${show(cell.high)}`,
        cell.part === "contest"
          ? `waits: half ${duration(cell.wait50)}, 99 % ${duration(cell.wait99)}, ` +
            `longest ${duration(cell.longest)}`
          : "",
      ];
    });
    return alignRight([["", "median", "range", ""], ...rows]);
  },
};

function titleOf(cell: PoolCell): string {
  switch (cell.part) {
    case "pair":
      return `pair: ${cell.name}`;
    case "line":
      return `line of ${cell.waiters}: ${cell.name}`;
    case "choice":
      return `${cell.upstreams} upstreams: ${cell.name}`;
    case "contest":
      return `between Workers${cell.holds ? ", held for a turn" : ""}: ${cell.name}`;
    case "memory":
      return `memory of a ${cell.of}: ${cell.name}`;
  }
}

function roundedSpread(values: readonly number[]): Spread {
  const { median, low, high } = spread(values);
  return { median: rounded(median), low: rounded(low), high: rounded(high) };
}

/** All of them in turn, round by round, so that a busy moment of the machine hits all alike. */
async function pairs(brief: boolean): Promise<PoolCell[]> {
  const ms = brief ? 2 : 100;
  const runs = await Promise.all(RIVALS.map(async (name) => {
    const rival = await openRival(name, 100);
    return { name, rival, times: await calibrated((times) => rival.pairs(times), ms), ns: [] };
  })) as {
    name: RivalName;
    rival: Awaited<ReturnType<typeof openRival>>;
    times: number;
    ns: number[];
  }[];
  for (let round = 0; round < (brief ? 2 : 15); round++) {
    progress(`pool: pairs, round ${round + 1}`);
    for (const { rival, times, ns } of runs) {
      ns.push(await timed(() => rival.pairs(times)) / times);
    }
  }
  for (const { rival } of runs) await rival.close();
  return runs.map(({ name, ns }) => ({ part: "pair", name, ...roundedSpread(ns) }));
}

async function lines(brief: boolean): Promise<PoolCell[]> {
  const cells: PoolCell[] = [];
  for (const waiters of brief ? [0, 100] : WAITERS) {
    const times = Math.max(brief ? 200 : 20_000, 3 * waiters);
    const runs = LINED.map((name) => ({ name, ns: [] as number[] }));
    for (let round = 0; round < (brief ? 1 : 7); round++) {
      progress(`pool: line of ${waiters}, round ${round + 1}`);
      for (const { name, ns } of runs) {
        const rival = await openRival(name, 1);
        await rival.line!(1, 100);
        ns.push(await timed(() => rival.line!(waiters + 1, times)) / times);
        await rival.close();
      }
    }
    for (const { name, ns } of runs) {
      cells.push({ part: "line", name, waiters, ...roundedSpread(ns) });
    }
  }
  return cells;
}

/** Half of the permits are taken, at random places, so that the least loaded is not the first. */
function choices(brief: boolean): PoolCell[] {
  const cells: PoolCell[] = [];
  for (const upstreams of brief ? [1, 100] : UPSTREAMS) {
    const times = brief ? 200 : 20_000;
    using pool = new UpstreamPool({
      name: `choice of ${upstreams}`,
      upstreams: Array.from({ length: upstreams }, (_, i) => ({ id: `u${i}`, maxInFlight: 16 })),
    });
    const held = pool.acquireBatch(8 * upstreams - 4);
    const loop = new Loop(upstreams, 8 * upstreams - 4);
    const ours: number[] = [];
    const theirs: number[] = [];
    for (let round = 0; round < (brief ? 2 : 15); round++) {
      ours.push(
        timedNow(() => {
          for (let i = 0; i < times; i++) pool.tryAcquire()!.release();
        }) / times,
      );
      theirs.push(
        timedNow(() => {
          for (let i = 0; i < times; i++) loop.release(loop.acquire()!);
        }) / times,
      );
    }
    pool.releaseBatch(held);
    cells.push({ part: "choice", name: "sluice", upstreams, ...roundedSpread(ours) });
    cells.push({ part: "choice", name: "loop over an array", upstreams, ...roundedSpread(theirs) });
  }
  return cells;
}

/** The loop that gateways have: the least loaded of those that have room, within one Worker. */
class Loop {
  readonly #upstreams: {
    inFlight: number;
    readonly maxInFlight: number;
    readonly weight: number;
  }[];

  constructor(upstreams: number, taken: number) {
    this.#upstreams = Array.from(
      { length: upstreams },
      () => ({ inFlight: 0, maxInFlight: 16, weight: 1 }),
    );
    for (let i = 0; i < taken; i++) this.acquire();
  }

  acquire() {
    let best;
    let least = Infinity;
    for (const upstream of this.#upstreams) {
      if (upstream.inFlight >= upstream.maxInFlight) continue;
      const load = upstream.inFlight / upstream.weight;
      if (load < least) [best, least] = [upstream, load];
    }
    if (best !== undefined) best.inFlight++;
    return best;
  }

  release(upstream: { inFlight: number }): void {
    upstream.inFlight--;
  }
}

async function contests(brief: boolean): Promise<PoolCell[]> {
  const runs = [false, true].flatMap((holds) =>
    SHARINGS.map((name) => ({ name, holds, rounds: [] as Outcome[] }))
  );
  for (let round = 0; round < (brief ? 1 : 5); round++) {
    for (const { name, holds, rounds } of runs) {
      progress(`pool: contest, round ${round + 1}, ${name}`);
      rounds.push(await contest(name, holds, brief ? 100 : 2000, `contest ${round} ${holds}`));
    }
  }
  return runs.map(({ name, holds, rounds }) => {
    const at = (share: number) =>
      rounded(
        median(rounds.map(({ waits }) =>
          1000 * waits[Math.min(waits.length - 1, Math.floor(share * waits.length))]!
        )),
      );
    const wait = { wait50: at(0.5), wait99: at(0.99), longest: at(1) };
    return {
      part: "contest",
      name,
      holds,
      ...roundedSpread(rounds.map(({ ns }) => ns)),
      ...wait,
    };
  });
}

/** What all Workers did together; the waits are sorted. */
interface Outcome {
  readonly ns: number;
  readonly waits: Float64Array;
}

async function contest(
  sharing: Sharing,
  holds: boolean,
  ms: number,
  name: string,
): Promise<Outcome> {
  const shared = new SharedArrayBuffer(12);
  const words = new Int32Array(shared);
  words[0] = SLOTS;
  const start = (file: string) => new Worker(new URL(file, import.meta.url), { type: "module" });
  const owner = sharing === "owner Worker" ? start("pool/owner.ts") : undefined;
  const workers = Array.from({ length: WORKERS }, () => start("pool/contender.ts"));
  const order: Contest = { sharing, name, slots: SLOTS, tasks: TASKS, ms, holds, shared };
  const ports: (MessagePort | undefined)[] = [];
  for (let i = 0; i < WORKERS; i++) {
    if (owner === undefined) continue;
    const { port1, port2 } = new MessageChannel();
    ports.push(port1);
    await ask(owner, i === 0 ? { slots: SLOTS, port: port2 } : { port: port2 }, port2);
  }
  const all = await Promise.all(workers.map((worker, i) => {
    const port = ports[i];
    return ask<Contested>(worker, port === undefined ? order : { ...order, port }, port);
  }));
  for (const worker of workers) worker.terminate();
  owner?.terminate();
  expect(words[2]! <= SLOTS, `${sharing} never grants more than ${SLOTS}, but ${words[2]}`);
  const operations = all.reduce((sum, { operations }) => sum + operations, 0);
  const waits = new Float64Array(all.reduce((sum, { waits }) => sum + waits.length, 0));
  let at = 0;
  for (const { waits: some } of all) {
    waits.set(some, at);
    at += some.length;
  }
  return { waits: waits.sort(), ns: ms * 1e6 / operations };
}

function ask<R>(worker: Worker, message: unknown, port?: MessagePort): Promise<R> {
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<R>) => resolve(data);
    worker.onerror = ({ message }) => reject(new Error(message));
    worker.postMessage(message, port === undefined ? [] : [port]);
  });
}

async function memory(brief: boolean): Promise<PoolCell[]> {
  const count = brief ? 100 : 100_000;
  const cells: PoolCell[] = [];
  for (const  of of["lease", "waiter"] as const) {
    for (const name of HOLDERS) {
      const bytes: number[] = [];
      for (let round = 0; round < (brief ? 1 : 3); round++) {
        const [held, waiting] = of === "lease" ? [count, 0] : [0, count];
        const args = ["--name", name, "--held", `${held}`, "--waiting", `${waiting}`];
        const printed = JSON.parse(await runSelf("pool/memory.ts", args)) as { bytes: number };
        bytes.push(printed.bytes);
      }
      cells.push({ part: "memory", name, of, ...roundedSpread(bytes) });
    }
  }
  return cells;
}

/** How often to do it so that a round takes about `ms`. Warms it up as well. */
async function calibrated(run: (times: number) => unknown, ms: number): Promise<number> {
  for (let times = 64;; times *= 4) {
    const took = await timed(() => run(times)) / 1e6;
    if (took > ms / 4) return Math.ceil(times * ms / took / 64) * 64;
  }
}

/** Nanoseconds. */
async function timed(run: () => unknown): Promise<number> {
  const start = performance.now();
  await run();
  return (performance.now() - start) * 1e6;
}

/** Nanoseconds, of what does not wait. */
function timedNow(run: () => void): number {
  const start = performance.now();
  run();
  return (performance.now() - start) * 1e6;
}

if (import.meta.main) await program(bench);
