/**
 * The data types of limits: token buckets, fixed windows and concurrency.
 *
 * A definition is a plain frozen object, which can be logged, compared and posted to a Worker.
 *
 * @module
 */
import type { Duration } from "./periods.ts";
import type { OnOutage } from "../shared/transport.ts";

/** The period of a rate. */
export type RatePeriod = "second" | "minute" | "hour" | "day" | Duration;

/** The window of a quota: a period of the calendar, or a duration that is counted from 1970 on. */
export type QuotaWindow = "minute" | "hour" | "day" | "week" | "month" | "year" | Duration;

/** A day of the week. */
export type Weekday =
  | "monday"
  | "tuesday"
  | "wednesday"
  | "thursday"
  | "friday"
  | "saturday"
  | "sunday";

/** The options of {@linkcode rate}. */
export interface RateOptions<Unit extends string = string> {
  /** The unit that is counted. @default "requests" */
  readonly unit?: Unit | undefined;
  /**
   * The number of units that come back in each period: at most 1e12, in millionths. 0 refuses every cost in
   * the unit, and `Infinity` admits everything.
   */
  readonly limit: number;
  /** The length of a period: a word or a duration. A bare number is refused. */
  readonly per: RatePeriod;
  /** The most that can be taken at once, after a pause. @default `limit` */
  readonly burst?: number | undefined;
  /**
   * What the limit admits while the store that other processes share cannot be asked: see `onOutage` of
   * `valkey()`. It does nothing where the limiter is not shared. @default "share"
   */
  readonly onOutage?: OnOutage | undefined;
}

/** The options of {@linkcode quota}. */
export interface QuotaOptions<Unit extends string = string> {
  /** The unit that is counted. @default "requests" */
  readonly unit?: Unit | undefined;
  /**
   * The number of units in a window: at most 1e12, in millionths. 0 refuses every cost in the unit, and
   * `Infinity` admits everything and still counts it.
   */
  readonly limit: number;
  /** The window: a word or a duration. A bare number is refused. */
  readonly per: QuotaWindow;
  /**
   * The time zone in which days, weeks, months and years begin, such as `"Europe/Berlin"`, including daylight
   * saving. The runtime's own data is used, from 1970 to 2100.
   */
  readonly timeZone?: string | undefined;
  /** A fixed offset from UTC at which windows begin, in minutes east (120 for +02:00). @default 0 */
  readonly utcOffset?: number | undefined;
  /** The day on which weeks begin. @default "monday" */
  readonly weekStart?: Weekday | undefined;
  /** The day on which months begin, such as a billing day. In a shorter month its last day. @default 1 */
  readonly monthStart?: number | undefined;
  /** The day on which years begin, as `"MM-DD"`. Without such a day, the month's last. @default "01-01" */
  readonly yearStart?: string | undefined;
  /**
   * What the limit admits while the store that other processes share cannot be asked: see `onOutage` of
   * `valkey()`. It does nothing where the limiter is not shared. @default "closed"
   */
  readonly onOutage?: OnOutage | undefined;
}

/** The options of {@linkcode concurrency}. */
export interface ConcurrencyOptions<Unit extends string = string> {
  /** The unit that is counted. A reservation costs 1 unless it says otherwise. @default "concurrent" */
  readonly unit?: Unit | undefined;
  /** The number of units that can be held at a time. 0 refuses every cost, and `Infinity` none. */
  readonly limit: number;
  /**
   * What the limit admits while the store that other processes share cannot be asked: see `onOutage` of
   * `valkey()`. It does nothing where the limiter is not shared. @default "share"
   */
  readonly onOutage?: OnOutage | undefined;
}

/** A token bucket: see {@linkcode rate}. */
export interface RateLimit<Unit extends string = string> {
  /** The kind of the limit. */
  readonly kind: "rate";
  /** The unit that is counted. */
  readonly unit: Unit;
  /** The number of units that come back in each period. */
  readonly limit: number;
  /** The period in milliseconds. */
  readonly perMs: number;
  /** The most that can be taken at once. */
  readonly burst: number;
  /** What it admits while a shared store cannot be asked, if the limit says so itself. */
  readonly onOutage?: OnOutage | undefined;
}

/** A fixed window: see {@linkcode quota}. */
export interface QuotaLimit<Unit extends string = string> {
  /** The kind of the limit. */
  readonly kind: "quota";
  /** The unit that is counted. */
  readonly unit: Unit;
  /** The number of units in a window. */
  readonly limit: number;
  /** The window: a word for one of the calendar, or else its length in milliseconds. */
  readonly per: "day" | "week" | "month" | "year" | number;
  /** Minutes east of UTC. 0 if there is a time zone. */
  readonly utcOffset: number;
  /** The time zone, if there is one. */
  readonly timeZone?: string | undefined;
  /** The day on which a week begins. */
  readonly weekStart?: Weekday | undefined;
  /** The day on which a month begins. */
  readonly monthStart?: number | undefined;
  /** The day on which a year begins. */
  readonly yearStart?: string | undefined;
  /** What it admits while a shared store cannot be asked, if the limit says so itself. */
  readonly onOutage?: OnOutage | undefined;
}

/** A counting semaphore: see {@linkcode concurrency}. */
export interface ConcurrencyLimit<Unit extends string = string> {
  /** The kind of the limit. */
  readonly kind: "concurrency";
  /** The unit that is counted. */
  readonly unit: Unit;
  /** The number of units that can be held at a time. */
  readonly limit: number;
  /** What it admits while a shared store cannot be asked, if the limit says so itself. */
  readonly onOutage?: OnOutage | undefined;
}

/** One limit of a limiter. */
export type LimitDefinition<Unit extends string = string> =
  | RateLimit<Unit>
  | QuotaLimit<Unit>
  | ConcurrencyLimit<Unit>;

/** The limits of a limiter, by name. */
export type Limits<
  Name extends string = string,
  Definition extends LimitDefinition = LimitDefinition,
> = Readonly<Record<Name, Definition>>;

/** The names of limits. */
export type LimitNamesOf<L extends Limits> = keyof L & string;

/** The units that limits count. It is `string` if they are known only at run time. */
export type UnitsOf<L extends Limits> = L[keyof L]["unit"];

/** The units that limits of {@linkcode concurrency} count. */
export type ConcurrencyUnitsOf<L extends Limits> = Extract<
  L[keyof L],
  { readonly kind: "concurrency" }
>["unit"];
