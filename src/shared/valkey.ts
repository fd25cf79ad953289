/**
 * The store of shared limits: Valkey, Redis or what speaks their protocol, through a client of the program's own.
 *
 * @module
 */
import { checkFunction, checkInteger, checkNumber, checkString, checkWord } from "../arguments.ts";
import { show } from "../errors.ts";
import { checkKnown } from "../known_options.ts";
import type { SharedCalls } from "../limiter/shared_calls.ts";
import { SharedStore } from "../limiter/shared_store.ts";
import { runnerOf, type RunScript, type SharedClient } from "./clients.ts";
import { LimiterCalls } from "./limiter_calls.ts";
import { StorePoolCalls } from "./pool_calls.ts";
import type { PoolCalls, SharedPoolMember } from "./pool_seam.ts";
import { onTerminate } from "./terminate.ts";
import type { OnOutage, Script, SharedMode, SharedSettings } from "./transport.ts";

/** The options of {@linkcode valkey}. */
export interface ValkeyOptions {
  /**
   * The program's own client: of `ioredis`, `iovalkey` or `redis` (node-redis), of one server or a cluster;
   * `Bun.redis`; or any object with a method `run`. sluice never closes it. Set it up so that it rejects while
   * it is not connected, and does not try again by itself: `enableOfflineQueue: false` and
   * `maxRetriesPerRequest: 0` for ioredis, `disableOfflineQueue: true` for node-redis.
   */
  readonly client: SharedClient;
  /** The start of all keys in the store. It must not contain braces. @default "sluice" */
  readonly prefix?: string | undefined;
  /**
   * When credit is fetched before it is needed. `"exact"`: never, so each decision is one round trip.
   * `"leased"`: wherever it fits. `"auto"`: where a process has several requests for a key in a quarter of a
   * second, and there is room. All modes admit the same. @default "auto"
   */
  readonly mode?: SharedMode | undefined;
  /**
   * What limits do while the store cannot be asked, unless a limit says it itself. `"share"`: each process
   * admits an equal part. `"closed"`: nothing is admitted. `"open"`: everything is.
   *
   * @default "share" for rates and concurrency, "closed" for quotas
   */
  readonly onOutage?: OnOutage | undefined;
  /**
   * The number of processes that share the limits, for `"share"`. A larger number that was seen at the store
   * counts instead. @default 1
   */
  readonly processes?: number | undefined;
  /**
   * What is counted after the store has lost its state. `"fresh"`: nothing, so up to twice the burst is
   * admitted once. `"strict"`: each bucket is full for one lease time, and quotas and concurrency are closed
   * for as long; also at the first contact with a new store.
   *
   * @default "fresh"
   */
  readonly onLoss?: "fresh" | "strict" | undefined;
  /** How long an answer of the store may take, in milliseconds: 1 to 60,000. @default 100 */
  readonly timeoutMs?: number | undefined;
  /**
   * How long a process may keep credit without renewing it, in milliseconds: 20 to 3,600,000. After a crash, what
   * the process held is blocked for as long. All processes should have the same. @default 2000
   */
  readonly leaseMs?: number | undefined;
  /**
   * Names the tenant of a key. In a cluster, all keys of a tenant are in one slot. It must always return the
   * same for the same key. @default The key itself.
   */
  readonly slot?: ((key: string) => string) | undefined;
}

const OPTIONS = {
  client: true,
  prefix: true,
  mode: true,
  onOutage: true,
  processes: true,
  onLoss: true,
  timeoutMs: true,
  leaseMs: true,
  slot: true,
} as const;

const MODES = ["exact", "leased", "auto"] as const;
const OUTAGES = ["share", "closed", "open"] as const;
const LOSSES = ["fresh", "strict"] as const;
/** The longest prefix, in UTF-16 code units. */
const LONGEST_PREFIX = 256;
const MOST_PROCESSES = 1_000_000;

/**
 * Makes the option `shared` of a {@linkcode RateLimiter} or an {@linkcode UpstreamPool}: their limits then hold over all processes that use the
 * same `prefix`, `name` and limits with the same Valkey (7.2 or later) or Redis (6.2 or later).
 *
 * @throws {TypeError} An option is unknown or has a wrong type, or `client` is none of the known ones.
 * @throws {RangeError} An option has a wrong value.
 */
export function valkey(options: ValkeyOptions): SharedStore {
  checkKnown<ValkeyOptions>("the options of valkey()", options, OPTIONS);
  const { client, prefix = "sluice", mode = "auto", onOutage, processes = 1 } = options;
  const { onLoss = "fresh", timeoutMs = 100, leaseMs = 2000, slot } = options;
  const run = runnerOf(client);
  checkString("prefix", prefix);
  if (/[{}\0]/.test(prefix) || prefix.length > LONGEST_PREFIX) {
    throw new RangeError(
      `prefix must have at most ${LONGEST_PREFIX} characters, and no brace or NUL, not ${
        show(prefix)
      }`,
    );
  }
  if (slot !== undefined) checkFunction("slot", slot);
  const settings: SharedSettings = {
    prefix,
    mode: checkWord("mode", mode, MODES),
    onOutage: onOutage === undefined ? undefined : checkWord("onOutage", onOutage, OUTAGES),
    processes: checkInteger("processes", processes, 1, MOST_PROCESSES),
    onLoss: checkWord("onLoss", onLoss, LOSSES),
    timeoutMs: checkNumber("timeoutMs", timeoutMs, 1, 60_000),
    leaseMs: checkNumber("leaseMs", leaseMs, 20, 3_600_000),
  };
  return new ValkeyStore(settings, slot, run);
}

class ValkeyStore extends SharedStore {
  readonly #run: RunScript;

  constructor(
    settings: SharedSettings,
    slot: ((key: string) => string) | undefined,
    run: RunScript,
  ) {
    super(settings, slot);
    this.#run = run;
  }

  override run(
    { sha, source }: Script,
    keys: readonly string[],
    args: readonly string[],
  ): Promise<string> {
    return this.#run(sha, source, keys, args);
  }

  override onTerminate(bye: (isEnd: boolean) => Promise<void>): () => void {
    return onTerminate(bye, this.settings.timeoutMs);
  }

  override servePool(member: SharedPoolMember, name: string): PoolCalls {
    return new StorePoolCalls(this, member, name);
  }

  override serve(handle: number, name: string): SharedCalls {
    return new LimiterCalls(this, handle, name);
  }
}
