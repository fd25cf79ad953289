/**
 * A reservation at several keys of which some are shared with other processes: one reservation for each key.
 *
 * Keys that are shared are in different places of the store, and other keys may be of limiters with other clocks,
 * so there is no native reservation for all of them. They are ended together, without anything in between.
 *
 * @module
 */
import { checkAmount, type LimiterCost } from "./cost.ts";
import { ALLOWED, type Decision, type Denied } from "./decision.ts";
import { SluiceError } from "../errors.ts";
import type { LimiterKey } from "./key.ts";
import type { NativeLimiter } from "./native_limiter.ts";
import type { Reservation } from "./reservation.ts";
import { reserveAmounts } from "./reserve.ts";
import type { DecisionSource } from "./shared_decision.ts";
import { SharedReservation } from "./shared_reservation.ts";
import { checkCost, unknownUnit } from "./units.ts";

/** What a group holds at one key. */
export interface GroupPart {
  readonly core: NativeLimiter;
  readonly key: LimiterKey;
  /** The first is of the call that made the group, and each top-up adds one. */
  readonly reservations: Reservation[];
}

/** An open reservation at several keys. */
export class SharedReservationGroup<Unit extends string = string, Name extends string = string>
  extends SharedReservation<Unit, Name> {
  readonly #parts: readonly GroupPart[];
  readonly #ttlMs: number;
  #open = true;

  /** @ignore Limiters make these. */
  constructor(parts: readonly GroupPart[], ttlMs: number, source: DecisionSource) {
    const { core, key } = parts[0]!;
    // Each of the reservations is watched by itself.
    super(core, key, [], 0, ttlMs, false, source);
    this.#parts = parts;
    this.#ttlMs = ttlMs;
  }

  override get isOpen(): boolean {
    return this.#open;
  }

  override get ttlMs(): number {
    if (this.#ttlMs !== 0) return this.#ttlMs;
    return Math.min(...this.#parts.map(({ core }) => core.reservationTtlMs));
  }

  override settle(actual?: LimiterCost<Unit>): void {
    this.#checkOpen();
    if (actual === undefined) return this.#end((one) => one.settle());
    let costs: readonly LimiterCost[];
    try {
      costs = this.#read("actual", actual);
    } catch (error) {
      // A getter of `actual` may have ended it.
      if (this.#open) this.#end((one) => one.settle());
      throw error;
    }
    this.#checkOpen();
    this.#end((one, part, index) => {
      // What is charged beyond one reservation is taken from the credit of the next.
      if (index === 0) one.settle(costs[part]);
      else one.cancel();
    });
  }

  override cancel(): void {
    this.#checkOpen();
    this.#end((one) => one.cancel());
  }

  override renew(): boolean {
    if (!this.#open) return false;
    const all = this.#parts.flatMap(({ reservations }) => reservations);
    return all.map((one) => one.renew()).every((renewed) => renewed);
  }

  override topUp(more: LimiterCost<Unit>): Decision<Name> {
    this.#checkOpen();
    const costs = this.#read("more", more);
    const added: Reservation[] = [];
    for (const [i, { core, key }] of this.#parts.entries()) {
      const amounts = core.units.read("more", costs[i], 0);
      const one = reserveAmounts(core, key, amounts, this.#ttlMs);
      if (!one.allowed) {
        for (const other of added) other.cancel();
        return one as Denied<Name>;
      }
      added.push(one);
    }
    this.#parts.forEach(({ reservations }, i) => reservations.push(added[i]!));
    return ALLOWED;
  }

  override [Symbol.dispose](): void {
    if (this.#open) this.#end((one) => one[Symbol.dispose]());
  }

  /** Ends all reservations, even if one of them has expired. */
  #end(end: (one: Reservation, part: number, index: number) => void): void {
    this.#open = false;
    const errors: unknown[] = [];
    this.#parts.forEach(({ reservations }, part) => {
      reservations.forEach((one, index) => {
        try {
          end(one, part, index);
        } catch (error) {
          errors.push(error);
        }
      });
    });
    if (errors.length > 0) throw errors[0];
  }

  /** Reads a cost once, and returns what it says to each key. */
  #read(name: string, cost: unknown): readonly LimiterCost[] {
    checkCost(name, cost);
    const costs = this.#parts.map((): Record<string, number> => ({}));
    for (const unit in cost) {
      const amount = checkAmount(`${name}.${unit}`, cost[unit]);
      let isKnown = false;
      this.#parts.forEach(({ core }, i) => {
        if (core.units.indexOf(unit) < 0) return;
        isKnown = true;
        costs[i]![unit] = amount;
      });
      if (!isKnown) throw unknownUnit(name, unit, this.#parts.map(({ core }) => core.units));
    }
    return costs;
  }

  #checkOpen(): void {
    if (this.#open) return;
    throw new SluiceError(
      "SLUICE_RESERVATION_CLOSED",
      "This reservation at several keys was settled or cancelled",
    );
  }
}
