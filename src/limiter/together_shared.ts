/**
 * Calls on several keys of limiters that other processes share, all or nothing.
 *
 * A script of a cluster sees one slot only. So each key is asked for by itself, all at once, and held until all
 * answers are there.
 *
 * @module
 */
import type { LimiterCost } from "./cost.ts";
import { shared } from "./denial.ts";
import { SluiceError } from "../errors.ts";
import type { Denied } from "./decision.ts";
import { PART_COSTS } from "../ffi/symbols.gen.ts";
import type { LimiterKey } from "./key.ts";
import type { NativeLimiter } from "./native_limiter.ts";
import { crossByParts, giveBack, type PartsCall } from "./parts.ts";
import type { Reservation } from "./reservation.ts";
import { reserveAmounts } from "./reserve.ts";
import { readOptions, readReserveOptions } from "./shared_base.ts";
import { type SharedCallOptions, sharedOf, type SharedReserveOptions } from "./shared_calls.ts";
import {
  ALLOWED_BY,
  type DecisionSource,
  type SharedDecision,
  type SharedDenied,
} from "./shared_decision.ts";
import { type GroupPart, SharedReservationGroup } from "./shared_group.ts";
import type { SharedReservation } from "./shared_reservation.ts";
import {
  type LimiterPart,
  type LimitNamesOfParts,
  readParts,
  type UnitsOfParts,
} from "./together.ts";

/** One key of a call. */
interface Wanted {
  readonly core: NativeLimiter;
  readonly key: LimiterKey;
  readonly amounts: readonly number[];
}

/** All keys are held, or one of them refuses. */
type Held =
  | { readonly parts: readonly GroupPart[]; readonly source: DecisionSource }
  | SharedDenied;

/**
 * Takes from several keys of limiters as {@linkcode takeAll} does, over all processes: from credit, or else by
 * asking the store for all keys at once. Some of the limiters may be of this process alone. O(limits).
 *
 * The promise rejects as {@linkcode takeAll} throws, except that clocks may differ, and as that of
 * {@linkcode RateLimiter.takeShared}. If `signal` aborts, nothing is charged.
 */
export async function takeAllShared<const Parts extends readonly LimiterPart[]>(
  parts: Parts,
  cost?: LimiterCost<UnitsOfParts<Parts>>,
  options?: SharedCallOptions,
): Promise<SharedDecision<LimitNamesOfParts<Parts>>> {
  const given = readOptions(options);
  const call = readParts(parts, cost, true);
  call.checkTake();
  const wanted = wantedOf(call);
  if (isCredit(wanted) && crossByParts(call, true, take) === 0) {
    giveBack(call);
    return ALLOWED_BY.credit;
  }
  giveBack(call);
  const held = await hold(wanted, 0, given);
  if ("allowed" in held) return held as SharedDenied<LimitNamesOfParts<Parts>>;
  for (const { reservations } of held.parts) for (const one of reservations) one.settle();
  return ALLOWED_BY[held.source];
}

/**
 * Reserves at several keys of limiters as {@linkcode reserveAll} does, over all processes: see
 * {@linkcode takeAllShared}. The parts of the reservation are ended together. O(limits).
 *
 * The promise rejects as {@linkcode reserveAll} throws, except that clocks may differ, and as that of
 * {@linkcode RateLimiter.reserveShared}.
 */
export async function reserveAllShared<const Parts extends readonly LimiterPart[]>(
  parts: Parts,
  cost?: LimiterCost<UnitsOfParts<Parts>>,
  options?: SharedReserveOptions,
): Promise<
  | SharedReservation<UnitsOfParts<Parts>, LimitNamesOfParts<Parts>>
  | SharedDenied<LimitNamesOfParts<Parts>>
> {
  const given = readReserveOptions(options);
  const { ttlMs = 0 } = given;
  const call = readParts(parts, cost, true);
  const wanted = wantedOf(call);
  giveBack(call);
  const held = await hold(wanted, ttlMs, given);
  if ("allowed" in held) return held as SharedDenied<LimitNamesOfParts<Parts>>;
  return new SharedReservationGroup(held.parts, ttlMs, held.source);
}

function take({ cores, numbers, length }: PartsCall): number {
  return cores[0]!.native.sluice_limiter_take_all(numbers, length, 1);
}

/** The keys of a call. One that is named twice is charged once. */
function wantedOf(call: PartsCall): readonly Wanted[] {
  const wanted = new Map<string, Wanted>();
  let at = 0;
  let isShared = false;
  for (let i = 0; i < call.count; i++) {
    const [core, key] = [call.cores[i]!, call.keys[i]!];
    const from = at + PART_COSTS;
    at = from + core.units.names.length;
    const amounts = [...call.numbers.subarray(from, at)];
    // Names are compared as UTF-8, in which all lone surrogates are the same.
    wanted.set(`${core.name.toWellFormed()}\0${key.name.toWellFormed()}`, { core, key, amounts });
    isShared ||= core.shared !== undefined;
  }
  if (isShared) return [...wanted.values()];
  throw new SluiceError(
    "SLUICE_NOT_SHARED",
    "none of the limiters was made with the option shared",
  );
}

/** Whether a call can be decided from credit in one step. */
function isCredit(wanted: readonly Wanted[]): boolean {
  return wanted.every(({ core }) => core.shared !== undefined);
}

/** Reserves at all keys, or at none. */
async function hold(
  wanted: readonly Wanted[],
  ttlMs: number,
  options: SharedCallOptions,
): Promise<Held> {
  const asked = await Promise.allSettled(
    wanted.map(async ({ core, key, amounts }) => {
      return await sharedOf(core)?.reserve(core, key, amounts, ttlMs, options);
    }),
  );
  const held: (Reservation | undefined)[] = [];
  const release = (): void => {
    // One may have expired meanwhile.
    for (const one of held) if (one?.renew()) one.cancel();
  };
  let denied: Denied | undefined;
  let failure: PromiseRejectedResult | undefined;
  let source: DecisionSource = "credit";
  for (const result of asked) {
    if (result.status === "rejected") failure = result;
    else if (result.value?.allowed === false) denied = longer(denied, result.value);
    else {
      held.push(result.value);
      source = weaker(source, result.value?.source ?? "credit");
    }
  }
  if (failure === undefined && denied === undefined) {
    // Those of this process alone decide last, so that they hold nothing while others wait.
    for (let i = 0; i < wanted.length && denied === undefined; i++) {
      const { core, key, amounts } = wanted[i]!;
      if (held[i] !== undefined) continue;
      try {
        const own = reserveAmounts(core, key, amounts, ttlMs);
        if (own.allowed) held[i] = own;
        else denied = own;
      } catch (reason) {
        failure = { status: "rejected", reason };
        break;
      }
    }
  }
  if (failure !== undefined) {
    release();
    throw failure.reason;
  }
  if (denied !== undefined) {
    release();
    return "source" in denied ? denied as SharedDenied : shared(denied);
  }
  const parts = wanted.map(({ core, key }, i) => ({ core, key, reservations: [held[i]!] }));
  return { parts, source };
}

/** The refusal that lasts longer. */
function longer(one: Denied | undefined, other: Denied): Denied {
  return one !== undefined && one.retryAfterMs >= other.retryAfterMs ? one : other;
}

/** Of two sources, that on which a decision about both rests. */
function weaker(one: DecisionSource, other: DecisionSource): DecisionSource {
  if (one === "outage" || other === "outage") return "outage";
  return one === "store" || other === "store" ? "store" : "credit";
}
