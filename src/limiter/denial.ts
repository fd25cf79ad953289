/**
 * A decoder of the codes that native decisions cross as: see `limiter_codec` in `rust/abi`.
 *
 * @module
 */
import { Denial, type DenialReason } from "./decision.ts";
import { SluiceError } from "../errors.ts";
import {
  CODE_REASON,
  CODE_US,
  DENIED_HELD,
  DENIED_NEVER,
  DENIED_UNTIL,
} from "../ffi/symbols.gen.ts";

/** What a refusal names of its limiter. */
interface Named {
  readonly name: string;
  /** The names of its limits. */
  readonly limits: readonly string[];
}

const REASONS: Readonly<Record<number, DenialReason>> = {
  [DENIED_UNTIL]: "time",
  [DENIED_HELD]: "held",
  [DENIED_NEVER]: "never",
};

/** The refusal of a call on several limiters, whose limits are counted in their order. */
export function denialByAll(code: number, limiters: readonly Named[]): Denial {
  let limit = limitOf(code);
  for (const limiter of limiters) {
    if (limit < limiter.limits.length) return denialBy(code, limiter, limit);
    limit -= limiter.limits.length;
  }
  throw new SluiceError("SLUICE_PANIC", `internal error: code ${code} names no limit; report it`);
}

/** The refusal of a call on one limiter. */
export function denialBy(code: number, limiter: Named, limit: number = limitOf(code)): Denial {
  const reason = REASONS[Math.floor((lowOf(code) - 1) / CODE_REASON)] ?? "never";
  const fitsAfterMs = reason === "time" ? Math.floor(code / CODE_US) / 1000 : undefined;
  return new Denial(limiter.name, limiter.limits[limit] ?? "", reason, fitsAfterMs);
}

function limitOf(code: number): number {
  return (lowOf(code) - 1) % CODE_REASON;
}

/** `code % CODE_US`, which is slow for numbers above 2^31. */
function lowOf(code: number): number {
  return code - Math.floor(code / CODE_US) * CODE_US;
}
