/**
 * Leases that the garbage collector found before anybody gave them back.
 *
 * @module
 */
import type { PoolEvents } from "./events.ts";
import type { Lease } from "./lease.ts";

/** What is kept of a lease. */
interface Watched {
  readonly id: number;
  readonly upstream: string;
  readonly stack: string;
}

/** Told of a lease that was lost, of which upstream, and who acquired it. */
export type Leaked = (upstream: string, stack: string) => void;

/**
 * Tells the events of a pool, or, where nobody listens to them, warns. The events are kept by the
 * pool's object alone, or its listener, which may see that object, would keep it.
 */
export function leakListener(pool: string, events: WeakRef<PoolEvents> | undefined): Leaked {
  return (upstream, stack) => {
    const listener = events?.deref();
    if (listener !== undefined) return listener.tell({ type: "leaked", upstream, stack });
    process.emitWarning(
      `A lease of ${upstream}, of the pool ${JSON.stringify(pool)}, was never given back. ` +
        `Acquired by:\n${stack}`,
      { type: "SluiceWarning", code: "SLUICE_LEASE_LEAKED" },
    );
  };
}

/** Watches leases, each with the stack that acquired it. */
export class Leaks {
  readonly #registry: FinalizationRegistry<Watched>;

  /** @param found Told of each lease that was lost. */
  constructor(found: (lost: Watched) => void) {
    this.#registry = new FinalizationRegistry(found);
  }

  /** Watches a lease. */
  watch(lease: Lease, id: number): void {
    const stack = new Error("acquired").stack ?? "";
    this.#registry.register(lease, { id, upstream: lease.upstream, stack }, lease);
  }

  /** The lease was given back. */
  forget(lease: Lease): void {
    this.#registry.unregister(lease);
  }
}
