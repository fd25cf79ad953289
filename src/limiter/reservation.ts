/**
 * What is held until it is known what a call has cost.
 *
 * @module
 */
import { type Cost, plain, Units } from "./cost.ts";
import { ALLOWED, type Decision, type Denied } from "./decision.ts";
import { show, SluiceError } from "../errors.ts";
import {
  SETTLE_ACTUAL,
  SETTLE_FULL,
  SETTLE_NOTHING,
  STATUS_RESERVATION_CLOSED,
} from "../ffi/symbols.gen.ts";
import { checkTtl } from "./config.ts";
import { checkKnown } from "../known_options.ts";
import { Leaks } from "../leaks.ts";
import { denial, type Member, parts, withParts, writing } from "./native_limiter.ts";

/** How a reservation is made. */
export interface ReserveOptions {
  /**
   * It is settled in full after so many milliseconds, and its places are given away. `topUp` does not
   * extend that, {@linkcode Reservation.renew} does: a stream that may take longer renews it, by itself if it
   * is passed to `pool.fetch` as `reservation`.
   *
   * @default The first limiter's `reservationTtlMs`.
   */
  readonly ttlMs?: number;
}

const OPTIONS = { ttlMs: true } as const;
const NONE = new Float64Array(new ArrayBuffer(0));

/** Settles in full what is lost, and warns of it. */
const leaks = new Leaks<{ readonly member: Member; readonly number: number }>(
  ({ member: { core, key }, number, stack }) => {
    const { sluice_reservation_end } = core.native;
    // It may have expired, and the limiter may be closed.
    if (sluice_reservation_end(core.handle, number, SETTLE_FULL, NONE, 0) < 0) return;
    process.emitWarning(
      `A reservation of ${show(key.name)} at the limiter ${show(core.name)} was never settled or ` +
        `cancelled, and is charged in full. Made by:\n${stack}`,
      { type: "SluiceWarning", code: "SLUICE_RESERVATION_LEAKED" },
    );
  },
);

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
  readonly #ttlMs: number;
  readonly #isWatched: boolean;
  #open = true;

  /** @ignore Limiters make these. */
  constructor(members: readonly Member[], number: number, ttlMs: number) {
    this.#members = members;
    this.#number = number;
    this.#ttlMs = ttlMs;
    this.#isWatched = members.some(({ core }) => core.tracksLeaks);
    if (this.#isWatched) leaks.watch(this, { member: members[0]!, number });
  }

  /** Whether it was not ended here; it may have expired. */
  get isOpen(): boolean {
    return this.#open;
  }

  /** How long it lives without being renewed, in milliseconds. */
  get ttlMs(): number {
    return this.#ttlMs === 0 ? this.#members[0]!.core.reservationTtlMs : this.#ttlMs;
  }

  /**
   * Ends it and charges what was really used. Units that `actual` does not name are charged as
   * reserved; without `actual` all are. More than was reserved becomes debt: calls wait for it. O(limits).
   *
   * It is ended whatever `actual` is. An upstream may tell a usage that is none, such as a negative one:
   * then all is charged as reserved, and an error says so.
   *
   * @throws {TypeError} `actual` is no cost; it was settled in full.
   * @throws {RangeError} `actual` has a value that is no amount, or a unit that no limit counts; it was
   * settled in full.
   * @throws {SluiceError} `SLUICE_RESERVATION_CLOSED` if it was ended before or has expired, and
   * `SLUICE_DISPOSED` if the limiter is closed; nothing changes then.
   */
  settle(actual?: Cost): void {
    this.#checkOpen();
    if (actual === undefined) return this.#end(SETTLE_FULL, 0);
    let length = 0;
    try {
      length = this.#write("actual", actual, -1);
    } catch (error) {
      this.#end(SETTLE_FULL, 0);
      throw error;
    }
    // A getter of `actual` may have ended it.
    this.#checkOpen();
    this.#end(SETTLE_ACTUAL, length);
  }

  /** Ends it and charges nothing: for a request that was not sent. @throws As {@linkcode settle}. */
  cancel(): void {
    this.#checkOpen();
    this.#end(SETTLE_NOTHING, 0);
  }

  /**
   * Lets it live for its time, `ttlMs`, from now on: for a stream that goes on. `pool.fetch` does it by
   * itself for its option `reservation`. False if it is over: ended, expired,
   * or its limiter is closed. O(log reservations).
   */
  renew(): boolean {
    const { core } = this.#members[0]!;
    if (!this.#open || core.handle === 0) return false;
    const { sluice_reservation_renew } = core.native;
    const renewed = sluice_reservation_renew(core.handle, this.#number, this.#ttlMs);
    if (renewed === STATUS_RESERVATION_CLOSED) return false;
    core.unwrap(renewed);
    return true;
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
    if (this.#isWatched) leaks.forget(this);
    const { sluice_reservation_end } = core.native;
    const ended = sluice_reservation_end(core.handle, this.#number, SETTLE_FULL, NONE, 0);
    if (ended !== STATUS_RESERVATION_CLOSED) core.unwrap(ended);
  }

  #end(how: number, length: number): void {
    const { core } = this.#members[0]!;
    core.unwrap(
      core.native.sluice_reservation_end(core.handle, this.#number, how, parts, length),
    );
    this.#open = false;
    if (this.#isWatched) leaks.forget(this);
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
  if (options !== undefined) {
    checkKnown<ReserveOptions>("the options of a reservation", options, OPTIONS);
  }
  const asked = options?.ttlMs;
  const ttlMs = asked === undefined ? 0 : checkTtl("ttlMs", asked);
  const { native } = members[0]!.core;
  const code = withParts(
    members,
    cost,
    (length) => native.sluice_limiter_reserve(parts, length, ttlMs),
  );
  return code === 0
    ? new Reservation(distinct(members), parts[0]!, ttlMs)
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
