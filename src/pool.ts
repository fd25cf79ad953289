/**
 * The upstream pool: leases shared by all Workers of a process.
 *
 * @module
 */
import type { Lease } from "./lease.ts";
import type {
  AcquireOptions,
  PoolOptions,
  TryAcquireOptions,
  UpstreamOptions,
} from "./pool_options.ts";
import type { PoolStats } from "./pool_stats.ts";

/** What of an upstream can be changed while it is in use. */
export type UpstreamChanges = Partial<Omit<UpstreamOptions, "id">>;

/** Decides, over all Workers of the process, how many requests are in flight to which upstream. */
export class UpstreamPool implements Disposable {
  /** The name that Workers share it under. */
  readonly name: string;

  /** Opens the pool of that name. */
  constructor(options: PoolOptions) {
    this.name = options.name;
    throw new Error("not built yet");
  }

  /** Waits for a lease. */
  acquire(_options: AcquireOptions = {}): Promise<Lease> {
    throw new Error("not built yet");
  }

  /** A lease, or null if none is free; never waits, never goes ahead of who waits. */
  tryAcquire(_options: TryAcquireOptions = {}): Lease | null {
    throw new Error("not built yet");
  }

  /** Up to `count` leases, as many as are free. */
  acquireBatch(_count: number, _options: TryAcquireOptions = {}): Lease[] {
    throw new Error("not built yet");
  }

  /** Gives many leases back; returns how many were held. */
  releaseBatch(_leases: readonly Lease[]): number {
    throw new Error("not built yet");
  }

  addUpstream(_upstream: UpstreamOptions): void {
    throw new Error("not built yet");
  }

  removeUpstream(_id: string): void {
    throw new Error("not built yet");
  }

  updateUpstream(_id: string, _changes: UpstreamChanges): void {
    throw new Error("not built yet");
  }

  /** No new leases for it; resolves when none is in flight. */
  drainUpstream(_id: string, _options: { signal?: AbortSignal } = {}): Promise<void> {
    throw new Error("not built yet");
  }

  stats(): PoolStats {
    throw new Error("not built yet");
  }

  /** No new leases for this object; resolves when its last lease is back. */
  drain(_options: { signal?: AbortSignal } = {}): Promise<void> {
    throw new Error("not built yet");
  }

  /** Who waits here is refused with `SLUICE_POOL_CLOSED`. */
  close(): void {
    throw new Error("not built yet");
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
