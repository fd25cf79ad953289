/**
 * Things that the garbage collector found before anybody gave them back, each with the stack that made
 * it.
 *
 * @module
 */

/** Watches objects that somebody has to give back. */
export class Leaks<Kept extends object> {
  readonly #registry: FinalizationRegistry<Kept & { readonly stack: string }>;

  /** @param found Told of each that was lost: what was kept of it, and who made it. */
  constructor(found: (lost: Kept & { readonly stack: string }) => void) {
    this.#registry = new FinalizationRegistry(found);
  }

  /** Watches an object. `kept` must not lead to it, or it is never found. */
  watch(object: object, kept: Kept): void {
    const { stack = "" } = new Error("made here");
    this.#registry.register(object, { ...kept, stack }, object);
  }

  /** It was given back. */
  forget(object: object): void {
    this.#registry.unregister(object);
  }
}
