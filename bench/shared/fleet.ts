/**
 * Four processes that share one limit, with more requests than it admits: in peace, while the server hangs for a second, and
 * while it is gone for ten.
 *
 * Every process notes when it asked for each admission and when it got it, by the system's monotonic clock, which all of them
 * share. The checker of the tests looks for the worst window over all processes.
 *
 * @module
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { type Admission, judge } from "../../tests/shared/checker.ts";
import type { StoreServer } from "../../tests/support/store_server.ts";
import { runtimeName } from "../machine.ts";
import { rounded } from "../measure.ts";
import { monotonicClock } from "../monotonic.ts";
import { expect, progress } from "../program.ts";
import { executable, runArguments } from "../runtimes.ts";
import { type ContenderName, NAMES } from "./contenders.ts";
import type { SharedLimit } from "./limit.ts";
import { type Paced, quantile } from "./pace.ts";
import { connect, resetCost, scriptCost, startStore } from "./store.ts";

const PROCESSES = 4;
/** What happens to the server. */
export type Fate = "none" | "hangs" | "gone";

/** The order of a process. */
export interface Order {
  readonly name: ContenderName;
  readonly port: number;
  readonly limit: SharedLimit;
  /** Requests a second of this process. */
  readonly offered: number;
  readonly ms: number;
}

/** A scenario. Times are milliseconds. */
interface Scenario {
  readonly limit: SharedLimit;
  readonly offered: number;
  /** Before, during and after what happens to the server. */
  readonly before: number;
  readonly during: number;
  readonly after: number;
}

const HOT: SharedLimit = { rate: 2000, burst: 2000, processes: PROCESSES };
/** The load is thrice the limit, as in the simulation of the research. */
const HOT_OFFERED = 1500;
/** In the outages the load is just below the limit at first, and what is refused or fails is the effect of the outage. */
const SCENARIOS: Readonly<Record<Fate, Scenario>> = {
  none: { limit: HOT, offered: HOT_OFFERED, before: 5000, during: 0, after: 0 },
  hangs: { limit: HOT, offered: 400, before: 1500, during: 1000, after: 1500 },
  gone: { limit: HOT, offered: HOT_OFFERED, before: 3000, during: 10_000, after: 5000 },
};
const BRIEF: Readonly<Record<Fate, Scenario>> = {
  none: { limit: HOT, offered: HOT_OFFERED, before: 500, during: 0, after: 0 },
  hangs: { limit: HOT, offered: 400, before: 200, during: 200, after: 200 },
  gone: { limit: HOT, offered: HOT_OFFERED, before: 300, during: 500, after: 300 },
};

/** One way to limit in one scenario. */
export interface FleetCell {
  readonly part: "fleet";
  readonly name: ContenderName;
  readonly fate: Fate;
  /** What the worst window has beyond `burst + rate * window`, as a share of the burst; 0 if nothing. */
  readonly over: number;
  /** Admissions over `burst + rate * time`. */
  readonly used: number;
  /** Admissions while the server was gone, over `rate * time`. */
  readonly during: number;
  /** The share of requests that were neither admitted nor refused. */
  readonly errors: number;
  /** Milliseconds of a decision. */
  readonly p50: number;
  readonly p99: number;
  readonly longest: number;
  /** Calls of the server an admission. */
  readonly calls: number;
}

/** Admissions of a second while the server is gone and before and after. */
export interface TimelineCell {
  readonly part: "timeline";
  readonly name: ContenderName;
  /** Seconds since the server was killed, in the middle of that second. */
  readonly second: number;
  /** Admissions a second over the limit's rate. */
  readonly share: number;
}

const BIN_MS = 1000;
/** Ways that behave alike in an outage, or whose difference matters in peace only. */
const PEACE_ONLY: readonly ContenderName[] = [
  "sluice, exact, three limits",
  "Upstash, token bucket",
];

/** Runs every scenario with every way. */
export async function fleets(brief: boolean): Promise<(FleetCell | TimelineCell)[]> {
  const cells: (FleetCell | TimelineCell)[] = [];
  const names = brief ? ["sluice, auto", "rate-limiter-flexible"] as const : NAMES;
  for (const [fate, scenario] of Object.entries(brief ? BRIEF : SCENARIOS)) {
    for (const name of names) {
      if (fate !== "none" && PEACE_ONLY.includes(name)) continue;
      progress(`shared: four processes, server: ${fate}, ${name}`);
      cells.push(...await fleet(name, fate as Fate, scenario));
    }
  }
  return cells;
}

async function fleet(
  name: ContenderName,
  fate: Fate,
  { limit, offered, before, during, after }: Scenario,
): Promise<(FleetCell | TimelineCell)[]> {
  await using store = await startStore();
  const client = await connect(store.port);
  const order: Order = { name, port: store.port, limit, offered, ms: before + during + after };
  const children = await Promise.all(Array.from({ length: PROCESSES }, () => startChild(order)));
  await resetCost(client);
  const clock = monotonicClock();
  const start = clock();
  const results = Promise.all(children.map(({ run }) => run()));
  const [from, to] = await strike(store, fate, start + before, during);
  const all = await results;
  // A server that was killed has forgotten its calls.
  const { calls } = fate === "gone" ? { calls: NaN } : await scriptCost(client);
  client.disconnect();

  const admissions = all.flatMap((one, i) => admissionsOf(one, i));
  const verdict = judge(admissions, { burst: limit.burst, perMs: limit.rate / 1000 }, order.ms);
  const admitted = admissions.map(({ at }) => at).sort((a, b) => a - b);
  const waits = all.flatMap((one) => one.waits).sort((a, b) => a - b);
  const errors = all.reduce((sum, one) => sum + one.errors, 0);
  const within = admitted.filter((time) => time >= from && time < to).length;
  expect(admitted.length > 0, `${name} admits something`);
  const cell: FleetCell = {
    part: "fleet",
    name,
    fate,
    over: rounded(Math.max(0, verdict.overPercent) / 100),
    used: rounded(verdict.usedPercent / 100),
    during: rounded(within / (limit.rate * Math.max(1, to - from) / 1000)),
    errors: rounded(errors / waits.length),
    p50: rounded(quantile(waits, 0.5)),
    p99: rounded(quantile(waits, 0.99)),
    longest: rounded(waits.at(-1)!),
    calls: Number.isNaN(calls) ? 0 : rounded(calls / admitted.length),
  };
  return [cell, ...fate === "gone" ? timeline(name, limit, admitted, from, start + order.ms) : []];
}

/** What a process admitted, as the checker takes it. */
function admissionsOf({ admitted }: Paced, process: number): Admission[] {
  const rest = { cost: 1, key: "hot", gateway: String(process), source: "" };
  return admitted.map(([asked, at]) => ({ asked, decided: at, at, end: at, ...rest }));
}

/** Does to the server what is to happen at `at`, and returns from when to when it did not answer. */
async function strike(
  store: StoreServer,
  fate: Fate,
  at: number,
  ms: number,
): Promise<[from: number, to: number]> {
  const clock = monotonicClock();
  if (fate === "none") return [0, 0];
  await sleep(at - clock());
  const from = clock();
  if (fate === "hangs") store.pause();
  else await store.kill();
  await sleep(from + ms - clock());
  const to = clock();
  if (fate === "hangs") store.resume();
  else await store.restart();
  return [from, to];
}

function timeline(
  name: ContenderName,
  { rate }: SharedLimit,
  admitted: readonly number[],
  killed: number,
  end: number,
): TimelineCell[] {
  const bins = new Map<number, number>();
  const first = Math.floor((admitted[0]! - killed) / BIN_MS);
  const last = Math.floor((end - killed) / BIN_MS);
  for (let bin = first; bin < last; bin++) bins.set(bin, 0);
  for (const time of admitted) {
    const bin = Math.floor((time - killed) / BIN_MS);
    if (bins.has(bin)) bins.set(bin, bins.get(bin)! + 1);
  }
  return [...bins].map(([bin, count]) => ({
    part: "timeline",
    name,
    second: (bin + 0.5) * BIN_MS / 1000,
    share: rounded(count / (rate * BIN_MS / 1000)),
  }));
}

/** A process that waits for the start. */
async function startChild(order: Order): Promise<{ run(): Promise<Paced> }> {
  const runtime = runtimeName();
  const file = new URL("fleet_child.ts", import.meta.url);
  const args = runArguments(runtime, file, [JSON.stringify(order)]);
  const child: ChildProcess = spawn(executable(runtime), args, {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  const next = async () => {
    const { value, done } = await lines.next();
    expect(!done, `a process with ${order.name} answers`);
    return value as string;
  };
  expect(await next() === "ready", `a process with ${order.name} is ready`);
  return {
    async run() {
      child.stdin!.end("go\n");
      return JSON.parse(await next()) as Paced;
    },
  };
}
