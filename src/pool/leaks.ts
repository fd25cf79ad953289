/**
 * Leases that the garbage collector found before anybody gave them back.
 *
 * @module
 */
import type { Lease } from "./lease.ts";

/** What is kept of a lease. */
interface Watched {
  readonly id: number;
  readonly upstream: string;
  readonly stack: string;
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
