/**
 * An owning handle to an object of the native library. Its owner closes it, or a finalizer does once the
 * owner was collected.
 *
 * Native handles are integers with a generation. A closed handle holds 0, which no open one is, so a call
 * with it fails natively: the fast path checks results only, which costs open handles nothing.
 *
 * @module
 */
import { SluiceError } from "../errors.ts";
import { native, unwrap } from "./load.ts";
import type { Native } from "./native.ts";

/**
 * Closes or leaves a native handle. The result is 0, an error status, or, for objects that outlive a first
 * close, how many uses still keep it open.
 */
export type CloseHandle = (handle: number) => number;

const finalizers = new FinalizationRegistry<() => void>((close) => close());

/**
 * Calls `close` after `owner` was collected, unless {@linkcode cancelFinalizer} comes first. From `close`
 * the owner must not be reachable, or it is never collected.
 */
export function closeWhenCollected(owner: object, close: () => void): void {
  finalizers.register(owner, close, owner);
}

/** Cancels {@linkcode closeWhenCollected}: the owner was closed. */
export function cancelFinalizer(owner: object): void {
  finalizers.unregister(owner);
}

/** The base of everything that owns a native handle. */
export class NativeHandle implements Disposable {
  /** The functions of the library. */
  readonly native: Native = native();
  /** The handle as it crosses; 0 once closed. Only this class writes it. */
  handle: number;
  readonly #title: string;
  readonly #close: CloseHandle;

  /**
   * Takes ownership of an open handle.
   *
   * @param title What messages call the object, such as `This counter`.
   * @param close Closes the handle natively. It should look the function up when it is called: in Deno each
   * look-up takes 0.15 to 0.3 ms.
   * @param abandon What the finalizer calls instead of `close`.
   */
  constructor(handle: number, title: string, close: CloseHandle, abandon: CloseHandle = close) {
    this.handle = handle;
    this.#title = title;
    this.#close = close;
    closeWhenCollected(this, bind(abandon, handle));
  }

  /** The handle of an open object. Throws once closed. */
  get openHandle(): number {
    this.checkOpen();
    return this.handle;
  }

  /** Passes on a result, or throws the error of a negative one: that of a closed handle first. */
  unwrap(result: number): number {
    if (result >= 0) return result;
    this.checkOpen();
    return unwrap(result);
  }

  /** Throws {@linkcode closedError} once closed. */
  checkOpen(): void {
    if (this.handle === 0) throw this.closedError();
  }

  /** The error of a call after the close. */
  closedError(): SluiceError {
    return new SluiceError("SLUICE_DISPOSED", `${this.#title} is closed`);
  }

  /** Closes the handle. Closing again is fine. */
  close(): void {
    const { handle } = this;
    if (handle === 0 || this.#close(handle) > 0) return;
    this.handle = 0;
    cancelFinalizer(this);
  }

  /** {@linkcode close}, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }
}

/** Made outside of the constructor, so that the closure does not see `this`. */
function bind(close: CloseHandle, handle: number): () => void {
  return () => void close(handle);
}
