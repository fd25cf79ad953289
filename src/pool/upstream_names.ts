/**
 * A cache of upstream ids by native index, and of native tokens by id.
 *
 * Natively an upstream is an index, which is reused once the upstream is removed. A granted lease and a look-up
 * of an id say whether ids have changed since the last look-up of this member. If so, the cache is cleared.
 *
 * @module
 */
import { show, SluiceError } from "../errors.ts";
import { native } from "../ffi/load.ts";
import { own } from "../ffi/own_memory.ts";
import { MAX_UPSTREAM_ID_BYTES, UPSTREAM_NEWS } from "../ffi/symbols.gen.ts";

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** The most ids that are remembered, including removed ones. */
const REMEMBERED = 8192;

/** Ids by index, and tokens by id. */
export class UpstreamNames {
  readonly #native = native();
  readonly #handle: number;
  /** The ids that were looked up since one of them changed. */
  #ids: (string | undefined)[] = [];
  readonly #tokens = new Map<string, number>();
  readonly #text = own(new Uint8Array(new ArrayBuffer(1024)));

  readonly #pool: string;
  /** Every id that the pool had, as far as this member knows. */
  readonly #met: Set<string>;

  /** The ids of the pool of `handle`, which was opened with `upstreams`. */
  constructor(pool: string, handle: number, upstreams: readonly string[]) {
    this.#pool = pool;
    this.#handle = handle;
    this.#met = new Set(upstreams);
  }

  /** The id of the upstream of a lease in use. */
  id(index: number): string {
    return this.#ids[index] ?? this.#ask(index);
  }

  /**
   * The native token of a preferred upstream, or -1 if it was removed. If another Worker has replaced it, the
   * old token has no effect until a lease reports the change.
   *
   * @throws {SluiceError} `SLUICE_UNKNOWN_UPSTREAM` if the pool never had that id, as far as this member knows.
   */
  token(id: string): number {
    const known = this.#tokens.get(id);
    if (known !== undefined) return known;
    const { read, written } = encoder.encodeInto(id, this.#text);
    // A text that does not fit is longer than any id.
    const token = read === id.length
      ? this.#native.sluice_upstream_find(this.#handle, this.#text, written)
      : -1;
    if (token < 0) {
      if (this.#met.has(id)) return -1;
      throw new SluiceError(
        "SLUICE_UNKNOWN_UPSTREAM",
        `prefer is ${show(id)}, and pool ${JSON.stringify(this.#pool)} has no upstream of that id`,
      );
    }
    this.#tokens.set(id, token);
    this.meet(id);
    return token;
  }

  /** Remembers an id. */
  meet(id: string): void {
    if (this.#met.size === REMEMBERED) this.#met.clear();
    this.#met.add(id);
  }

  /** Clears the cache. */
  forget(): void {
    this.#ids = [];
    this.#tokens.clear();
  }

  #ask(index: number): string {
    const { sluice_upstream_id } = this.#native;
    const result = sluice_upstream_id(this.#handle, index, this.#text, MAX_UPSTREAM_ID_BYTES);
    // The lease has expired in the meantime, and the upstream was removed.
    if (result < 0) return `#${index}`;
    // Other ids may be stale as well, and a change is reported only once.
    if (result >= UPSTREAM_NEWS) this.forget();
    return this.#ids[index] = decoder.decode(this.#text.subarray(0, result % UPSTREAM_NEWS));
  }
}
