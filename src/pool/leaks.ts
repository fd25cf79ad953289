/**
 * Reports of leases that were garbage-collected before they were given back.
 *
 * @module
 */
import type { Leaks } from "../leaks.ts";
import type { PoolEvent } from "./options.ts";

/** Watches leases. Of each it keeps the id and the upstream. */
export type LeaseLeaks = Leaks<{ readonly id: number; readonly upstream: string }>;

/** Is called with the upstream of a lost lease and the stack that acquired it. */
export type Leaked = (upstream: string, stack: string) => void;

/** Something that takes the events of a pool. */
export interface EventSink {
  tell(event: PoolEvent): void;
}

/**
 * Reports lost leases as events of the pool, or as a process warning if the pool has no listener.
 *
 * @param events Held weakly: only the pool's own object keeps it, because its listener may refer to that
 * object and would keep it alive.
 */
export function leakListener(pool: string, events: WeakRef<EventSink> | undefined): Leaked {
  return (upstream, stack) => {
    const listener = events?.deref();
    if (listener !== undefined) return listener.tell({ type: "leaked", upstream, stack });
    process.emitWarning(
      `A lease of ${upstream} in pool ${
        JSON.stringify(pool)
      } was garbage-collected before it was ` +
        `given back. It was acquired by:\n${stack}`,
      { type: "SluiceWarning", code: "SLUICE_LEASE_LEAKED" },
    );
  };
}
