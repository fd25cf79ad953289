/** What a soak looks at, and what it takes for a leak. */
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
  /** Requests that the upstream's failures account for, by what was thrown. */
  readonly errors: Readonly<Record<string, number>>;
}

/** More bytes for each request than this are a leak. What was found in `pool.fetch` was 6,000. */
const MOST_BYTES = 50;
/** As much growth over the whole time is none: in a short run all of it may be warming up. */
const ALLOWED_BYTES = 2 * 2 ** 20;
/** The first part of the time is for warming up: code is compiled, tables and pools grow. */
const WARM_UP = 0.4;

/** What is counted and must not drift: more than one, all but surely, over the time measured. */
const COUNTED = ["files", "threads", "inFlight", "waiting", "reservations"] as const;
/** What must be back at 0 once the load has ended. */
const RETURNED = ["inFlight", "waiting", "reservations"] as const;

/** One line for people, and everything that is wrong. */
export function judge(samples: readonly Sample[], end: Sample): { line: string; faults: string[] } {
  const faults: string[] = [];
  const last = samples.at(-1)!;
  const warm = samples.filter(({ seconds }) => seconds >= last.seconds * WARM_UP);
  const first = warm[0]!;
  const requests = last.requests - first.requests;
  if (requests < 100) faults.push(`only ${requests} requests were measured`);
  const told: string[] = [];
  for (const name of ["rssBytes", "heapBytes"] as const) {
    const line = fit(warm.map((sample) => [sample.requests, sample[name]]));
    told.push(`${name.slice(0, -5)} ${signed(line.slope)} ± ${line.error.toFixed(1)} B/request`);
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
    `heap ${megabytes(first.heapBytes)} -> ${megabytes(last.heapBytes)}; ${told.join(", ")}; ` +
    `files ${first.files} -> ${last.files}; at the end ` +
    RETURNED.map((name) => `${name} ${end[name]}`).join(", ");
  return { line, faults };
}

function signed(value: number): string {
  return (value < 0 ? "" : "+") + value.toFixed(1);
}
