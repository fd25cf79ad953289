/**
 * The warning that the pools of a Worker allow more requests than Bun's `fetch` carries out at a time.
 *
 * @module
 */
import { CEILING_VARIABLE, requestCeiling } from "../ffi/request_ceiling.ts";
import type { PoolMember } from "./member.ts";
import type { PoolStats } from "./stats.ts";

/** The limits of leases in use of a pool. */
type Caps = Pick<PoolStats, "maxInFlight" | "upstreams">;

/** For each pool that has fetched in this isolate: its limit, and the number of its objects. */
const allowed = new Map<string, { objects: number; cap: number }>();
let hasWarned = false;

/** The part of a member that {@linkcode watchCeiling} listens to. */
type Watched = Pick<PoolMember, "onFetch" | "onCapsChanged" | "onClose"> & { stats(): Caps };

/**
 * Listens to a member, and warns if the limits exceed the ceiling.
 *
 * @param ceiling How many requests `fetch` carries out at a time; only Bun has such a ceiling.
 */
export function watchCeiling(
  pool: string,
  member: Watched,
  ceiling: number = requestCeiling(),
): void {
  if (ceiling === Infinity) return;
  const share = new CeilingShare(pool, ceiling);
  const caps = () => member.stats();
  member.onFetch = () => share.enter(caps);
  member.onCapsChanged = () => share.update(caps);
  member.onClose = () => share.leave();
}

/** The part of one pool object in the sum of all limits, from its first fetch to its close. */
export class CeilingShare {
  readonly #name: string;
  readonly #ceiling: number;
  #isIn = false;

  /** @param ceiling How many requests are carried out at a time. */
  constructor(name: string, ceiling: number) {
    this.#name = name;
    this.#ceiling = ceiling;
  }

  /** The pool fetches. The first time, its limits are read, which takes a crossing. */
  enter(caps: () => Caps): void {
    if (this.#isIn || this.#ceiling === Infinity) return;
    const read = caps();
    this.#isIn = true;
    const shared = allowed.get(this.#name);
    if (shared === undefined) allowed.set(this.#name, { objects: 1, cap: 0 });
    else shared.objects++;
    this.#count(read);
  }

  /** The limits of the pool have changed. */
  update(caps: () => Caps): void {
    if (this.#isIn) this.#count(caps());
  }

  /** The pool is closed. */
  leave(): void {
    if (!this.#isIn) return;
    this.#isIn = false;
    const shared = allowed.get(this.#name);
    if (shared !== undefined && --shared.objects === 0) allowed.delete(this.#name);
  }

  /** Warns the first time that the sum of the limits of all pools exceeds the ceiling. */
  #count({ upstreams, maxInFlight }: Caps): void {
    const caps = upstreams.reduce((sum, { maxInFlight }) => sum + maxInFlight, 0);
    const shared = allowed.get(this.#name);
    if (shared !== undefined) shared.cap = Math.min(caps, maxInFlight);
    const total = [...allowed.values()].reduce((sum, { cap }) => sum + cap, 0);
    if (hasWarned || total <= this.#ceiling) return;
    hasWarned = true;
    process.emitWarning(
      `The pools that fetch here allow ${total} requests in flight, but Bun's fetch carries out ` +
        `${this.#ceiling} at a time, for all Workers and hosts together. The others wait without a ` +
        `timeout, so a slow upstream can delay all others. Set ${CEILING_VARIABLE}=${total} or more ` +
        "in the environment before Bun starts (at most 65535), or lower maxInFlight of the pools.",
      { type: "SluiceWarning", code: "SLUICE_FETCH_CEILING" },
    );
  }
}
