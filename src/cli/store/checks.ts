/**
 * Checks of a Redis or Valkey server by what it says of itself.
 *
 * @module
 */

/** One thing that was looked at. */
export interface Check {
  readonly name: string;
  /** `fail`: sluice does not work with it; `warn`: it works, and a promise is weaker. */
  readonly level: "ok" | "warn" | "fail";
  readonly finding: string;
  /** What to do. */
  readonly advice?: string;
}

/** The fields of `INFO`. */
export type Info = ReadonlyMap<string, string>;

/** The oldest versions whose scripts have everything that sluice's script uses. */
const OLDEST = { Redis: "6.2", Valkey: "7.2" } as const;
/** The share of the memory limit from which on a warning is given. */
const NEARLY_FULL = 0.9;

/** Reads the reply of `INFO`. */
export function parseInfo(text: string): Info {
  return new Map(
    text.split(/\r?\n/).filter((line) => /^\w+:/.test(line)).map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon), line.slice(colon + 1)];
    }),
  );
}

/** All checks of a server by its `INFO`. */
export function checkServer(info: Info): Check[] {
  return [version(info), role(info), memory(info), persistence(info)];
}

function version(info: Info): Check {
  const name = "version";
  const other = info.get("dragonfly_version");
  if (other !== undefined) {
    return {
      name,
      level: "warn",
      finding: `Dragonfly ${other}`,
      advice: "sluice is tested with Redis and Valkey only",
    };
  }
  const valkey = info.get("valkey_version");
  const product = valkey === undefined ? "Redis" : "Valkey";
  const found = valkey ?? info.get("redis_version") ?? "of an unknown version";
  const finding = `${product} ${found}`;
  if (isAtLeast(found, OLDEST[product])) return { name, level: "ok", finding };
  const advice = `use Redis ${OLDEST.Redis} or newer, or Valkey ${OLDEST.Valkey} or newer`;
  return { name, level: "fail", finding, advice };
}

function isAtLeast(version: string, oldest: string): boolean {
  const numbers = (text: string) => text.split(".").map(Number);
  const [major, minor] = numbers(version);
  const [leastMajor, leastMinor] = numbers(oldest);
  return major! > leastMajor! || (major === leastMajor && minor! >= leastMinor!);
}

function role(info: Info): Check {
  const name = "role";
  if (info.get("role") === "slave") {
    const advice = "connect to its primary: a replica refuses the script, which writes";
    return { name, level: "fail", finding: "replica", advice };
  }
  const replicas = Number(info.get("connected_slaves") ?? 0);
  const finding = `primary, ${replicas} ${replicas === 1 ? "replica" : "replicas"}`;
  return { name, level: "ok", finding };
}

function memory(info: Info): Check {
  const name = "memory";
  const [used, most] = ["used_memory", "maxmemory"].map((field) => Number(info.get(field) ?? 0));
  const policy = info.get("maxmemory_policy") ?? "noeviction";
  if (most === 0) return { name, level: "ok", finding: `no limit, so no eviction (${policy})` };
  const finding = `${policy}, ${megabytes(used!)} of ${megabytes(most!)}`;
  if (policy !== "noeviction") {
    const advice = "set maxmemory-policy to noeviction: a limit whose key was evicted starts " +
      "again as if nothing had been used";
    return { name, level: "warn", finding, advice };
  }
  if (used! < NEARLY_FULL * most!) return { name, level: "ok", finding };
  const advice = "raise maxmemory: when it is full, the server refuses writes, which is an outage";
  return { name, level: "warn", finding, advice };
}

function megabytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

function persistence(info: Info): Check {
  const name = "persistence";
  if (info.get("loading") === "1") {
    const advice = "wait until it has loaded its data";
    return { name, level: "fail", finding: "the server is loading its data", advice };
  }
  if (info.get("aof_enabled") === "1") {
    if (info.get("aof_last_write_status") !== "err") {
      return { name, level: "ok", finding: "append-only file" };
    }
    const advice = "see the server's log: the last write to the file failed";
    return { name, level: "warn", finding: "append-only file, not written", advice };
  }
  return {
    name,
    level: "warn",
    finding: "no append-only file",
    advice: 'a restart loses counts: set appendonly to yes, or use onLoss: "strict", which keeps ' +
      "the bound and admits less after a loss",
  };
}
