/**
 * The warning that pools allow more requests than the runtime's `fetch` carries out.
 *
 * @module
 */
import { CEILING_VARIABLE, requestCeiling } from "../ffi/request_ceiling.ts";
import type { PoolStats } from "./stats.ts";

/** What a pool allows. */
type Caps = Pick<PoolStats, "maxInFlight" | "upstreams">;

/** What each pool that fetched in this isolate allows, and how many objects of that name there are. */
const allowed = new Map<string, { objects: number; cap: number }>();
let hasWarned = false;

/** The part that one pool object has in the sum of what is allowed, from its first fetch to its end. */
export class CeilingShare {
  readonly #name: string;
  readonly #ceiling: number;
  #isIn = false;

  /** @param ceiling How many requests are carried out; another value is for tests. */
  constructor(name: string, ceiling: number = requestCeiling()) {
    this.#name = name;
    this.#ceiling = ceiling;
  }

  /** The pool fetches: the first time its caps are read, which takes a crossing. */
  enter(caps: () => Caps): void {
    if (this.#isIn || this.#ceiling === Infinity) return;
    const read = caps();
    this.#isIn = true;
    const shared = allowed.get(this.#name);
    if (shared === undefined) allowed.set(this.#name, { objects: 1, cap: 0 });
    else shared.objects++;
    this.#count(read);
  }

  /** The caps of the pool have changed. */
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

  /** Warns the first time that the caps of all pools add up to more than the ceiling. */
  #count({ upstreams, maxInFlight }: Caps): void {
    const caps = upstreams.reduce((sum, { maxInFlight }) => sum + maxInFlight, 0);
    const shared = allowed.get(this.#name);
    if (shared !== undefined) shared.cap = Math.min(caps, maxInFlight);
    const total = [...allowed.values()].reduce((sum, { cap }) => sum + cap, 0);
    if (hasWarned || total <= this.#ceiling) return;
    hasWarned = true;
    process.emitWarning(
      `The pools that fetch here allow ${total} requests in flight, but Bun's fetch carries out ` +
        `${this.#ceiling} at a time, over all Workers and hosts, and lets the rest wait without a ` +
        `timeout: a slow upstream can hold up the others. Set ${CEILING_VARIABLE}=${total} or more ` +
        "in the environment before Bun starts (at most 65535), or lower the pools' maxInFlight.",
      { type: "SluiceWarning", code: "SLUICE_FETCH_CEILING" },
    );
  }
}
