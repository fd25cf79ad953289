/**
 * A pool of things that are not requests: connections, clients, whatever takes long to make.
 *
 * @module
 */
import { before, unlessAborted } from "../deadline.ts";
import { SluiceError } from "../errors.ts";
import { checkKnown, type Known } from "../known_options.ts";
import { UpstreamPool } from "./upstream_pool.ts";
import type { AcquireOptions } from "./options.ts";
import type { HeldLease } from "./lease_term.ts";
import { ResourceLease, type ResourceOwner } from "./resource_lease.ts";
import {
  type ResourcePoolOptions,
  type ResourceSettings,
  resourceSettings,
} from "./resource_options.ts";
import { QUEUE_TIMEOUT_MS } from "./settings.ts";
import { type Entry, type Line, ResourceStock } from "./resource_stock.ts";

/** What a pool of resources tells of itself. */
export interface ResourcePoolStats {
  /** Resources that are leased. */
  readonly inUse: number;
  /** Resources that wait to be used. */
  readonly idle: number;
  /** Resources being made, looked over or destroyed. */
  readonly inTransit: number;
  /** Places taken in the line; with a shared name, over all Workers. */
  readonly waiting: number;
  /** Resources made since the pool was. */
  readonly created: number;
  /** Resources ended since the pool was made. */
  readonly destroyed: number;
  /** Leases that the garbage collector found. */
  readonly leaked: number;
}

/** What {@linkcode ResourcePool.acquire} can be asked for. */
export type AcquireResourceOptions = Omit<AcquireOptions, "prefer">;

const ACQUIRE: Known<AcquireResourceOptions> = { signal: true, priority: true, timeoutMs: true };

/** A resource in use, and the permission to use it. */
interface Use<T> {
  readonly entry: Entry<T>;
  readonly permit: HeldLease;
  readonly since: number;
  readonly stack: string | undefined;
}

/** The id of the one upstream of a resource pool's line. */
const PLACE = "resource";

/**
 * Keeps up to `max` resources of this Worker, and lends each to one user at a time. The line, its
 * order and its limits are those of {@linkcode UpstreamPool}; objects and sockets cannot cross
 * between Workers, so each Worker has resources of its own.
 *
 * There are never more than `max` resources, those being made or destroyed included, with two
 * exceptions. A `create` or `destroy` that goes on after its timeout is not counted any more. And with
 * a `name`, `max` is what all pools of that name use, make or look over at a time: those that are idle
 * in another pool are not counted, so that there may be `max` of them in each.
 *
 * @example
 * ```ts
 * import { connect, type Socket } from "node:net";
 * import { once } from "node:events";
 * import { ResourcePool } from "./mod.ts";
 *
 * const pool = new ResourcePool<Socket>({
 *   async create(signal) {
 *     const socket = connect({ port: 6379 });
 *     await once(socket, "connect", { signal });
 *     return socket;
 *   },
 *   validate: (socket) => !socket.destroyed,
 *   destroy: (socket) => void socket.destroy(),
 *   max: 8,
 * });
 * await pool.use((socket) => socket.write("PING\r\n"));
 * await pool.close();
 * ```
 */
export class ResourcePool<T> implements AsyncDisposable {
  readonly #settings: ResourceSettings<T>;
  readonly #line: Line;
  readonly #timeoutMs: number;
  readonly #stock: ResourceStock<T>;
  readonly #owner: ResourceOwner<T> = {
    takeBack: (lease, isGood) => this.#takeBack(lease, isGood),
  };
  /** By the lease itself; weakly, or a lost lease would never be seen. */
  readonly #uses = new WeakMap<ResourceLease<T>, Use<T>>();
  /**
   * A resource that is lost has to be destroyed, so it is kept. One from which its own lease can be
   * reached keeps that lease, which is then never found.
   */
  readonly #lost = new FinalizationRegistry<Use<T>>((use) => this.#reclaim(use));

  /**
   * Makes a pool, and begins to make `min` resources.
   *
   * @throws {TypeError | RangeError} naming the option that is wrong.
   */
  constructor(options: ResourcePoolOptions<T>) {
    this.#settings = resourceSettings(options);
    this.#line = openLine(options);
    this.#timeoutMs = options.queue?.timeoutMs ?? QUEUE_TIMEOUT_MS;
    this.#stock = new ResourceStock(this.#settings, this.#line);
    void this.#stock.fill();
  }

  /**
   * Waits for a resource: an idle one that is still good, or a new one.
   *
   * `timeoutMs`, which is `queue.timeoutMs` unless it is given, and `signal` end the wait at any point. A resource that is being made by then is
   * finished and left to others.
   *
   * @throws {SluiceError} as {@linkcode UpstreamPool.acquire} does; `SLUICE_DISPOSED` once closed.
   * @throws What `create` throws, and a `TimeoutError` if it takes more than `createTimeoutMs`.
   */
  async acquire(options: AcquireResourceOptions = {}): Promise<ResourceLease<T>> {
    checkKnown<AcquireResourceOptions>("options", options, ACQUIRE);
    this.#stock.checkOpen();
    const since = performance.now();
    const { timeoutMs = this.#timeoutMs } = options;
    const stack = this.#settings.trackLeaks ? new Error("acquired here").stack : undefined;
    const permit = await this.#line.acquire(options);
    const ready = this.#stock.ready();
    try {
      const timely = unlessLate(ready, since, timeoutMs);
      const entry = await unlessAborted(timely, options.signal);
      return this.#lend(entry, permit, since, stack);
    } catch (error) {
      // Whoever waited is gone or refused; what is still being made goes to the others.
      void ready.then(
        (entry) => this.#stock.shelve(entry, permit),
        () => permit.release("unknown"),
      );
      throw error;
    }
  }

  /**
   * Lends a resource to `work` and takes it back when that is done. If `work` fails the resource is
   * destroyed, since nobody knows what state it is in.
   */
  async use<R>(
    work: (resource: T) => R | Promise<R>,
    options: AcquireResourceOptions = {},
  ): Promise<R> {
    const lease = await this.acquire(options);
    let result: R;
    try {
      result = await work(lease.resource);
    } catch (error) {
      await lease.destroy();
      throw error;
    }
    lease.release();
    return result;
  }

  /** What the pool has at this moment. One crossing. */
  stats(): ResourcePoolStats {
    const waiting = this.#stock.isClosed ? 0 : this.#line.stats().waiting;
    return { ...this.#stock.counts, idle: this.#stock.idle, waiting };
  }

  /** Lends no more, waits until all resources are back, and closes. */
  async drain(options: { signal?: AbortSignal } = {}): Promise<void> {
    this.#stock.checkOpen();
    await this.#line.drain(options);
    await this.close();
  }

  /**
   * Lends no more, refuses who waits with `SLUICE_POOL_CLOSED`, and destroys what is idle. What is
   * in use is destroyed when it comes back. Closing again is fine.
   */
  async close(): Promise<void> {
    if (this.#stock.isClosed) return;
    const closed = this.#stock.close();
    this.#line.close();
    await closed;
  }

  /** {@linkcode ResourcePool.close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #takeBack(lease: ResourceLease<T>, isGood: boolean): Promise<void> {
    const use = this.#uses.get(lease);
    if (use === undefined) return;
    this.#uses.delete(lease);
    this.#lost.unregister(lease);
    this.#stock.counts.inUse--;
    const { entry, permit, since } = use;
    const heldMs = performance.now() - since;
    this.#stock.tell({ type: "released", resource: entry.resource, heldMs });
    if (isGood) return await this.#stock.shelve(entry, permit);
    await this.#stock.destroy(entry, "asked");
    permit.release("unknown");
    await this.#stock.fill();
  }

  #lend(
    entry: Entry<T>,
    permit: HeldLease,
    askedAt: number,
    stack: string | undefined,
  ): ResourceLease<T> {
    this.#stock.checkOpen();
    const { resource } = entry;
    const since = performance.now();
    const lease = new ResourceLease(this.#owner, resource);
    const use = { entry, permit, since, stack };
    this.#uses.set(lease, use);
    this.#lost.register(lease, use, lease);
    this.#stock.counts.inUse++;
    this.#stock.tell({ type: "acquired", resource, waitedMs: since - askedAt });
    return lease;
  }

  /** A lease was lost. Whoever lost it may have left the resource in any state. */
  async #reclaim({ entry, permit, stack }: Use<T>): Promise<void> {
    this.#stock.counts.inUse--;
    this.#stock.counts.leaked++;
    this.#stock.tell({ type: "leaked", resource: entry.resource, stack });
    await this.#stock.destroy(entry, "leaked");
    permit.release("unknown");
    await this.#stock.fill();
  }
}

/** What `ready` comes to, or the error of a line in which one waited for as long as this. */
async function unlessLate<T>(ready: Promise<T>, since: number, limitMs: number): Promise<T> {
  const late = () => {
    const message = `No resource was ready within ${limitMs} ms`;
    return new SluiceError("SLUICE_ACQUIRE_TIMEOUT", message);
  };
  return await before(ready, Math.max(1, limitMs - (performance.now() - since)), late);
}

/** The line of a resource pool: one upstream that is always healthy, and leases that never expire. */
function openLine<T>({ name, max, queue }: ResourcePoolOptions<T>): Line {
  return new UpstreamPool({
    ...(name === undefined ? {} : { name }),
    upstreams: [{ id: PLACE, maxInFlight: max }],
    ...(queue === undefined ? {} : { queue }),
    leaseTtlMs: Infinity,
    health: { failures: 0, failureRate: 2 },
  });
}
