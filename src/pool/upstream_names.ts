/**
 * What the upstreams of a pool are called, as far as a member of it was told.
 *
 * Natively they are indexes, which are used again once an upstream is gone. The pool says with a lease,
 * and with an id, whether names changed since this member asked last, and then all of them are forgotten.
 *
 * @module
 */
import { show, SluiceError } from "../errors.ts";
import { native } from "../ffi/load.ts";
import { MAX_UPSTREAM_ID_BYTES, UPSTREAM_NEWS } from "../ffi/symbols.gen.ts";

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** More ids than this are not remembered once they are gone. */
const REMEMBERED = 8192;

/** Ids by index, and tokens by id. */
export class UpstreamNames {
  readonly #native = native();
  readonly #handle: number;
  /** As far as they were met since one of them changed. */
  #ids: (string | undefined)[] = [];
  readonly #tokens = new Map<string, number>();
  readonly #text = new Uint8Array(new ArrayBuffer(1024));

  readonly #pool: string;
  /** Every id that there was, which may be gone. */
  readonly #met: Set<string>;

  /** The names of the pool that a member's handle is of, which was opened with these. */
  constructor(pool: string, handle: number, upstreams: readonly string[]) {
    this.#pool = pool;
    this.#handle = handle;
    this.#met = new Set(upstreams);
  }

  /** The id of the upstream of a lease that is in use. */
  id(index: number): string {
    return this.#ids[index] ?? this.#ask(index);
  }

  /**
   * What names an upstream where one is preferred, or -1: a preference for one that is gone is none.
   * One that others replaced since then is none either, until news of that comes with a lease.
   *
   * @throws {SluiceError} `SLUICE_UNKNOWN_UPSTREAM` if there never was one of that id, as far as this
   * member was told.
   */
  token(id: string): number {
    const known = this.#tokens.get(id);
    if (known !== undefined) return known;
    const { read, written } = encoder.encodeInto(id, this.#text);
    // What does not fit is longer than any id.
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

  /** There is an upstream of that id. */
  meet(id: string): void {
    if (this.#met.size === REMEMBERED) this.#met.clear();
    this.#met.add(id);
  }

  /** Forgets everything, which may have changed. */
  forget(): void {
    this.#ids = [];
    this.#tokens.clear();
  }

  #ask(index: number): string {
    const told = this.#native.sluice_upstream_id(
      this.#handle,
      index,
      this.#text,
      MAX_UPSTREAM_ID_BYTES,
    );
    // Its lease has outlived its time in the meantime, and the upstream is gone.
    if (told < 0) return `#${index}`;
    // Others may be stale as well, and nobody is told of that twice.
    if (told >= UPSTREAM_NEWS) this.forget();
    return this.#ids[index] = decoder.decode(this.#text.subarray(0, told % UPSTREAM_NEWS));
  }
}
