/**
 * Reserving at one key, by a path of its own, and at several keys, by parts.
 *
 * @module
 */
import { checkPeriodMs } from "../arguments.ts";
import { askAhead } from "./decide.ts";
import type { Denied } from "./decision.ts";
import { denialBy, denialByAll } from "./denial.ts";
import { STATUS_STALE_KEY } from "../ffi/symbols.gen.ts";
import { checkKnown } from "../known_options.ts";
import type { LimiterKey } from "./key.ts";
import type { NativeLimiter } from "./native_limiter.ts";
import { crossByParts, giveBack, type PartsCall } from "./parts.ts";
import { Reservation, type ReserveOptions } from "./reservation.ts";
import { sharedCallsOf, sharedOf, type SharedReserveOptions } from "./shared_calls.ts";
import type { SharedDenied } from "./shared_decision.ts";
import { SharedReservation } from "./shared_reservation.ts";

const OPTIONS = { ttlMs: true } as const;
const NONE: readonly NativeLimiter[] = [];

/** Reserves at one key. */
export function reserveOne(
  core: NativeLimiter,
  key: unknown,
  cost: unknown,
  options: ReserveOptions | undefined,
): Reservation | Denied {
  const ttlMs = options === undefined ? 0 : readTtl(options);
  const amounts = core.units.read("cost", cost);
  return reserveAmounts(core, core.resolve(key), amounts, ttlMs);
}

/** Reserves amounts of all units at one key. */
export function reserveAmounts(
  core: NativeLimiter,
  target: LimiterKey,
  amounts: readonly number[],
  ttlMs: number,
): Reservation | Denied {
  let code = reserveAt(core, target.id, amounts, ttlMs);
  if (code < 0) {
    if (code !== STATUS_STALE_KEY) core.unwrap(code);
    code = core.withKey(target, (id) => reserveAt(core, id, amounts, ttlMs));
  }
  const shared = sharedOf(core);
  if (shared !== undefined) {
    if (code > 0) return shared.reserveNow(core, target, amounts, ttlMs);
    shared.watch();
  }
  if (code > 0) return denialBy(code, core);
  return new Reservation(core, target, NONE, core.costs[0]!, ttlMs, core.tracksLeaks);
}

/** Reserves at one key of a limiter that is shared with other processes. */
export async function reserveOneShared(
  core: NativeLimiter,
  key: unknown,
  cost: unknown,
  options: SharedReserveOptions,
): Promise<SharedReservation | SharedDenied> {
  const { ttlMs = 0 } = options;
  const amounts = core.units.read("cost", cost);
  const target = core.resolve(key);
  const sharedCalls = sharedCallsOf(core);
  const code = reserveAt(core, target.id, amounts, ttlMs);
  if (code !== 0) return await sharedCalls.reserve(core, target, amounts, ttlMs, options);
  sharedCalls.credited++;
  sharedCalls.watch();
  const { costs, tracksLeaks } = core;
  return new SharedReservation(core, target, NONE, costs[0]!, ttlMs, tracksLeaks, "credit");
}

/** Crosses, and returns a code. If it is 0, the number of the reservation is the first of the costs. */
function reserveAt(
  core: NativeLimiter,
  id: number,
  amounts: readonly number[],
  ttlMs: number,
): number {
  const { costs, handle, native } = core;
  for (let i = 0; i < amounts.length; i++) costs[i] = amounts[i]!;
  return native.sluice_limiter_reserve_one(handle, id, costs, amounts.length, ttlMs);
}

/** Reserves at all keys of a call, or at none. */
export function reserveByParts(call: PartsCall, ttlMs: number): Reservation | Denied {
  const { numbers } = call;
  const core = call.cores[0]!;
  const { native } = core;
  const code = crossByParts(
    call,
    true,
    ({ length }) => native.sluice_limiter_reserve(numbers, length, ttlMs),
  );
  if (code > 0) askAhead(call);
  const limiters = call.limiters();
  const isWatched = limiters.some(({ tracksLeaks }) => tracksLeaks);
  // The number of the reservation is the first of the numbers.
  const result = code > 0
    ? denialByAll(code, limiters)
    : new Reservation(core, call.keys[0]!, distinct(call), numbers[0]!, ttlMs, isWatched);
  giveBack(call);
  return result;
}

/** Reads the lifetime of a reservation once; 0 stands for the limiter's own. */
export function readTtl(options: ReserveOptions | undefined): number {
  if (options === undefined) return 0;
  checkKnown<ReserveOptions>("the options of a reservation", options, OPTIONS);
  const { ttlMs } = options;
  return ttlMs === undefined ? 0 : checkPeriodMs("ttlMs", ttlMs);
}

/** Returns the limiter of each key. A key that is named twice is held once. */
function distinct(call: PartsCall): readonly NativeLimiter[] {
  const limiters = call.limiters();
  // Names are compared as UTF-8, in which all lone surrogates are the same.
  const names = limiters.map(({ name }) => name.toWellFormed());
  const ids = call.keys.slice(0, call.count).map((key) => key!.id);
  const isFirst = (at: number): boolean =>
    ids.findIndex((id, i) => id === ids[at] && names[i] === names[at]) === at;
  return limiters.filter((_, at) => isFirst(at));
}
