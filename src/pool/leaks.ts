/**
 * Leases that the garbage collector found before anybody gave them back.
 *
 * @module
 */
import type { Leaks } from "../leaks.ts";
import type { PoolEvents } from "./events.ts";

/** Watches leases: what is kept of each. */
export type LeaseLeaks = Leaks<{ readonly id: number; readonly upstream: string }>;

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
