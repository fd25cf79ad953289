/** Several pools in one process that stand for pools of several processes: each has a name of its own here, and all have
 * the same keys in the store. */
import { type PoolOptions, UpstreamPool } from "../../mod.ts";
import {
  type ScriptClient,
  type SharedClient,
  valkey,
  type ValkeyOptions,
} from "../../src/shared/mod.ts";
import { CLIENTS, type Connected } from "./shared.ts";
import type { StoreServer } from "./store_server.ts";

/** The part of a client of ioredis that is used here. */
interface Ioredis {
  evalsha(sha: string, keys: number, ...rest: string[]): Promise<unknown>;
  eval(source: string, keys: number, ...rest: string[]): Promise<unknown>;
}

/** A pool, and what cuts it off from the store. */
export class Process implements AsyncDisposable {
  /** Whether the store cannot be reached: calls are never answered. */
  isCutOff = false;
  /** Calls that reached the client. */
  calls = 0;
  readonly pool: UpstreamPool;
  readonly #connected: Connected;

  constructor(
    fleet: Fleet,
    connected: Connected,
    options: Omit<PoolOptions, "name" | "shared">,
    settings: Partial<ValkeyOptions>,
  ) {
    this.#connected = connected;
    const redis = connected.client as SharedClient & Ioredis;
    const client: ScriptClient = {
      run: async (sha, source, [, epoch], args) => {
        this.calls++;
        if (this.isCutOff) return await new Promise(() => {});
        // The tag of this name, so that the keys are the same for all.
        const keys = [`${fleet.name}:pool`, `${fleet.name}:epoch${epoch === undefined}`];
        try {
          return String(await redis.evalsha(sha, 2, ...keys, ...args));
        } catch (error) {
          if (!String(error).includes("NOSCRIPT")) throw error;
          return String(await redis.eval(source, 2, ...keys, ...args));
        }
      },
    };
    const shared = valkey({ client, leaseMs: 600, ...settings });
    this.pool = new UpstreamPool({ ...options, name: `fleet ${crypto.randomUUID()}`, shared });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.pool.destroy();
    this.#connected.end();
    await Promise.resolve();
  }
}

/** Pools that share one key of the store. */
export class Fleet {
  readonly name: string = crypto.randomUUID();
  readonly server: StoreServer;

  constructor(server: StoreServer) {
    this.server = server;
  }

  /** Adds a pool. */
  async join(
    options: Omit<PoolOptions, "name" | "shared">,
    settings: Partial<ValkeyOptions> = {},
  ): Promise<Process> {
    return new Process(this, await CLIENTS["ioredis"]!(this.server), options, settings);
  }

  /** The fields of the hash of the pool. */
  async fields(): Promise<Record<string, string>> {
    const words = (await this.server.command("HGETALL", `${this.name}:pool`)).split("\n");
    const fields: Record<string, string> = {};
    for (let i = 0; i + 1 < words.length; i += 2) fields[words[i]!] = words[i + 1]!;
    return fields;
  }
}
