/**
 * The rig: a store, an upstream, gateways of both runtimes and a load, each in a process of its own, and a fault in the
 * middle.
 *
 * @module
 */
import { setTimeout as sleep } from "node:timers/promises";
import { type RuntimeName, runtimeName } from "../../bench/machine.ts";
import { freePort } from "../support/free_port.ts";
import type { Admission } from "./checker.ts";
import { Program } from "./program.ts";
import type { GatewaySettings, LoadReport, LoadSettings, Phase } from "./settings.ts";

/** The gateways: two in each runtime, and each of a runtime with another client. */
const GATEWAYS: readonly (readonly [RuntimeName, GatewaySettings["client"]])[] = [
  ["bun", "ioredis"],
  ["deno", "iovalkey"],
  ["bun", "node-redis"],
  ["deno", "ioredis"],
];

/** Longer than any fault of the rig. */
const PATIENCE_MS = 12_000;

/** What differs between scenarios. */
export interface RigOptions {
  readonly stores: readonly number[];
  /** The ports of the store as each gateway sees it; those of the store by default. */
  readonly storesOf?: (gateway: number) => readonly number[];
  readonly limiter?: GatewaySettings["limiter"];
  readonly limits: GatewaySettings["limits"];
  readonly shared?: GatewaySettings["shared"];
  readonly reserves?: number;
  readonly workers?: number;
  /** The environment of each gateway. */
  readonly environmentOf?: (gateway: number) => Readonly<Record<string, string>>;
  readonly gateways?: number;
}

/** What the load of a scenario may set. */
export interface RunOptions {
  readonly ms: number;
  readonly phases?: readonly Phase[];
  readonly cost?: number;
  readonly holdMs?: number;
  /** Which gateways get the load; all by default. */
  readonly to?: readonly number[];
  /** What happens in the meantime. */
  readonly faults?: () => Promise<void>;
}

/** What a scenario has found. */
export interface RunResult {
  readonly ms: number;
  readonly report: LoadReport;
  readonly admissions: readonly Admission[];
  /** Gateways that did not find back to the store. */
  readonly notBack?: readonly string[];
}

/** All processes of a scenario but the store. */
export class Rig implements AsyncDisposable {
  readonly key = "tenant";
  readonly #options: RigOptions;
  readonly #upstream: Program;
  readonly #upstreamPort: number;
  readonly #ports: readonly number[];
  readonly #gateways: Program[] = [];

  private constructor(
    options: RigOptions,
    upstream: Program,
    upstreamPort: number,
    ports: readonly number[],
  ) {
    this.#options = options;
    this.#upstream = upstream;
    this.#upstreamPort = upstreamPort;
    this.#ports = ports;
  }

  /** Starts the processes. */
  static async start(options: RigOptions): Promise<Rig> {
    const upstream = new Program(runtimeName(), "upstream", {});
    const { port } = await upstream.answer<{ port: number }>();
    const ports = await Promise.all(Array.from({ length: options.gateways ?? 4 }, freePort));
    const rig = new Rig(options, upstream, port, ports);
    try {
      await Promise.all(ports.map((_, index) => rig.launch(index)));
    } catch (error) {
      await rig[Symbol.asyncDispose]();
      throw error;
    }
    return rig;
  }

  /** Starts a gateway, anew if it was killed. */
  async launch(index: number): Promise<void> {
    const { stores, storesOf, limiter, limits, shared, reserves, workers, environmentOf } =
      this.#options;
    const [runtime, client] = GATEWAYS[index % GATEWAYS.length]!;
    const settings: GatewaySettings = {
      name: String(index),
      port: this.#ports[index]!,
      upstream: this.#upstreamPort,
      stores: storesOf?.(index) ?? stores,
      client,
      limiter: limiter ?? "sluice",
      limits,
      shared: shared ?? {},
      reserves: reserves ?? 0,
      workers: workers ?? 0,
    };
    this.#gateways[index] = new Program(runtime, "gateway", settings, environmentOf?.(index));
    await this.#gateways[index].answer();
  }

  /** The number of gateways. */
  get size(): number {
    return this.#gateways.length;
  }

  /** A gateway. */
  gateway(index: number): Program {
    return this.#gateways[index]!;
  }

  /** What the limiter of a gateway knows of itself. */
  async stats<Stats>(index: number): Promise<Stats> {
    const response = await fetch(`http://127.0.0.1:${this.#ports[index]}/${this.key}`);
    return await response.json() as Stats;
  }

  /** Closes the limiter of a gateway, which keeps running. */
  async close(index: number): Promise<void> {
    await fetch(`http://127.0.0.1:${this.#ports[index]}/`, { method: "DELETE" });
  }

  /** Runs the load, and the faults in the meantime, until every request has ended. */
  async run(options: RunOptions): Promise<RunResult> {
    const { ms, phases = WAVES, cost = 1, holdMs = 1, to, faults = () => sleep(0) } = options;
    const ports = to?.map((index) => this.#ports[index]!) ?? this.#ports;
    const settings: LoadSettings = {
      ...{ ports, ms, phases, key: this.key, cost, holdMs },
      patienceMs: PATIENCE_MS,
    };
    const load = new Program(runtimeName(), "load", settings);
    const [report] = await Promise.all([load.answer<LoadReport>(), faults()]);
    return { ms, report, admissions: await this.#log() };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#upstream, ...this.#gateways].map((program) => program.kill()));
  }

  async #log(): Promise<Admission[]> {
    const response = await fetch(`http://127.0.0.1:${this.#upstreamPort}/`);
    const log = await response.json() as (Omit<Admission, "end"> & { end: number | null })[];
    return log.map((entry) => ({ ...entry, end: entry.end ?? Infinity }));
  }
}

/**
 * Below the limit of the scenarios, and then far above it. In the first moments of a wave gateways get much credit, and
 * between waves the queue of the checker does not run empty, so that an excess would show in the next wave.
 */
const WAVES: readonly Phase[] = [{ ms: 900, perSecond: 12 }, { ms: 300, perSecond: 500 }];
