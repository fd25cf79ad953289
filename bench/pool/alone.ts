/**
 * Within one Worker: pairs of acquire and release, lines, and the choice among upstreams.
 *
 * @module
 */
import { UpstreamPool } from "../../mod.ts";
import { progress } from "../program.ts";
import { type PoolCell, roundedSpread } from "./cells.ts";
import { LINED, openRival, type RivalName, RIVALS } from "./rivals.ts";
import { calibrated, timed, timedNow } from "./timing.ts";

const WAITERS = [0, 10, 100, 1000, 10_000];
const UPSTREAMS = [1, 3, 10, 30, 100, 300, 1000];

/** All of them in turn, round by round, so that a busy moment of the machine hits all alike. */
export async function pairs(brief: boolean): Promise<PoolCell[]> {
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

/** A turn of a line, by its length. */
export async function lines(brief: boolean): Promise<PoolCell[]> {
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
export function choices(brief: boolean): PoolCell[] {
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
