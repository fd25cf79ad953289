/**
 * A decoder of the codes that native decisions cross as: see `limiter_codec` in `rust/abi`.
 *
 * @module
 */
import { Denial, type DenialReason, type Denied } from "./decision.ts";
import { SharedDenial } from "./shared_decision.ts";
import { SluiceError } from "../errors.ts";
import {
  CODE_REASON,
  CODE_US,
  DENIED_HELD,
  DENIED_LEASE,
  DENIED_NEVER,
  DENIED_OUTAGE,
  DENIED_UNTIL,
} from "../ffi/symbols.gen.ts";

/** What a refusal names of its limiter. */
interface Named {
  readonly name: string;
  /** The names of its limits. */
  readonly limits: readonly string[];
}

const REASONS: DenialReason[] = [];
REASONS[DENIED_UNTIL] = "time";
REASONS[DENIED_HELD] = "held";
REASONS[DENIED_NEVER] = "never";
REASONS[DENIED_LEASE] = "lease";
REASONS[DENIED_OUTAGE] = "outage";

/** The refusal of a call on several limiters, whose limits are counted in their order. */
export function denialByAll(code: number, limiters: readonly Named[]): Denial {
  const low = lowOf(code);
  let limit = low % CODE_REASON;
  for (const limiter of limiters) {
    if (limit < limiter.limits.length) return denial(code, low, limiter, limit);
    limit -= limiter.limits.length;
  }
  throw new SluiceError("SLUICE_PANIC", `internal error: code ${code} names no limit; report it`);
}

/** The refusal of a call on one limiter. */
export function denialBy(code: number, limiter: Named): Denial {
  const low = lowOf(code);
  return denial(code, low, limiter, low % CODE_REASON);
}

/** The refusal of a call on one limiter that is shared with other processes. */
export function sharedDenialBy(code: number, limiter: Named): SharedDenial {
  return shared(denialBy(code, limiter));
}

/** Whether a code refuses because the store has to be asked. */
export function asksStore(code: number): boolean {
  if (code < 1) return false;
  return Math.floor((code - 1) / CODE_REASON) % (CODE_US / CODE_REASON) === DENIED_LEASE;
}

/** A refusal of a limiter that is shared with other processes, with its source. */
export function shared<Name extends string>(denied: Denied<Name>): SharedDenial<Name> {
  const { limiter, limit, reason, fitsAfterMs } = denied;
  return new SharedDenial(limiter, limit, reason, fitsAfterMs);
}

function denial(code: number, low: number, limiter: Named, limit: number): Denial {
  const reason = REASONS[(low / CODE_REASON) | 0] ?? "never";
  const us = Math.floor(code / CODE_US);
  const fitsAfterMs = us > 0 || reason === "time" ? us / 1000 : undefined;
  return new Denial(limiter.name, limiter.limits[limit] ?? "", reason, fitsAfterMs);
}

/** `(code - 1) % CODE_US` as a 32-bit integer: `%` is slow for numbers above 2^31 and for fractions. */
function lowOf(code: number): number {
  return (code - 1 - Math.floor((code - 1) / CODE_US) * CODE_US) | 0;
}
