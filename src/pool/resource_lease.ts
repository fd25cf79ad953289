/**
 * A lease of a resource.
 *
 * @module
 */

/** Who a resource comes back to. */
export interface ResourceOwner<T> {
  /** @ignore */
  takeBack(lease: ResourceLease<T>, isGood: boolean): Promise<void>;
}

/**
 * A resource that nobody else uses until it is given back, exactly once. Made by
 * {@linkcode ResourcePool.acquire}.
 */
export class ResourceLease<T> implements Disposable, AsyncDisposable {
  /** The resource. Not to be used once the lease is given back. */
  readonly resource: T;
  readonly #owner: ResourceOwner<T>;
  #isHeld = true;

  /** @ignore Use {@linkcode ResourcePool.acquire}. */
  constructor(owner: ResourceOwner<T>, resource: T) {
    this.#owner = owner;
    this.resource = resource;
  }

  /**
   * Gives the resource back for others to use. Of several calls the first counts.
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
   * Gives back a resource that is broken or in no known state: it is destroyed, and its place is
   * free once that is done. Never throws: what `destroy` throws goes to `onEvent`.
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
