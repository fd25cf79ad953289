/**
 * Decisions about several keys at once, all or nothing.
 *
 * @module
 */
import { ALLOWED, type Decision } from "./decision.ts";
import { denialByAll } from "./denial.ts";
import { PART_COSTS } from "../ffi/symbols.gen.ts";
import { crossByParts, giveBack, type PartsCall } from "./parts.ts";
import { sharedOf } from "./shared_calls.ts";

/** Takes from all keys of a call, or from none. */
export function takeByParts(call: PartsCall): Decision {
  call.checkTake();
  const code = crossByParts(call, true, take);
  if (code > 0) askAhead(call);
  return decisionOf(code, call);
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

/** Asks for credit of all keys of a call that was refused, for the next call. */
export function askAhead(call: PartsCall): void {
  let end = 0;
  for (let i = 0; i < call.count; i++) {
    const core = call.cores[i]!;
    const first = end + PART_COSTS;
    end = first + core.units.names.length;
    sharedOf(core)?.ask(core, call.keys[i]!, [...call.numbers.subarray(first, end)]);
  }
}
