/**
 * The queue that the producer and the workers share, and what its jobs say.
 *
 * @module
 */
import type { ConnectionOptions, WorkerOptions } from "bullmq";

/** The name of the queue. */
export const QUEUE = "tokenize";

/** One unit of a corpus, or its completion when all units are done. */
export type CorpusJob =
  | { readonly kind: "unit"; readonly out: string; readonly unit: number }
  | { readonly kind: "finish"; readonly out: string };

/** The address of the server. */
export function connectionTo(port: number): ConnectionOptions {
  // Workers wait for jobs as long as it takes.
  return { host: "127.0.0.1", port, maxRetriesPerRequest: null };
}

/**
 * When a unit of a dead worker goes to another: after `lockDuration` without a sign of life, at a check that comes each
 * `stalledInterval`. All workers need the same interval, because the last check of a dead one keeps the others from
 * checking for that long. The defaults are 30 seconds each. These are short so that the example is.
 */
export const TAKE_OVER: Pick<
  WorkerOptions,
  "lockDuration" | "stalledInterval" | "maxStalledCount"
> = {
  lockDuration: 1000,
  stalledInterval: 500,
  // How often one unit may lose its worker. Doing it again does no harm.
  maxStalledCount: 5,
};
