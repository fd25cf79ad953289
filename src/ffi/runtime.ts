/**
 * The runtime, where its rules differ from those of the others.
 *
 * @module
 */

/** A runtime by the name of its command. */
export type Runtime = "bun" | "deno" | "node";

/** The runtime of this program. Not by `process`, whose first use costs Deno 15 ms. */
export function runtime(): Runtime {
  return "Bun" in globalThis ? "bun" : "Deno" in globalThis ? "deno" : "node";
}
