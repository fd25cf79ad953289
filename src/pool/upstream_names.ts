/**
 * What the upstreams of a pool are called, as far as a member of it was told.
 *
 * Natively they are indexes, which are used again once an upstream is gone. The pool says with a lease,
 * and with an id, whether names changed since this member asked last, and then all of them are forgotten.
 *
 * @module
 */
import { native } from "../ffi/load.ts";
import { UPSTREAM_ID, UPSTREAM_NEWS } from "../ffi/symbols.gen.ts";

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** Ids by index, and tokens by id. */
export class UpstreamNames {
  readonly #native = native();
  readonly #handle: number;
  /** As far as they were met since one of them changed. */
  #ids: (string | undefined)[] = [];
  readonly #tokens = new Map<string, number>();
  readonly #text = new Uint8Array(new ArrayBuffer(1024));

  /** The names of the pool that a member's handle is of. */
  constructor(handle: number) {
    this.#handle = handle;
  }

  /** The id of the upstream of a lease that is in use. */
  id(index: number): string {
    return this.#ids[index] ?? this.#ask(index);
  }

  /**
   * What names an upstream where one is preferred, or -1: a preference for one that is not there is
   * none. One that others replaced since then is none either, until news of that comes with a lease.
   */
  token(id: string): number {
    const known = this.#tokens.get(id);
    if (known !== undefined) return known;
    const { written } = encoder.encodeInto(id, this.#text);
    const token = this.#native.sluice_upstream_find(this.#handle, this.#text, written);
    if (token >= 0) this.#tokens.set(id, token);
    return token < 0 ? -1 : token;
  }

  /** Forgets everything, which may have changed. */
  forget(): void {
    this.#ids = [];
    this.#tokens.clear();
  }

  #ask(index: number): string {
    const told = this.#native.sluice_upstream_id(this.#handle, index, this.#text, UPSTREAM_ID);
    // Its lease has outlived its time in the meantime, and the upstream is gone.
    if (told < 0) return `#${index}`;
    // Others may be stale as well, and nobody is told of that twice.
    if (told >= UPSTREAM_NEWS) this.forget();
    return this.#ids[index] = decoder.decode(this.#text.subarray(0, told % UPSTREAM_NEWS));
  }
}
