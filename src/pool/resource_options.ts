/**
 * What a pool of resources is made of: its options and their defaults.
 *
 * @module
 */
import { show } from "../errors.ts";
import { MAX_IN_FLIGHT } from "../ffi/symbols.gen.ts";
import { checkKnown, type Known } from "../known_options.ts";
import type { QueueOptions } from "./options.ts";

/** Options of a {@linkcode ResourcePool}. */
export interface ResourcePoolOptions<T> {
  /**
   * Makes a resource. The signal aborts after `createTimeoutMs` and when the pool is closed; what
   * is made after that is destroyed.
   */
  readonly create: (signal: AbortSignal) => T | Promise<T>;
  /** Whether a resource that was idle is still good. One that is not is destroyed. */
  readonly validate?: (resource: T) => boolean | Promise<boolean>;
  /** Closes a resource. What it throws is reported to `onEvent` and changes nothing. */
  readonly destroy?: (resource: T) => unknown;
  /**
   * How many resources there are at most, in use and idle: 1 to 131,072. With `name`, how many are in
   * use at most.
   */
  readonly max: number;
  /**
   * How many are kept, idle ones included; they are made ahead.
   *
   * @default 0
   */
  readonly min?: number;
  /**
   * The name under which Workers share `max`: it is then the number that all of them together use,
   * make or look over at a time. Idle resources stay with the pool that made them, and are not counted:
   * there may be `max` of them in each. A Worker that ends gives its part of `max` back; what becomes of
   * its resources is the runtime's affair, `destroy` is not called.
   *
   * @default A pool of this object's own.
   */
  readonly name?: string;
  /**
   * How those wait who find no resource free. Bounded in length and time by default. The time covers
   * the making and the looking over of the resource too.
   */
  readonly queue?: QueueOptions;
  /**
   * How long `create` may take, in milliseconds. Then its place is free, also if it does not obey its
   * signal and goes on.
   *
   * @default 30_000
   */
  readonly createTimeoutMs?: number;
  /**
   * How long `validate` may take, in milliseconds; then the resource is taken for bad.
   *
   * @default 5000
   */
  readonly validateTimeoutMs?: number;
  /**
   * How long `destroy` is waited for, in milliseconds, before another resource may take its place.
   *
   * @default 5000
   */
  readonly destroyTimeoutMs?: number;
  /**
   * How long a resource above `min` may be idle, in milliseconds.
   *
   * @default 600_000
   */
  readonly idleTimeoutMs?: number;
  /**
   * How long a resource lives, in milliseconds. One in use is never taken away: it is destroyed
   * when it comes back.
   *
   * @default 1_800_000
   */
  readonly maxLifetimeMs?: number;
  /**
   * Lives are shortened at random by up to this share, so that resources made at one time do not
   * end at one time.
   *
   * @default 0.1
   */
  readonly lifetimeJitter?: number;
  /**
   * Which idle resource is used next: the one that came back last, so that the others can end, or
   * the one that waited longest, so that all are used alike.
   *
   * @default "newest"
   */
  readonly reuse?: "newest" | "oldest";
  /**
   * Whether the report of a lost lease has the stack that acquired it, which costs a stack for each.
   *
   * @default false
   */
  readonly trackLeaks?: boolean;
  /** Told what happens, for logs and metrics. What it throws is ignored. */
  readonly onEvent?: (event: ResourceEvent<T>) => void;
}

/** Why a resource was destroyed. */
export type DestroyReason = "idle" | "lifetime" | "invalid" | "asked" | "leaked" | "closed";

/** Something that happened to a pool of resources. */
export type ResourceEvent<T> =
  | { readonly type: "created"; readonly resource: T; readonly tookMs: number }
  | { readonly type: "create-failed"; readonly error: unknown }
  | { readonly type: "acquired"; readonly resource: T; readonly waitedMs: number }
  | { readonly type: "released"; readonly resource: T; readonly heldMs: number }
  /** `validate` threw or took too long; one that returned false is only destroyed. */
  | { readonly type: "validate-failed"; readonly resource: T; readonly error: unknown }
  | { readonly type: "destroyed"; readonly resource: T; readonly reason: DestroyReason }
  /** `destroy` threw or took too long; the resource counts as gone. */
  | { readonly type: "destroy-failed"; readonly resource: T; readonly error: unknown }
  /** A lease was lost to the garbage collector; its resource is destroyed. */
  | { readonly type: "leaked"; readonly resource: T; readonly stack: string | undefined };

/** The options with their defaults. */
export type ResourceSettings<T> =
  & Required<Omit<ResourcePoolOptions<T>, "name" | "queue" | "validate" | "onEvent">>
  & Pick<ResourcePoolOptions<T>, "validate" | "onEvent">;

/** Fills in the defaults and checks the rest. */
export function resourceSettings<T>(options: ResourcePoolOptions<T>): ResourceSettings<T> {
  checkKnown<ResourcePoolOptions<T>>("options", options, OPTIONS);
  const functions = ["create", "validate", "destroy", "onEvent"] as const;
  for (const name of functions) {
    const value: unknown = options[name];
    if (value === undefined && name !== "create") continue;
    if (typeof value !== "function") {
      throw new TypeError(`options.${name} must be a function, not ${show(value)}`);
    }
  }
  const max = within("max", options.max, 1, MAX_IN_FLIGHT, true);
  const min = within("min", options.min ?? 0, 0, max, true);
  const reuse: unknown = options.reuse ?? "newest";
  if (reuse !== "newest" && reuse !== "oldest") {
    throw new RangeError(`options.reuse must be "newest" or "oldest", not ${show(reuse)}`);
  }
  const duration = (name: keyof typeof DURATIONS) =>
    within(name, options[name] ?? DURATIONS[name], 1, Infinity, false);
  return {
    create: options.create,
    validate: options.validate,
    destroy: options.destroy ?? (() => {}),
    onEvent: options.onEvent,
    max,
    min,
    reuse,
    createTimeoutMs: duration("createTimeoutMs"),
    validateTimeoutMs: duration("validateTimeoutMs"),
    destroyTimeoutMs: duration("destroyTimeoutMs"),
    idleTimeoutMs: duration("idleTimeoutMs"),
    maxLifetimeMs: duration("maxLifetimeMs"),
    lifetimeJitter: within("lifetimeJitter", options.lifetimeJitter ?? 0.1, 0, 1, false),
    trackLeaks: options.trackLeaks ?? false,
  } as ResourceSettings<T>;
}

const DURATIONS = {
  createTimeoutMs: 30_000,
  validateTimeoutMs: 5000,
  destroyTimeoutMs: 5000,
  idleTimeoutMs: 600_000,
  maxLifetimeMs: 1_800_000,
} as const;

const OPTIONS: Known<ResourcePoolOptions<unknown>> = {
  create: true,
  validate: true,
  destroy: true,
  max: true,
  min: true,
  name: true,
  queue: true,
  createTimeoutMs: true,
  validateTimeoutMs: true,
  destroyTimeoutMs: true,
  idleTimeoutMs: true,
  maxLifetimeMs: true,
  lifetimeJitter: true,
  reuse: true,
  trackLeaks: true,
  onEvent: true,
};

function within(name: string, value: unknown, low: number, high: number, whole: boolean): number {
  if (typeof value !== "number") {
    throw new TypeError(`options.${name} must be a number, not ${show(value)}`);
  }
  if (!(value >= low && value <= high) || (whole && !Number.isInteger(value))) {
    const kind = whole ? "an integer" : "a number";
    throw new RangeError(`options.${name} must be ${kind} from ${low} to ${high}, not ${value}`);
  }
  return value;
}
