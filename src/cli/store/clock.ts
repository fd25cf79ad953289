/**
 * The clock of a server beside that of this machine, by repeated `TIME`.
 *
 * @module
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Check } from "./checks.ts";
import type { StoreConnection } from "./connection.ts";
import type { Reply } from "./resp.ts";

const SAMPLES = 20;
const PAUSE_MS = 25;
/** An offset above this one is worth a warning: quotas begin and end by the clock of the server. */
const MAX_OFFSET_MS = 1000;
/** A change of the offset that neither the network nor the slewing of a clock explains. */
const MIN_STEP_MS = 10;

/** A reading of both clocks. */
interface Sample {
  /** How far the server is ahead of the wall clock here, in milliseconds. */
  readonly offset: number;
  /** The server's clock less the monotonic clock here. It changes only if the server's clock steps. */
  readonly origin: number;
  /** How far off both may be. */
  readonly error: number;
}

/** Reads the clock of the server for half a second. */
export async function checkClock(connection: StoreConnection): Promise<Check> {
  const samples: Sample[] = [];
  for (let i = 0; i < SAMPLES; i++) {
    if (i > 0) await sleep(PAUSE_MS);
    samples.push(await sample(connection));
  }
  return judge(samples);
}

/** What the samples say. */
export function judge(samples: readonly Sample[]): Check {
  const name = "clock";
  const { offset } = samples.reduce((a, b) => b.error < a.error ? b : a);
  const finding = `${Math.abs(offset).toFixed(1)} ms ${offset < 0 ? "behind" : "ahead of"} here`;
  const step = largestStep(samples);
  if (step > 0) {
    return {
      name,
      level: "warn",
      finding: `${finding}, with a step of ${step.toFixed(0)} ms`,
      advice: "let NTP slew the server's clock: a step forward by D admits up to rate * D more",
    };
  }
  if (Math.abs(offset) <= MAX_OFFSET_MS) return { name, level: "ok", finding };
  const advice = "set both clocks by NTP: quotas begin and end by the clock of the server";
  return { name, level: "warn", finding, advice };
}

/** The largest change between two samples beyond what they may be off; 0 if there is none. */
function largestStep(samples: readonly Sample[]): number {
  const steps = samples.slice(1).map(({ origin, error }, i) => {
    const before = samples[i]!;
    const step = Math.abs(origin - before.origin);
    return step > error + before.error + MIN_STEP_MS ? step : 0;
  });
  return Math.max(0, ...steps);
}

async function sample(connection: StoreConnection): Promise<Sample> {
  const [wall, start] = [Date.now(), performance.now()];
  const [seconds, microseconds] = await connection.run("TIME") as readonly Reply[];
  const halfTrip = (performance.now() - start) / 2;
  const server = Number(seconds) * 1000 + Number(microseconds) / 1000;
  return {
    offset: server - (wall + halfTrip),
    origin: server - (start + halfTrip),
    error: halfTrip,
  };
}
