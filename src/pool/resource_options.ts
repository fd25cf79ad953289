/**
 * The options of a pool of resources, their defaults, and its events.
 *
 * @module
 */
import { checkBoolean, checkFunction, checkInteger, checkNumber } from "../arguments.ts";
import { show } from "../errors.ts";
import { MAX_IN_FLIGHT } from "../ffi/symbols.gen.ts";
import { checkKnown, type Known } from "../known_options.ts";
import type { PoolQueueOptions } from "./options.ts";

/** Options of a {@linkcode ResourcePool}. */
export interface ResourcePoolOptions<T> {
  /**
   * Makes a resource. The signal aborts after `createTimeoutMs` and when the pool is closed; a resource that is
   * made after that is destroyed.
   */
  readonly create: (signal: AbortSignal) => T | Promise<T>;
  /** Whether a resource that was idle is still valid. If not, it is destroyed. */
  readonly validate?: ((resource: T) => boolean | Promise<boolean>) | undefined;
  /** Closes a resource. Its errors are reported to `onEvent` and have no other effect. */
  readonly destroy?: ((resource: T) => unknown) | undefined;
  /**
   * The most resources, in use and idle: 1 to 131,072. With `name`, the most in use.
   */
  readonly max: number;
  /**
   * The number of resources to keep, idle ones included. They are made in advance.
   *
   * @default 0
   */
  readonly min?: number | undefined;
  /**
   * The name under which Workers share `max`, the number of resources that they use, make or validate at a time
   * together. Idle resources stay in the pool that made them and are not counted, so each pool may have `max` of
   * them. When a Worker ends, its part of `max` is free again; the runtime frees its resources, and `destroy` is
   * not called.
   *
   * @default Only this object uses the pool.
   */
  readonly name?: string | undefined;
  /**
   * The queue of requests that find no free resource. Its length and times are bounded by default. The time
   * includes making and validating the resource.
   */
  readonly queue?: PoolQueueOptions | undefined;
  /**
   * How long `create` may take, in milliseconds. After that another resource may be made, even if `create`
   * ignores its signal and continues.
   *
   * @default 30_000
   */
  readonly createTimeoutMs?: number | undefined;
  /**
   * How long `validate` may take, in milliseconds. After that the resource counts as invalid.
   *
   * @default 5000
   */
  readonly validateTimeoutMs?: number | undefined;
  /**
   * How long to wait for `destroy`, in milliseconds, before another resource may be made.
   *
   * @default 5000
   */
  readonly destroyTimeoutMs?: number | undefined;
  /**
   * How long a resource above `min` may be idle, in milliseconds.
   *
   * @default 600_000
   */
  readonly idleTimeoutMs?: number | undefined;
  /**
   * The longest life of a resource, in milliseconds. A resource in use is destroyed when it comes back.
   *
   * @default 1_800_000
   */
  readonly maxLifetimeMs?: number | undefined;
  /**
   * Each life is shortened by a random share of up to this, so that resources that were made together do not
   * end together.
   *
   * @default 0.1
   */
  readonly lifetimeJitter?: number | undefined;
  /**
   * Which idle resource is used next: the one that came back last, so that the others can time out, or the one
   * that has been idle longest, so that all are used equally.
   *
   * @default "newest"
   */
  readonly reuse?: "newest" | "oldest" | undefined;
  /**
   * Whether the report of a lost lease has the stack that acquired it. Costs one stack per lease.
   *
   * @default false
   */
  readonly trackLeaks?: boolean | undefined;
  /** Is called for each {@linkcode ResourceEvent}, for logs and metrics. What it throws is ignored. */
  readonly onEvent?: ((event: ResourceEvent<T>) => void) | undefined;
}

/** Why a resource was destroyed. */
export type ResourceDestroyReason = "idle" | "lifetime" | "invalid" | "asked" | "leaked" | "closed";

/** An event of a pool of resources. */
export type ResourceEvent<T> =
  | { readonly type: "created"; readonly resource: T; readonly tookMs: number }
  | { readonly type: "create-failed"; readonly error: unknown }
  | { readonly type: "acquired"; readonly resource: T; readonly waitedMs: number }
  | { readonly type: "released"; readonly resource: T; readonly heldMs: number }
  /** `validate` threw or timed out. If it returns false, the resource is destroyed without this event. */
  | { readonly type: "validate-failed"; readonly resource: T; readonly error: unknown }
  | { readonly type: "destroyed"; readonly resource: T; readonly reason: ResourceDestroyReason }
  /** `destroy` threw or timed out. The resource is not counted any more. */
  | { readonly type: "destroy-failed"; readonly resource: T; readonly error: unknown }
  /** A lease was garbage-collected. Its resource is destroyed. */
  | { readonly type: "leaked"; readonly resource: T; readonly stack: string | undefined };

/** Options that have no default. */
type Optional = "validate" | "onEvent";

/** The options with their defaults. */
export type ResourceSettings<T> =
  & {
    readonly [Option in Exclude<keyof ResourcePoolOptions<T>, "name" | "queue" | Optional>]-?:
      NonNullable<ResourcePoolOptions<T>[Option]>;
  }
  & Pick<ResourcePoolOptions<T>, Optional>;

/** Checks the options and adds the defaults. */
export function resourceSettings<T>(options: ResourcePoolOptions<T>): ResourceSettings<T> {
  checkKnown<ResourcePoolOptions<T>>("options", options, OPTIONS);
  const functions = ["create", "validate", "destroy", "onEvent"] as const;
  for (const name of functions) {
    const value: unknown = options[name];
    if (value !== undefined || name === "create") checkFunction(`options.${name}`, value);
  }
  const max = checkInteger("options.max", options.max, 1, MAX_IN_FLIGHT);
  const min = checkInteger("options.min", options.min ?? 0, 0, max);
  const reuse: unknown = options.reuse ?? "newest";
  if (reuse !== "newest" && reuse !== "oldest") {
    throw new RangeError(`options.reuse must be "newest" or "oldest", not ${show(reuse)}`);
  }
  const duration = (name: keyof typeof DURATIONS) =>
    checkNumber(`options.${name}`, options[name] ?? DURATIONS[name], 1, Infinity);
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
    lifetimeJitter: checkNumber("options.lifetimeJitter", options.lifetimeJitter ?? 0.1, 0, 1),
    trackLeaks: checkBoolean("options.trackLeaks", options.trackLeaks ?? false),
  };
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
