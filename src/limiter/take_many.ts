/**
 * Takes for many keys at the same cost.
 *
 * @module
 */
import { allocate, LimiterBatch } from "./batch.ts";
import { takeByParts } from "./decide.ts";
import { ALLOWED, type Decision } from "./decision.ts";
import { denialBy } from "./denial.ts";
import { STATUS_STALE_KEY } from "../ffi/symbols.gen.ts";
import type { NativeLimiter } from "./native_limiter.ts";
import { callOf } from "./parts.ts";
import { sharedOf } from "./shared_calls.ts";

/** Takes for each key, in order. */
export function takeMany(core: NativeLimiter, keys: unknown, cost: unknown): Decision[] {
  const amounts = core.units.read("cost", cost);
  core.checkTake(amounts);
  const batch = new LimiterBatch(core);
  const resolved = batch.resolve(keys);
  const costs = allocate(amounts.length);
  costs.set(amounts);
  const codes = allocate(resolved.length);
  batch.takeKeys(resolved, costs, costs.length, codes);
  const shared = sharedOf(core);
  return Array.from(codes, (code, i) => {
    if (code === 0) return ALLOWED;
    if (shared !== undefined) return shared.takeNow(core, resolved[i]!, amounts);
    if (code > 0) return denialBy(code, core);
    // There was no slot for the key. The call for it alone throws the error that says so.
    if (code === STATUS_STALE_KEY) return takeByParts(callOf(core, resolved[i]!, amounts));
    core.unwrap(code);
    return ALLOWED;
  });
}
