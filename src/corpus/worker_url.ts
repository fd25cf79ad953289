/**
 * Where the script of the Workers is.
 *
 * @module
 */

/**
 * The URL of `worker.ts`, or in the npm package of `worker.js`. There this module is part of a chunk, in a folder beside
 * this one.
 */
export function workerUrl(): URL {
  const suffix = import.meta.url.endsWith(".ts") ? "ts" : "js";
  return new URL(`../corpus/worker.${suffix}`, import.meta.url);
}
