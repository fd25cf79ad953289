/**
 * The resources of a pool that nobody uses, and the making and ending of them.
 *
 * @module
 */
import { before, tookTooLong, unlessAborted } from "../deadline.ts";
import { SluiceError } from "../errors.ts";
import type { UpstreamPool } from "./upstream_pool.ts";
import type { AcquireOptions } from "./options.ts";
import type { HeldLease } from "./lease_term.ts";
import type { DestroyReason, ResourceEvent, ResourceSettings } from "./resource_options.ts";

/** What a resource pool needs of the line that says who is next. */
export type Line = Pick<UpstreamPool, "drain" | "close" | "stats"> & {
  acquire(options: AcquireOptions): Promise<HeldLease>;
  tryAcquire(): HeldLease | null;
};

/** A resource and what is known of it. */
export interface Entry<T> {
  readonly resource: T;
  readonly endsAt: number;
  idleSince: number;
}

/**
 * Keeps idle resources, and makes, looks over and destroys them. Each is in one of three places:
 * idle here, in use, or in transit between them; in the last two it is under a permit of the line.
 * Where the line is this pool's alone, so are never more than `max` of them in all; what runs on after
 * its timeout is in none of the three.
 */
export class ResourceStock<T> {
  readonly #settings: ResourceSettings<T>;
  readonly #line: Line;
  /** Those that came back last are last. */
  readonly #idle: Entry<T>[] = [];
  readonly #closing = new AbortController();
  /** What is being made, each with what aborts it. */
  readonly #making = new Set<AbortController>();
  #sweep: ReturnType<typeof setInterval> | undefined;
  /** How many are where, and how many there were. */
  readonly counts = { inUse: 0, inTransit: 0, created: 0, destroyed: 0, leaked: 0 };

  /** A stock without resources. */
  constructor(settings: ResourceSettings<T>, line: Line) {
    this.#settings = settings;
    this.#line = line;
  }

  /** How many are idle. */
  get idle(): number {
    return this.#idle.length;
  }

  /** Whether it is closed, and what comes back is destroyed. */
  get isClosed(): boolean {
    return this.#closing.signal.aborted;
  }

  /** An idle resource that is good, or a new one. For who holds a permit. */
  async ready(): Promise<Entry<T>> {
    for (;;) {
      const entry = this.#settings.reuse === "newest" ? this.#idle.pop() : this.#idle.shift();
      if (entry === undefined) return await this.#create();
      const fault = performance.now() >= entry.endsAt ? "lifetime" : await this.#faultOf(entry);
      if (fault === undefined) return entry;
      await this.destroy(entry, fault);
    }
  }

  async #faultOf({ resource }: Entry<T>): Promise<DestroyReason | undefined> {
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
    // Not `AbortSignal.any`: a signal that follows one of this pool's lives as long as the pool.
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
      // It may come yet, and nobody waits for it.
      void made.then((resource) => this.#settings.destroy(resource)).catch(() => {});
      this.tell({ type: "create-failed", error });
      throw error;
    } finally {
      this.#making.delete(making);
      this.counts.inTransit--;
    }
  }

  /** Puts a resource among the idle and only then frees its place, so that who is next finds it. */
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

  /** Ends a resource; its place is for the caller to free. Never throws. */
  async destroy({ resource }: Entry<T>, reason: DestroyReason): Promise<void> {
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

  /** Makes resources ahead until there are `min`, as far as there are places. */
  async fill(): Promise<void> {
    while (!this.isClosed && this.#total < this.#settings.min) {
      const permit = this.#permit();
      if (permit === null) return;
      try {
        await this.shelve(await this.#create(), permit);
      } catch {
        // Told as an event; the next sweep tries again.
        permit.release("unknown");
        return this.#startSweep();
      }
    }
  }

  /** A permit that is free; none while the line is drained, when nothing is done ahead. */
  #permit(): HeldLease | null {
    try {
      return this.#line.tryAcquire();
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
    // Ten looks in the shorter of the two times, so that none is overdrawn by much.
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
      // Its place is taken while it ends, or there could be one more than `max`.
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

  /** Destroys what is idle, and from now on what comes back. */
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

  /** Tells the listener, whose mistakes are its own. */
  tell(event: ResourceEvent<T>): void {
    try {
      this.#settings.onEvent?.(event);
    } catch {
      // A listener is no part of the pool.
    }
  }
}
