/**
 * Decisions about several keys at once, all or nothing.
 *
 * @module
 */
import { ALLOWED, type Decision } from "./decision.ts";
import { denialByAll } from "./denial.ts";
import { crossByParts, giveBack, type PartsCall } from "./parts.ts";

/** Takes from all keys of a call, or from none. */
export function takeByParts(call: PartsCall): Decision {
  call.checkTake();
  return decisionOf(crossByParts(call, true, take), call);
}

/** Decides as {@linkcode takeByParts} does, takes nothing, and gives no key a slot. */
export function peekByParts(call: PartsCall): Decision {
  return decisionOf(crossByParts(call, false, peek), call);
}

function take({ cores, numbers, length }: PartsCall): number {
  return cores[0]!.native.sluice_limiter_take_all(numbers, length, 1);
}

function peek({ cores, numbers, length }: PartsCall): number {
  return cores[0]!.native.sluice_limiter_take_all(numbers, length, 0);
}

function decisionOf(code: number, call: PartsCall): Decision {
  const decision = code === 0 ? ALLOWED : denialByAll(code, call.limiters());
  giveBack(call);
  return decision;
}
