/**
 * What is held until it is known what a call has cost.
 *
 * @module
 */
import { type Cost, plain, Units } from "./cost.ts";
import { ALLOWED, type Decision, type Denied } from "./decision.ts";
import { show, SluiceError } from "../errors.ts";
import { SETTLE_ACTUAL, SETTLE_FULL, SETTLE_NOTHING } from "../ffi/symbols.gen.ts";
import { checkTtl } from "./config.ts";
import { denial, type Member, parts, withParts, writing } from "./native_limiter.ts";

/** How a reservation is made. */
export interface ReserveOptions {
  /**
   * It is settled in full after so many milliseconds, and its places are given away; `topUp` does not
   * extend that. A stream that may take longer needs longer. @default The first limiter's `reservationTtlMs`.
   */
  readonly ttlMs?: number;
}

const NONE = new Float64Array(new ArrayBuffer(0));
/** Codes of statuses that the ABI lists; looked at where they are no surprise. */
const RESERVATION_CLOSED = -203;

/**
 * An open reservation: made by {@linkcode RateLimiter.reserve} or {@linkcode reserveAll}, ended once.
 *
 * What it holds counts against every limit until it is settled, cancelled or expires, and does not
 * come back with time. With `using`, it is settled in full when the scope ends, unless it was ended.
 * It belongs to the Worker that made it: if that is terminated, it is settled in full.
 */
export class Reservation implements Disposable {
  /** Always true, to tell it from a refusal. */
  readonly allowed = true;
  readonly #members: readonly Member[];
  readonly #number: number;
  #open = true;

  /** @ignore Limiters make these. */
  constructor(members: readonly Member[], number: number) {
    this.#members = members;
    this.#number = number;
  }

  /** Whether it was not ended here; it may have expired. */
  get isOpen(): boolean {
    return this.#open;
  }

  /**
   * Ends it and charges what was really used. Units that `actual` does not name are charged as
   * reserved; without `actual` all are. More than was reserved becomes debt: calls wait for it.
   *
   * @throws {SluiceError} `SLUICE_RESERVATION_CLOSED` if it was ended before or has expired, and
   * `SLUICE_DISPOSED` if the limiter is closed; nothing changes then. O(limits).
   */
  settle(actual?: Cost): void {
    this.#end(actual === undefined ? SETTLE_FULL : SETTLE_ACTUAL, actual);
  }

  /** Ends it and charges nothing: for a request that was not sent. @throws As {@linkcode settle}. */
  cancel(): void {
    this.#end(SETTLE_NOTHING, undefined);
  }

  /**
   * Reserves more, all or nothing: for a stream that turns out longer. Units that `more` does not name
   * are not changed, and neither is when it expires: see {@linkcode ReserveOptions.ttlMs}. O(limits).
   *
   * @throws {SluiceError} As {@linkcode settle}, and `SLUICE_STALE_KEY` if a key was forgotten.
   */
  topUp(more: Cost): Decision {
    const { core } = this.#members[0]!;
    if (more === undefined) {
      throw new TypeError("more must be an object such as { tokens: 64 }, not undefined");
    }
    const length = this.#write("more", more, 0);
    this.#checkOpen();
    const code = core.unwrap(
      core.native.sluice_reservation_top_up(core.handle, this.#number, parts, length),
    );
    return code === 0 ? ALLOWED : denial(code, this.#members.map(({ core }) => core));
  }

  /** Settles in full if it is still open and its limiter too, for `using`. */
  [Symbol.dispose](): void {
    const { core } = this.#members[0]!;
    if (!this.#open || core.handle === 0) return;
    this.#open = false;
    const { sluice_reservation_end } = core.native;
    const ended = sluice_reservation_end(core.handle, this.#number, SETTLE_FULL, NONE, 0);
    if (ended !== RESERVATION_CLOSED) core.unwrap(ended);
  }

  #end(how: number, actual: Cost | undefined): void {
    const { core } = this.#members[0]!;
    const length = how === SETTLE_ACTUAL ? this.#write("actual", actual, -1) : 0;
    this.#checkOpen();
    core.unwrap(
      core.native.sluice_reservation_end(core.handle, this.#number, how, parts, length),
    );
    this.#open = false;
  }

  /** Writes one cost for each unit of each part, and returns how many. */
  #write(name: string, cost: Cost | undefined, missing: number): number {
    Units.check(name, cost, this.#members.map(({ core }) => core.units));
    const mine = ++writing.times;
    let length = 0;
    for (const { core } of this.#members) {
      core.units.write(cost, parts, length, missing);
      length += core.units.names.length;
    }
    // A getter of the cost has used `parts`.
    return writing.times === mine ? length : this.#write(name, plain(cost), missing);
  }

  #checkOpen(): void {
    this.#members[0]!.core.checkOpen();
    if (!this.#open) {
      const { core, key } = this.#members[0]!;
      throw new SluiceError(
        "SLUICE_RESERVATION_CLOSED",
        `This reservation of ${show(key.name)} at ${show(core.name)} was settled or cancelled`,
      );
    }
  }
}

/** Reserves at `members`, all or nothing. */
export function reserve(
  members: readonly Member[],
  cost: Cost | undefined,
  options: ReserveOptions | undefined,
): Reservation | Denied {
  const asked = options?.ttlMs;
  const ttlMs = asked === undefined ? 0 : checkTtl("ttlMs", asked);
  const { native } = members[0]!.core;
  const code = withParts(
    members,
    cost,
    (length) => native.sluice_limiter_reserve(parts, length, ttlMs),
  );
  return code === 0
    ? new Reservation(distinct(members), parts[0]!)
    : denial(code, members.map(({ core }) => core));
}

/** Each key once, as it is held. */
function distinct(members: readonly Member[]): readonly Member[] {
  if (members.length === 1) return members;
  // By what they are and not by how they are spelled: lone surrogates of all kinds are one in UTF-8.
  return members.filter(({ core, key }, at) =>
    members.findIndex((other) =>
      other.key.id === key.id && other.core.name.toWellFormed() === core.name.toWellFormed()
    ) === at
  );
}
