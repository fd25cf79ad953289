/**
 * A Worker that waits for a lease again and again, and tells when it was woken.
 *
 * @module
 */
import { monotonicClock } from "../monotonic.ts";
import { PoolMember } from "../../src/pool/member.ts";
import type { PoolOptions } from "../../src/pool/options.ts";
import { packPool } from "../../src/pool/settings.ts";

/** What it is told first. */
export interface Wait {
  readonly pool: PoolOptions;
  readonly pollMs: number;
  /** Whether it may sleep on a bell. */
  readonly hasBell: boolean;
  /** Shared: when it was woken last, by the monotonic clock. */
  readonly wokenAt: Float64Array;
}

interface Scope {
  onmessage: ((event: MessageEvent<Wait>) => void) | null;
  postMessage(waiting: true): void;
}

const scope = globalThis as unknown as Scope;
const clock = monotonicClock();
let member: PoolMember | undefined;

scope.onmessage = async ({ data: { pool, pollMs, hasBell, wokenAt } }) => {
  // Without it a bell does not sleep, as in a runtime that has none.
  if (!hasBell) Object.assign(Atomics, { waitAsync: undefined });
  const packed = packPool(pool);
  member ??= new PoolMember(packed.title, packed, pollMs);
  const lease = member.acquire(undefined, 0, 60_000, undefined);
  scope.postMessage(true);
  const held = await lease;
  wokenAt[0] = clock();
  held.release();
};
