/**
 * An object pool: connections, clients and other resources that are expensive to make, lent to one user each.
 *
 * @module
 */
import { before, unlessAborted } from "../deadline.ts";
import { SluiceError } from "../errors.ts";
import { checkKnown, type Known } from "../known_options.ts";
import { UpstreamPool } from "./upstream_pool.ts";
import type { AcquireOptions, DrainOptions } from "./options.ts";
import type { HeldLease } from "./lease_term.ts";
import { ResourceLease, type ResourceOwner } from "./resource_lease.ts";
import {
  type ResourcePoolOptions,
  type ResourceSettings,
  resourceSettings,
} from "./resource_options.ts";
import { checkDrain, QUEUE_TIMEOUT_MS } from "./settings.ts";
import { type Entry, type ResourceQueue, ResourceStock } from "./resource_stock.ts";

/** A snapshot of a pool of resources. */
export interface ResourcePoolStats {
  /** Resources in use. */
  readonly inUse: number;
  /** Resources that are ready for use. */
  readonly idle: number;
  /** Resources being made, validated or destroyed. */
  readonly inTransit: number;
  /** Queued requests; with a shared name, of all Workers. */
  readonly waiting: number;
  /** Resources made since the pool was made. */
  readonly created: number;
  /** Resources destroyed since the pool was made. */
  readonly destroyed: number;
  /** Leases that were garbage-collected. */
  readonly leaked: number;
}

/** Options of {@linkcode ResourcePool.acquire}. */
export type AcquireResourceOptions = Omit<AcquireOptions, "prefer">;

const ACQUIRE: Known<AcquireResourceOptions> = { signal: true, priority: true, timeoutMs: true };

/** A resource in use, and the lease of the queue that permits it. */
interface Use<T> {
  readonly entry: Entry<T>;
  readonly permit: HeldLease;
  readonly since: number;
  readonly stack: string | undefined;
}

/** The id of the only upstream of the queue. */
const UPSTREAM = "resource";

/**
 * Keeps up to `max` resources of this Worker, and lends each to one user at a time. The queue, its order and
 * its limits are those of {@linkcode UpstreamPool}. Objects and sockets cannot be sent to another Worker, so
 * each Worker has its own resources.
 *
 * There are never more than `max` resources, including those being made or destroyed, with two exceptions. A
 * `create` or `destroy` that continues after its timeout is not counted. And with a `name`, `max` limits the
 * resources that all pools of that name together use, make or validate at a time: idle ones of other pools are
 * not counted, so each pool may have `max` of them.
 *
 * @example
 * ```ts
 * import { ResourcePool } from "./mod.ts";
 *
 * // Stands in for a database client.
 * class Client {
 *   isOpen = true;
 *   ping = () => Promise.resolve("PONG");
 *   close = () => void (this.isOpen = false);
 * }
 * const pool = new ResourcePool<Client>({
 *   create: (signal) => {
 *     signal.throwIfAborted();
 *     return new Client();
 *   },
 *   validate: (client) => client.isOpen,
 *   destroy: (client) => client.close(),
 *   max: 8,
 * });
 * console.log(await pool.use((client) => client.ping())); // PONG
 * await pool.close();
 * ```
 */
export class ResourcePool<T> implements AsyncDisposable {
  readonly #settings: ResourceSettings<T>;
  readonly #queue: ResourceQueue;
  readonly #timeoutMs: number;
  readonly #stock: ResourceStock<T>;
  readonly #owner: ResourceOwner<T> = {
    takeBack: (lease, isGood) => this.#takeBack(lease, isGood),
  };
  /** By lease, weakly: a lost lease must be collected. */
  readonly #uses = new WeakMap<ResourceLease<T>, Use<T>>();
  /**
   * Keeps the resource of each lease, to destroy it if the lease is lost. A lease that its own resource refers
   * to is never collected.
   */
  readonly #lost = new FinalizationRegistry<Use<T>>((use) => this.#reclaim(use));

  /**
   * Makes a pool, and starts to make `min` resources.
   *
   * @throws {TypeError | RangeError} naming the wrong option.
   */
  constructor(options: ResourcePoolOptions<T>) {
    this.#settings = resourceSettings(options);
    this.#queue = openQueue(options);
    this.#timeoutMs = options.queue?.timeoutMs ?? QUEUE_TIMEOUT_MS;
    this.#stock = new ResourceStock(this.#settings, this.#queue);
    void this.#stock.fill();
  }

  /**
   * Waits for a resource: an idle one that is still valid, or a new one.
   *
   * `timeoutMs`, by default `queue.timeoutMs`, and `signal` end the wait at any time. A resource that is being
   * made then is finished and kept for others.
   *
   * @throws {SluiceError} As {@linkcode UpstreamPool.acquire}; `SLUICE_DISPOSED` once closed.
   * @throws The errors of `create`, and a `TimeoutError` if it takes longer than `createTimeoutMs`.
   */
  async acquire(options: AcquireResourceOptions = {}): Promise<ResourceLease<T>> {
    checkKnown<AcquireResourceOptions>("options", options, ACQUIRE);
    this.#stock.checkOpen();
    const since = performance.now();
    const { timeoutMs = this.#timeoutMs } = options;
    const stack = this.#settings.trackLeaks ? new Error("acquired here").stack : undefined;
    const permit = await this.#queue.acquire(options);
    const ready = this.#stock.ready();
    try {
      const timely = unlessLate(ready, since, timeoutMs);
      const entry = await unlessAborted(timely, options.signal);
      return this.#lend(entry, permit, since, stack);
    } catch (error) {
      // The caller has left; a resource that is still being made goes to the others.
      void ready.then(
        (entry) => this.#stock.shelve(entry, permit),
        () => permit.release("unknown"),
      );
      throw error;
    }
  }

  /**
   * Lends a resource to `work` and takes it back when `work` is done. If `work` fails, the resource is
   * destroyed, because its state is unknown.
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

  /** A snapshot of the pool. One crossing. */
  stats(): ResourcePoolStats {
    const waiting = this.#stock.isClosed ? 0 : this.#queue.stats().waiting;
    return { ...this.#stock.counts, idle: this.#stock.idle, waiting };
  }

  /**
   * Lends no more to new requests, serves the queued ones, and resolves when all resources are back. Idle
   * resources are kept until the pool is closed.
   *
   * @throws {SluiceError} `SLUICE_DISPOSED` once closed; and the reason of the signal, which ends the wait but
   * not the draining.
   */
  async drain(options: DrainOptions = {}): Promise<void> {
    const signal = checkDrain(options);
    this.#stock.checkOpen();
    await this.#queue.drain({ signal });
  }

  /**
   * Closes gracefully, as undici's `close` and an HTTP server do: {@linkcode ResourcePool.drain}, then
   * {@linkcode ResourcePool.destroy}. Closing again has no effect.
   *
   * @throws The reason of the signal, which ends the wait and leaves the pool draining.
   */
  async close(options: DrainOptions = {}): Promise<void> {
    const signal = checkDrain(options);
    if (this.#stock.isClosed) return;
    await this.#queue.close({ signal });
    await this.destroy();
  }

  /**
   * Closes at once: rejects queued requests with `SLUICE_POOL_CLOSED`, destroys the idle resources, and
   * resolves when these are destroyed. Resources in use are destroyed when they come back. Calling it again has
   * no effect.
   */
  async destroy(): Promise<void> {
    if (this.#stock.isClosed) return;
    const closed = this.#stock.close();
    this.#queue.destroy();
    await closed;
  }

  /** {@linkcode ResourcePool.close}, for `await using`: waits for the resources in use. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
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

  /** Destroys the resource of a lost lease, because its state is unknown. */
  async #reclaim({ entry, permit, stack }: Use<T>): Promise<void> {
    this.#stock.counts.inUse--;
    this.#stock.counts.leaked++;
    this.#stock.tell({ type: "leaked", resource: entry.resource, stack });
    await this.#stock.destroy(entry, "leaked");
    permit.release("unknown");
    await this.#stock.fill();
  }
}

/** The result of `ready`, or the timeout error of the queue. */
async function unlessLate<T>(ready: Promise<T>, since: number, limitMs: number): Promise<T> {
  const late = () => {
    const message = `No resource was ready within ${limitMs} ms`;
    return new SluiceError("SLUICE_ACQUIRE_TIMEOUT", message);
  };
  return await before(ready, Math.max(1, limitMs - (performance.now() - since)), late);
}

/** The queue of a resource pool: one upstream that is always healthy, and leases that never expire. */
function openQueue<T>({ name, max, queue }: ResourcePoolOptions<T>): ResourceQueue {
  return new UpstreamPool({
    name,
    upstreams: [{ id: UPSTREAM, maxInFlight: max }],
    queue,
    leaseTtlMs: Infinity,
    health: { failures: 0, failureRate: 2 },
  });
}
