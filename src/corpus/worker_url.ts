/**
 * Where the script of the Workers is.
 *
 * @module
 */

/**
 * The URL of `worker.ts`, or in the npm package of `worker.js`. There this module is part of a chunk, in a folder beside
 * this one. On JSR the script has a remote URL, which `node:worker_threads` does not take: a `data:` URL imports it.
 */
export function workerUrl(base: string = import.meta.url): URL {
  const suffix = base.endsWith(".ts") ? "ts" : "js";
  const url = new URL(`../corpus/worker.${suffix}`, base);
  if (url.protocol === "file:") return url;
  return new URL(`data:text/javascript,${encodeURIComponent(`import "${url}";`)}`);
}
