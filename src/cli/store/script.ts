/**
 * The script of shared limits, run on a server as a limiter runs it: does it work, and how long does a call take?
 *
 * @module
 */
import { concurrency, rate, RateLimiter } from "../../limiter/mod.ts";
import { valkey } from "../../shared/mod.ts";
import type { Check } from "./checks.ts";
import type { StoreNodes } from "./nodes.ts";

/** Calls whose time is taken. */
const CALLS = 200;
/** Keys that they go to, so that every primary of a cluster is asked. */
const KEYS = 32;
/** Admissions of the limit that is tried. */
const LIMIT = 3;
/** The default of `timeoutMs`, after which a limiter takes the store for gone. */
const TIMEOUT_MS = 100;
/** What a user with restricted rights must be permitted to do; DEL is for the keys that are made here. */
export const RIGHTS: string = "+eval +evalsha +@hash +get +set +del +pexpire +persist +time";

/** Milliseconds of a call that a half and 99 % of the calls did not exceed. */
export interface Latency {
  readonly p50: number;
  readonly p99: number;
}

/** Runs the script under a prefix of its own, and removes all keys that it made. */
export async function checkScript(
  nodes: StoreNodes,
  prefix: string,
): Promise<{ checks: Check[]; latencyMs?: Latency }> {
  const times: number[] = [];
  const written = new Set<string>();
  /** The limiter takes the failure of a call for an outage, and decides by itself. */
  let failure: string | undefined;
  const client = {
    async run(sha: string, source: string, keys: readonly string[], args: readonly string[]) {
      for (const key of keys) written.add(key);
      const start = performance.now();
      try {
        return await nodes.evaluate(sha, source, keys, args);
      } catch (error) {
        failure ??= (error as Error).message;
        throw error;
      } finally {
        times.push(performance.now() - start);
      }
    },
  };
  try {
    const problem = await tryLimits(client, prefix) ?? failure;
    if (problem !== undefined) return { checks: [failed(failure ?? problem)] };
  } catch (error) {
    return { checks: [failed((error as Error).message)] };
  } finally {
    for (const key of written) await nodes.delete(key).catch(() => {});
  }
  const latencyMs = latencyOf(times);
  const works: Check = { name: "script", level: "ok", finding: "decides as it should" };
  return { checks: [works, checkLatency(latencyMs)], latencyMs };
}

type Client = Parameters<typeof valkey>[0]["client"];

/** Takes from limits and compares the decisions. Returns what is wrong, or undefined. */
async function tryLimits(client: Client, prefix: string): Promise<string | undefined> {
  const run = crypto.randomUUID();
  await using limiter = new RateLimiter({
    limits: {
      few: rate({ unit: "few", limit: LIMIT, per: "hour", onOutage: "closed" }),
      many: rate({ unit: "many", limit: 1e9, per: "second", onOutage: "closed" }),
      live: concurrency({ unit: "live", limit: LIMIT, onOutage: "closed" }),
    },
    name: `doctor ${run}`,
    shared: valkey({ client, prefix, mode: "exact", timeoutMs: 5000 }),
  });
  const admitted: boolean[] = [];
  for (let i = 0; i <= LIMIT; i++) {
    const decision = await limiter.takeShared(`${run} few`, { few: 1, live: 0 });
    if (decision.source === "outage") return "the server did not answer";
    admitted.push(decision.allowed);
  }
  const count = admitted.filter(Boolean).length;
  if (count !== LIMIT || admitted[LIMIT]) return `admits ${count} where ${LIMIT} are allowed`;
  for (let i = 0; i < CALLS; i++) {
    const decision = await limiter.takeShared(`${run} ${i % KEYS}`, { many: 1, live: 0 });
    if (!decision.allowed) return `refuses a cost that fits (${decision.reason})`;
  }
  return undefined;
}

function failed(finding: string): Check {
  const refused = finding.includes("NOPERM");
  const advice = refused
    ? `permit the script's commands to this user: ${RIGHTS}`
    : "sluice cannot share limits through this server; report it if the server is Redis or Valkey";
  return { name: "script", level: "fail", finding, advice };
}

function latencyOf(times: readonly number[]): Latency {
  const sorted = Float64Array.from(times).sort();
  const at = (share: number) =>
    Math.round(1000 * sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!) /
    1000;
  return { p50: at(0.5), p99: at(0.99) };
}

function checkLatency({ p50, p99 }: Latency): Check {
  const name = "latency";
  const finding = `p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms of ${CALLS} calls`;
  if (p99 <= TIMEOUT_MS / 2) return { name, level: "ok", finding };
  const advice = `the default timeoutMs is ${TIMEOUT_MS}: raise it, or move the store nearer`;
  return { name, level: p50 > TIMEOUT_MS ? "fail" : "warn", finding, advice };
}
