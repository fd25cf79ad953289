/** What the programs of the rig are told, as JSON in their first argument. */

/** One limit. */
export interface LimitSettings {
  readonly kind: "rate" | "quota" | "concurrency";
  readonly limit: number;
  /** Only of a rate; a rate is for a second. */
  readonly burst?: number;
  readonly onOutage?: "share" | "closed" | "open";
}

/** One gateway. */
export interface GatewaySettings {
  readonly name: string;
  readonly port: number;
  readonly upstream: number;
  /** Ports of the store: more than one for a cluster. */
  readonly stores: readonly number[];
  /** Stand-ins use ioredis. */
  readonly client: "ioredis" | "iovalkey" | "node-redis";
  readonly limiter: "sluice" | "central" | "open" | "periodic";
  readonly limits: Readonly<Record<string, LimitSettings>>;
  /** Options of `valkey()`, without the client. */
  readonly shared: Readonly<Record<string, unknown>>;
  /** Requests reserve this many times their cost, and settle the cost. 0: they take the cost. */
  readonly reserves: number;
  /** It decides in this many Workers, which are terminated now and then. 0: in its own thread. */
  readonly workers: number;
}

/** A phase of the load. */
export interface Phase {
  readonly ms: number;
  readonly perSecond: number;
}

/** The load of a scenario. */
export interface LoadSettings {
  readonly ports: readonly number[];
  readonly ms: number;
  /** Repeated until the end. */
  readonly phases: readonly Phase[];
  readonly key: string;
  /** The largest cost; the least is 1. */
  readonly cost: number;
  /** How long the upstream takes at most. */
  readonly holdMs: number;
  /** A request that takes longer is one that waits for ever. */
  readonly patienceMs: number;
}

/** What the load met. */
export interface LoadReport {
  readonly sent: number;
  readonly admitted: number;
  readonly denied: number;
  /** The connection was refused or broke: the gateway was dead. */
  readonly unreachable: number;
  /** Neither an answer nor an end in time. */
  readonly endless: number;
  /** Answers of a gateway that failed, without repetitions. */
  readonly errors: readonly string[];
  readonly slowestMs: number;
  /** How many were denied, by reason. */
  readonly reasons: Readonly<Record<string, number>>;
}

/** The JSON in the first argument. */
export function settingsOf<Settings>(args: readonly string[]): Settings {
  return JSON.parse(args[2]!) as Settings;
}
