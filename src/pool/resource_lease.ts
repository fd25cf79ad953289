/**
 * A lease of a resource: exclusive use, given back exactly once.
 *
 * @module
 */

/** The part of a resource pool that leases call. */
export interface ResourceOwner<T> {
  /** @ignore */
  takeBack(lease: ResourceLease<T>, isGood: boolean): Promise<void>;
}

/** Exclusive use of a resource until it is given back. Made by {@linkcode ResourcePool.acquire}. */
export class ResourceLease<T> implements Disposable, AsyncDisposable {
  /** The resource. Do not use it after the lease is given back. */
  readonly resource: T;
  readonly #owner: ResourceOwner<T>;
  #isHeld = true;

  /** @ignore Use {@linkcode ResourcePool.acquire}. */
  constructor(owner: ResourceOwner<T>, resource: T) {
    this.#owner = owner;
    this.resource = resource;
  }

  /**
   * Gives the resource back for others to use. Only the first call has an effect.
   *
   * @returns Whether this was the first.
   */
  release(): boolean {
    if (!this.#isHeld) return false;
    this.#isHeld = false;
    void this.#owner.takeBack(this, true);
    return true;
  }

  /**
   * Destroys a resource that is broken or in an unknown state. Another one can be made once it is destroyed.
   * Never throws: errors of `destroy` go to `onEvent`.
   */
  async destroy(): Promise<void> {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    await this.#owner.takeBack(this, false);
  }

  /** {@linkcode ResourceLease.release}, for `using`. */
  [Symbol.dispose](): void {
    this.release();
  }

  /** {@linkcode ResourceLease.release}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    this.release();
    return Promise.resolve();
  }
}
