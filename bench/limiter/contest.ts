/**
 * Two Workers that check at the same time: one hot key of both, or a key each.
 *
 * @module
 */
import { openLimiter } from "./checks.ts";
import { type Bucket, OPEN, SHUT, STRIDE } from "./gcra.ts";
import { expect } from "../program.ts";
import type { Outcome } from "./rounds.ts";

/** How counts are shared between Workers. */
export const SHARINGS = ["sluice", "SharedArrayBuffer + Atomics", "owner Worker"] as const;

/** One of {@linkcode SHARINGS}. */
export type Sharing = (typeof SHARINGS)[number];

/** How many Workers contend. */
const WORKERS = 2;
/** Questions of a Worker that are on their way to the owner at a time. */
const TASKS = 8;

/** What a Worker is told. */
export interface Order {
  readonly sharing: Sharing;
  /** The limiter to open, for sluice. */
  readonly name: string;
  readonly bucket: Bucket;
  readonly key: number;
  readonly tasks: number;
  readonly ms: number;
  /** The counts, for atomics. */
  readonly memory: SharedArrayBuffer;
  /** Where time begins for all Workers, in milliseconds since 1970. */
  readonly origin: number;
  /** The way to the owner. */
  readonly port?: MessagePort;
}

/** What it did. */
export interface Contended {
  readonly checks: number;
  readonly admitted: number;
}

/** Nanoseconds a check, over both Workers; throws if they admitted more or fewer than they may. */
export async function contest(
  sharing: Sharing,
  isHot: boolean,
  outcome: Outcome,
  ms: number,
): Promise<number> {
  const bucket = outcome === "admitted" ? OPEN : SHUT;
  // Held open, so that the counts outlive Workers that come and go.
  using limiter = openLimiter(bucket);
  const start = (file: string) => new Worker(new URL(file, import.meta.url), { type: "module" });
  const owner = sharing === "owner Worker" ? start("owner.ts") : undefined;
  const workers = Array.from({ length: WORKERS }, () => start("contender.ts"));
  const order: Omit<Order, "key"> = {
    sharing,
    name: limiter.name,
    bucket,
    tasks: TASKS,
    ms,
    memory: new SharedArrayBuffer(4 * STRIDE * WORKERS),
    origin: performance.timeOrigin + performance.now(),
  };
  await Promise.all(workers.map(async (worker, i) => {
    const key = isHot ? 0 : i;
    if (owner === undefined) return await ask(worker, { ...order, key });
    const { port1, port2 } = new MessageChannel();
    owner.postMessage({ bucket, port: port2 }, [port2]);
    return await ask(worker, { ...order, key, port: port1 }, [port1]);
  }));
  const all = await Promise.all(workers.map((worker) => ask<Contended>(worker, "go")));
  for (const worker of workers) worker.terminate();
  owner?.terminate();
  const sum = (what: keyof Contended) => all.reduce((sum, one) => sum + one[what], 0);
  const wanted = outcome === "admitted" ? sum("checks") : isHot ? 1 : WORKERS;
  expect(
    sum("admitted") === wanted,
    `${sharing} between Workers admits ${wanted}, but ${sum("admitted")}`,
  );
  return ms * 1e6 / sum("checks");
}

function ask<R>(worker: Worker, message: unknown, transfer: Transferable[] = []): Promise<R> {
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<R>) => resolve(data);
    worker.onerror = ({ message }) => reject(new Error(message));
    worker.postMessage(message, transfer);
  });
}
