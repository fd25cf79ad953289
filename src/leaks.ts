/**
 * A leak detector: it reports objects that were garbage-collected before they were given back, with the stack
 * that made them.
 *
 * @module
 */

/** Watches objects that have to be given back. */
export class Leaks<Kept extends object> {
  readonly #registry: FinalizationRegistry<Kept & { readonly stack: string }>;

  /** @param found Is called for each lost object, with what was kept of it and the stack that made it. */
  constructor(found: (lost: Kept & { readonly stack: string }) => void) {
    this.#registry = new FinalizationRegistry(found);
  }

  /** Watches an object. The object must not be reachable from `kept`, or it is never collected. */
  watch(object: object, kept: Kept): void {
    const { stack = "" } = new Error("made here");
    this.#registry.register(object, { ...kept, stack }, object);
  }

  /** Stops watching an object, which was given back. */
  forget(object: object): void {
    this.#registry.unregister(object);
  }
}
