/**
 * A sample of a gateway under load, and the regression that tells a leak from noise.
 *
 * @module
 */
import { atLeast, fit } from "./fit.ts";

/** The gateway at one moment, after a full collection. */
export interface Sample {
  readonly seconds: number;
  readonly requests: number;
  readonly rssBytes: number;
  readonly heapBytes: number;
  readonly files: number;
  readonly threads: number;
  readonly inFlight: number;
  readonly waiting: number;
  readonly reservations: number;
  readonly failed: number;
  readonly aborted: number;
  /** Failed requests, by the code of their error. */
  readonly errors: Readonly<Record<string, number>>;
}

/** More bytes a request than this are a leak. A leak that was found in `pool.fetch` had 6,000. */
const MOST_BYTES = 50;
/** Growth over the whole time that is not a leak: in a short run it may be warm-up. */
const ALLOWED_BYTES = 2 * 2 ** 20;
/** The share of the time for warm-up, in which code is compiled and tables grow. */
const WARM_UP = 0.4;

/** Counts that must not drift: by more than one, with 3 standard errors, over the measured time. */
const COUNTED = ["files", "threads", "inFlight", "waiting", "reservations"] as const;
/** Counts that must return to 0 after the load. */
const RETURNED = ["inFlight", "waiting", "reservations"] as const;

/** A one-line summary, and every fault. */
export function judge(samples: readonly Sample[], end: Sample): { line: string; faults: string[] } {
  const faults: string[] = [];
  const last = samples.at(-1)!;
  const warm = samples.filter(({ seconds }) => seconds >= last.seconds * WARM_UP);
  const first = warm[0]!;
  const requests = last.requests - first.requests;
  if (requests < 100) faults.push(`only ${requests} requests were measured`);
  const slopes: string[] = [];
  for (const name of ["rssBytes", "heapBytes"] as const) {
    const line = fit(warm.map((sample) => [sample.requests, sample[name]]));
    slopes.push(`${name.slice(0, -5)} ${signed(line.slope)} ± ${line.error.toFixed(1)} B/request`);
    if (atLeast(line) > Math.max(MOST_BYTES, ALLOWED_BYTES / requests)) {
      faults.push(`${name} grows by at least ${atLeast(line).toFixed(0)} a request`);
    }
  }
  for (const name of COUNTED) {
    const line = fit(warm.map((sample) => [sample.seconds, sample[name]]));
    const grown = atLeast(line) * (last.seconds - first.seconds);
    if (grown > 1) faults.push(`${name} grew by at least ${grown.toFixed(1)}`);
  }
  for (const name of RETURNED) {
    if (end[name] !== 0) faults.push(`${name} is ${end[name]} after the load`);
  }
  const megabytes = (bytes: number) => `${Math.round(bytes / 2 ** 20)} MB`;
  const line = `${last.seconds.toFixed(0)} s, ${last.requests} requests, ${last.failed} failed, ` +
    `${last.aborted} aborted; rss ${megabytes(first.rssBytes)} -> ${megabytes(last.rssBytes)}, ` +
    `heap ${megabytes(first.heapBytes)} -> ${megabytes(last.heapBytes)}; ${slopes.join(", ")}; ` +
    `files ${first.files} -> ${last.files}; at the end ` +
    RETURNED.map((name) => `${name} ${end[name]}`).join(", ");
  return { line, faults };
}

function signed(value: number): string {
  return (value < 0 ? "" : "+") + value.toFixed(1);
}
