/**
 * A scenario of the rig: a fault, the row of the failure table that applies, and what that row promises.
 *
 * @module
 */
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { FakeTime } from "../../support/fake_time.ts";
import { Link } from "../../support/link.ts";
import { INSTALLED, StoreServer, type StoreServerOptions } from "../../support/store_server.ts";
import { type Bound, judge, peakInFlight, total } from "../checker.ts";
import { Rig, type RigOptions, type RunOptions, type RunResult } from "../rig.ts";
import type { GatewaySettings, LimitSettings } from "../settings.ts";

/** How a scenario is run. */
export interface Conditions {
  /** All durations are multiplied by this. */
  readonly stretch: number;
  readonly limiter: GatewaySettings["limiter"];
  /** Counts the runs, so that servers of both kinds get their turn. */
  readonly turn: number;
}

/** What a run has shown. */
export interface Outcome {
  /** What should not have been; empty if the row was kept. */
  readonly faults: readonly string[];
  /** The excess over the row's bound, in percent of it. At most 0 if the row was kept. */
  readonly overPercent: number;
  /** What was admitted, in percent of what the limit without failures admits in that time. */
  readonly usedPercent: number;
  readonly result: RunResult;
}

/** One scenario. */
export interface Scenario {
  readonly name: string;
  /** What the row promises, as the failure table says it. */
  readonly row: string;
  readonly skip?: string | false;
  run(conditions: Conditions): Promise<Outcome>;
}

/** The rate of all scenarios with a rate: 50 a second in bursts of 50. */
export const BURST = 50;
export const PER_MS = 0.05;
export const RATE: LimitSettings = { kind: "rate", limit: 1000 * PER_MS, burst: BURST };
/** The row without failures: `burst + rate * W`. */
export const KEPT: Bound = { burst: BURST, perMs: PER_MS };

/** A moment in the first wave of the load, when gateways hold credit of which they have not reported all. */
export const WAVE_MS = 980;

export const LEASE_MS = 1000;

/**
 * The options of scenarios that name no others. A machine that is busy looks like an outage to a gateway; `closed` keeps
 * that within each row.
 */
export const SHARED: GatewaySettings["shared"] = {
  leaseMs: LEASE_MS,
  timeoutMs: 300,
  processes: 4,
  onOutage: "closed",
};

/** How long after the load a gateway may still think that the store is out of reach: it asks again every 200 ms. */
const BACK_MS = 3000;

/** The parts of a scenario that is under way, for its faults. */
export interface Stage {
  readonly store: StoreServer;
  readonly rig: Rig;
  /** Between the store and the gateways for which `isLinked` holds. */
  readonly link: Link;
  /** The clock of what `clocks` names. */
  readonly clock: FakeTime;
  /** Waits, by the clock of the stretched scenario. */
  wait(ms: number): Promise<unknown>;
}

/** What a scenario with one server sets up. */
export interface Setup {
  readonly server?: StoreServerOptions;
  readonly rig?: Partial<RigOptions>;
  readonly run?: Partial<Omit<RunOptions, "faults">>;
  /** Which gateways reach the store through the link. */
  readonly isLinked?: (gateway: number) => boolean;
  /** Which processes follow the clock of the stage. */
  readonly clocks?: "server" | ((gateway: number) => "wall" | "all" | undefined);
  readonly faults?: (stage: Stage) => Promise<void>;
  /** The store's state is older than a lease when the load begins, so that no key stands still for being new. */
  readonly isOld?: boolean;
}

/** Runs a scenario with one server. */
export async function stage(setup: Setup, conditions: Conditions): Promise<RunResult> {
  const { isLinked = () => false, clocks, faults } = setup;
  const { stretch, limiter, turn } = conditions;
  using clock = new FakeTime();
  await using store = await StoreServer.start({
    // libfaketime works with Redis only.
    kind: clocks === "server" ? "redis" : INSTALLED[turn % INSTALLED.length]!,
    ...setup.server,
    environment: clocks === "server" ? clock.environment("wall", true) : {},
  });
  await using link = await Link.open(store.port);
  const environmentOf = (gateway: number) => {
    const which = typeof clocks === "function" ? clocks(gateway) : undefined;
    return which === undefined ? {} : clock.environment(which);
  };
  const { shared, ...rest } = setup.rig ?? {};
  await using rig = await Rig.start({
    stores: [store.port],
    storesOf: (gateway) => [isLinked(gateway) ? link.port : store.port],
    limiter,
    limits: { rps: RATE },
    environmentOf,
    ...rest,
    shared: { ...SHARED, ...shared },
  });
  const wait = waiter(stretch);
  if (setup.isOld) {
    await rig.run({ ms: 100, phases: [{ ms: 100, perSecond: 50 }] });
    await sleep(LEASE_MS + BURST / PER_MS);
  }
  const { ms = 4000, ...load } = setup.run ?? {};
  const result = await rig.run({
    ...load,
    ms: ms * stretch,
    faults: async () => await faults?.({ store, rig, link, clock, wait }),
  });
  return limiter === "sluice" ? { ...result, notBack: await notBack(rig) } : result;
}

/** What a gateway knows of its limiter. */
interface GatewayStats {
  readonly shared: { readonly state: string; readonly lastError?: string };
}

/** The gateways that have not found back to the store a while after the failure. */
async function notBack(rig: Rig): Promise<string[]> {
  const states: string[] = [];
  for (let index = 0; index < rig.size; index++) {
    let state = "";
    for (const end = performance.now() + BACK_MS; performance.now() < end; await sleep(50)) {
      const stats = await rig.stats<GatewayStats | null>(index);
      state = `${stats?.shared.state ?? "out"}: ${stats?.shared.lastError}`;
      if (!state.startsWith("out")) break;
    }
    if (state.startsWith("out")) states.push(`gateway ${index} is ${state}`);
  }
  return states;
}

/** A function that waits by the clock of a stretched scenario. */
export function waiter(stretch: number): (ms: number) => Promise<unknown> {
  return (ms) => sleep(ms * stretch);
}

/** Judges a rate by the bound of a row. At least `leastUsed` percent of the limit must have been admitted. */
export function judgeRate(result: RunResult, bound: Bound, leastUsed: number): Outcome {
  const { overPercent, seenPercent, slowestMs } = judge(result.admissions, bound, result.ms);
  const { usedPercent } = judge(result.admissions, KEPT, result.ms);
  const faults = common(result);
  if (overPercent > 1e-6) faults.push(`${overPercent.toFixed(2)} % over the bound of the row`);
  // On the upstream's clock a window is longer by the time that a request takes to get there.
  if (seenPercent / 100 * bound.burst > slowestMs * bound.perMs + 1e-6) {
    faults.push(`${seenPercent.toFixed(2)} % over by the upstream's clock`);
  }
  if (usedPercent < leastUsed) {
    faults.push(`only ${usedPercent.toFixed(1)} % of the limit was used, not ${leastUsed} %`);
  }
  return { faults, overPercent, usedPercent, result };
}

/** Judges a quota: `most` in all, and at least `least`. */
export function judgeQuota(result: RunResult, limit: number, most: number, least: number): Outcome {
  const sum = total(result.admissions);
  const faults = common(result);
  if (sum > most) faults.push(`${sum} admitted, and the row allows ${most}`);
  if (sum < least) faults.push(`only ${sum} admitted of ${limit}`);
  const overPercent = 100 * (sum / most - 1);
  return { faults, overPercent, usedPercent: 100 * sum / limit, result };
}

/** Judges concurrency: at most `most` in flight at the upstream, and at least `least` admitted in all. */
export function judgeConcurrency(
  result: RunResult,
  limit: number,
  most: number,
  least: number,
): Outcome {
  const peak = peakInFlight(result.admissions);
  const count = result.admissions.length;
  const faults = common(result);
  if (peak > most) faults.push(`${peak} in flight, and the row allows ${most}`);
  if (count < least) faults.push(`only ${count} admitted`);
  const overPercent = 100 * (peak / most - 1);
  return { faults, overPercent, usedPercent: 100 * peak / limit, result };
}

/** What no row allows. */
function common({ report, admissions, notBack = [] }: RunResult): string[] {
  const faults = report.errors.map((text) => `a gateway failed: ${text}`);
  faults.push(...notBack);
  if (report.endless > 0) faults.push(`${report.endless} requests did not end`);
  if (report.admitted > admissions.length) {
    faults.push(`${report.admitted} admitted, and ${admissions.length} at the upstream`);
  }
  if (report.sent === 0) faults.push("no load");
  return faults;
}

/** A line about an outcome, for reports. */
export function lineOf(scenario: Scenario, { overPercent, usedPercent, result }: Outcome): string {
  const { report, admissions, ms } = result;
  const sources = Object.entries(Object.groupBy(admissions, ({ source }) => source))
    .map(([source, list = []]) => `${source} ${list.length}`).sort().join(", ");
  const reasons = Object.entries(report.reasons).map((pair) => pair.join(" ")).join(", ");
  return `${scenario.name}: ${scenario.row}: ${overPercent.toFixed(1)} % over, ` +
    `${usedPercent.toFixed(1)} % used; ${report.sent} requests in ${(ms / 1000).toFixed(1)} s, ` +
    `admitted by ${sources || "nothing"}; refused by ${reasons || "nothing"}; slowest ${
      report.slowestMs.toFixed(0)
    } ms`;
}

/** How many scenarios run at a time. */
export const AT_ONCE: number = Number(process.env["SLUICE_RIG_AT_ONCE"] ?? 4);
