/**
 * The interface of a store that several processes share: settings, scripts, and the names of keys.
 *
 * Limiters and pools know this and no client. It imports neither of them.
 *
 * @module
 */
import type { PoolCalls, SharedPoolMember } from "./pool_seam.ts";

/** What a limit does while the store cannot be asked: see {@linkcode SharedSettings.onOutage}. */
export type OnOutage = "share" | "closed" | "open";

/** When credit is fetched before it is needed: see `mode` in the options of `valkey()`. */
export type SharedMode = "exact" | "leased" | "auto";

/** The settings of a {@linkcode SharedTransport}. */
export interface SharedSettings {
  /** The start of all keys in the store. */
  readonly prefix: string;
  /** When credit is fetched before it is needed. */
  readonly mode: SharedMode;
  /** What limits do while the store cannot be asked, where the limit does not say it. */
  readonly onOutage: OnOutage | undefined;
  /** The number of processes that share the limits, until more have been seen. */
  readonly processes: number;
  /** What the store counts after it has lost its state. */
  readonly onLoss: "fresh" | "strict";
  /** How long an answer may take, in milliseconds. */
  readonly timeoutMs: number;
  /** How long a process may keep credit without renewing it, in milliseconds. */
  readonly leaseMs: number;
}

/** A script that runs in the store. */
export interface Script {
  /** The SHA-1 of the text in hexadecimal digits. */
  readonly sha: string;
  /** The text. */
  readonly source: string;
}

/** The number of hash tags. So a cluster has at most as many epoch keys, and each call is about one slot. */
const TAGS = 1024;

/** A store that several processes share. */
export abstract class SharedTransport {
  /** The settings, with their defaults. */
  readonly settings: Readonly<SharedSettings>;
  readonly #slot: ((key: string) => string) | undefined;

  /**
   * @ignore `valkey()` makes these.
   *
   * @param slot Names the tenant of a key, whose keys are all in one slot of a cluster.
   */
  constructor(settings: SharedSettings, slot?: (key: string) => string) {
    this.settings = Object.freeze(settings);
    this.#slot = slot;
  }

  /**
   * @ignore Runs a script and resolves to its reply. Rejects with what the client rejects with. It has no
   * timeout and never tries again, except by the text of a script that the server lacks.
   */
  abstract run(script: Script, keys: readonly string[], args: readonly string[]): Promise<string>;

  /**
   * @ignore Calls `bye` when SIGTERM arrives, and tells it whether the process ends then. Waits for it for
   * `timeoutMs`. Returns a function that cancels this.
   */
  abstract onTerminate(bye: (isEnd: boolean) => Promise<void>): () => void;

  /** @ignore Begins to make the calls of a pool's member. */
  abstract servePool(member: SharedPoolMember, name: string): PoolCalls;

  /**
   * @ignore The keys of a script: the hash of `key`, and the epoch of its hash tag.
   *
   * @param owner What the hash belongs to, without colons.
   * @throws {TypeError} `slot` returned what is not a string.
   */
  keysOf(owner: string, key: string): [hash: string, epoch: string] {
    const slot: unknown = this.#slot === undefined ? key : this.#slot(key);
    if (typeof slot !== "string") {
      throw new TypeError(`slot must return a string, not a ${typeof slot}`);
    }
    const start = `${this.settings.prefix}:1:{${fnv1a(slot) % TAGS}}:`;
    return [`${start}${owner}:${key}`, `${start}epoch`];
  }
}

const encoder = new TextEncoder();

/** The 32-bit FNV-1a hash of a text as UTF-8. */
export function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of encoder.encode(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}
