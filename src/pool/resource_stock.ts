/**
 * The idle resources of a pool, as a stack or a queue, and how resources are made, validated and destroyed.
 *
 * @module
 */
import { before, tookTooLong, unlessAborted } from "../deadline.ts";
import { SluiceError } from "../errors.ts";
import type { UpstreamPool } from "./upstream_pool.ts";
import type { AcquireOptions } from "./options.ts";
import type { HeldLease } from "./lease_term.ts";
import type { ResourceDestroyReason, ResourceEvent, ResourceSettings } from "./resource_options.ts";

/** The part of an upstream pool that serves as the queue of a resource pool. */
export type ResourceQueue = Pick<UpstreamPool, "drain" | "close" | "destroy" | "stats"> & {
  acquire(options: AcquireOptions): Promise<HeldLease>;
  tryAcquire(): HeldLease | null;
};

/** A resource and its times, by `performance.now()`. */
export interface Entry<T> {
  readonly resource: T;
  readonly endsAt: number;
  idleSince: number;
}

/**
 * Keeps idle resources, and makes, validates and destroys them. A resource is idle, in use, or in transit
 * between the two. In use and in transit it is covered by a lease of the queue, the permit. If the queue is not
 * shared, there are never more than `max` resources in all; a call that continues after its timeout is not
 * counted.
 */
export class ResourceStock<T> {
  readonly #settings: ResourceSettings<T>;
  readonly #queue: ResourceQueue;
  /** In the order in which they came back. */
  readonly #idle: Entry<T>[] = [];
  readonly #closing = new AbortController();
  /** The controllers of the calls of `create` that are under way. */
  readonly #making = new Set<AbortController>();
  #sweep: ReturnType<typeof setInterval> | undefined;
  /** Counters for the statistics. */
  readonly counts = { inUse: 0, inTransit: 0, created: 0, destroyed: 0, leaked: 0 };

  /** A stock without resources. */
  constructor(settings: ResourceSettings<T>, queue: ResourceQueue) {
    this.#settings = settings;
    this.#queue = queue;
  }

  /** The number of idle resources. */
  get idle(): number {
    return this.#idle.length;
  }

  /** Whether it is closed, so that resources are destroyed when they come back. */
  get isClosed(): boolean {
    return this.#closing.signal.aborted;
  }

  /** A valid idle resource, or a new one. The caller holds a permit. */
  async ready(): Promise<Entry<T>> {
    for (;;) {
      const entry = this.#settings.reuse === "newest" ? this.#idle.pop() : this.#idle.shift();
      if (entry === undefined) return await this.#create();
      const fault = performance.now() >= entry.endsAt ? "lifetime" : await this.#faultOf(entry);
      if (fault === undefined) return entry;
      await this.destroy(entry, fault);
    }
  }

  async #faultOf({ resource }: Entry<T>): Promise<ResourceDestroyReason | undefined> {
    const { validate, validateTimeoutMs } = this.#settings;
    if (validate === undefined) return undefined;
    this.counts.inTransit++;
    try {
      return await before(
          validate(resource),
          validateTimeoutMs,
          tookTooLong("validate", validateTimeoutMs),
        )
        ? undefined
        : "invalid";
    } catch (error) {
      this.tell({ type: "validate-failed", resource, error });
      return "invalid";
    } finally {
      this.counts.inTransit--;
    }
  }

  async #create(): Promise<Entry<T>> {
    const { create, createTimeoutMs, maxLifetimeMs, lifetimeJitter } = this.#settings;
    const started = performance.now();
    // Not `AbortSignal.any`: a signal that follows one of this pool would live as long as the pool.
    const making = new AbortController();
    if (this.isClosed) making.abort(this.#closing.signal.reason);
    this.#making.add(making);
    this.counts.inTransit++;
    const made = (async () => await create(making.signal))();
    try {
      const work = unlessAborted(made, this.#closing.signal);
      const resource = await before(work, createTimeoutMs, tookTooLong("create", createTimeoutMs));
      const now = performance.now();
      const life = maxLifetimeMs * (1 - lifetimeJitter * Math.random());
      this.counts.created++;
      this.tell({ type: "created", resource, tookMs: now - started });
      return { resource, endsAt: now + life, idleSince: now };
    } catch (error) {
      making.abort(error);
      // It may still be made, but is not needed any more.
      void made.then((resource) => this.#settings.destroy(resource)).catch(() => {});
      this.tell({ type: "create-failed", error });
      throw error;
    } finally {
      this.#making.delete(making);
      this.counts.inTransit--;
    }
  }

  /** Makes a resource idle, and only then gives its permit back, so that the next request finds it. */
  async shelve(entry: Entry<T>, permit: HeldLease): Promise<void> {
    entry.idleSince = performance.now();
    const isOver = entry.idleSince >= entry.endsAt;
    if (isOver || this.isClosed) {
      await this.destroy(entry, isOver ? "lifetime" : "closed");
      permit.release();
      return await this.fill();
    }
    this.#idle.push(entry);
    permit.release();
    this.#startSweep();
  }

  /** Destroys a resource. The caller gives its permit back. Never throws. */
  async destroy({ resource }: Entry<T>, reason: ResourceDestroyReason): Promise<void> {
    const { destroy, destroyTimeoutMs } = this.#settings;
    this.counts.inTransit++;
    try {
      await before(
        (async () => await destroy(resource))(),
        destroyTimeoutMs,
        tookTooLong("destroy", destroyTimeoutMs),
      );
    } catch (error) {
      this.tell({ type: "destroy-failed", resource, error });
    }
    this.counts.inTransit--;
    this.counts.destroyed++;
    this.tell({ type: "destroyed", resource, reason });
  }

  /** Makes resources in advance until there are `min`, as far as permits are free. */
  async fill(): Promise<void> {
    while (!this.isClosed && this.#total < this.#settings.min) {
      const permit = this.#permit();
      if (permit === null) return;
      try {
        await this.shelve(await this.#create(), permit);
      } catch {
        // Reported as an event. The next sweep tries again.
        permit.release("unknown");
        return this.#startSweep();
      }
    }
  }

  /** A permit if one is free. None while the queue drains, when nothing is made in advance. */
  #permit(): HeldLease | null {
    try {
      return this.#queue.tryAcquire();
    } catch {
      return null;
    }
  }

  get #total(): number {
    return this.counts.inUse + this.counts.inTransit + this.#idle.length;
  }

  #startSweep(): void {
    if (this.#sweep !== undefined || this.isClosed) return;
    const { idleTimeoutMs, maxLifetimeMs } = this.#settings;
    // Ten sweeps within the shorter of the two times, so that neither is exceeded by much.
    const everyMs = Math.min(Math.max(Math.min(idleTimeoutMs, maxLifetimeMs) / 10, 10), 60_000);
    this.#sweep = setInterval(() => void this.#sweepIdle(), everyMs);
    this.#sweep.unref();
  }

  async #sweepIdle(): Promise<void> {
    const now = performance.now();
    const { idleTimeoutMs, min } = this.#settings;
    for (const entry of this.#idle.slice()) {
      const isOver = now >= entry.endsAt;
      const isIdle = now - entry.idleSince >= idleTimeoutMs && this.#total > min;
      if (!isOver && !isIdle) continue;
      // It needs a permit while it is destroyed, or there could be one more than `max`.
      const permit = this.#permit();
      if (permit === null) return;
      const at = this.#idle.indexOf(entry);
      if (at >= 0) {
        this.#idle.splice(at, 1);
        await this.destroy(entry, isOver ? "lifetime" : "idle");
      }
      permit.release("unknown");
      if (this.isClosed) return;
    }
    await this.fill();
    if (this.#idle.length === 0 && this.#total >= min) {
      clearInterval(this.#sweep);
      this.#sweep = undefined;
    }
  }

  /** Destroys idle resources, and from now on those that come back. */
  async close(): Promise<void> {
    this.#closing.abort(new SluiceError("SLUICE_DISPOSED", "This resource pool is closed"));
    for (const making of this.#making) making.abort(this.#closing.signal.reason);
    clearInterval(this.#sweep);
    await Promise.all(this.#idle.splice(0).map((entry) => this.destroy(entry, "closed")));
  }

  /** Throws `SLUICE_DISPOSED` once closed. */
  checkOpen(): void {
    this.#closing.signal.throwIfAborted();
  }

  /** Passes an event to the listener. Ignores what the listener throws. */
  tell(event: ResourceEvent<T>): void {
    try {
      this.#settings.onEvent?.(event);
    } catch {
      // A broken metric must not break a request.
    }
  }
}
