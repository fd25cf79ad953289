/**
 * A Worker of the limiter's soak: tasks that take, reserve, settle, cancel and forget at random, settle twice or too
 * late, and change limits.
 *
 * @module
 */
import { setTimeout as sleep } from "node:timers/promises";
import { type Reservation, SluiceError, takeAll } from "../../mod.ts";
import { Random } from "../../bench/random.ts";
import {
  CHANGING,
  KEYS,
  limitsOf,
  LIVE,
  MOST_TOKENS,
  NAMES,
  openLedger,
  openSoak,
  SUM,
  TIERED,
} from "./limiter_limits.ts";
import { LimiterTally, type SharedTally } from "./limiter_tally.ts";

/** The first message to a Worker. */
export interface SoakOrder {
  readonly workers: number;
  readonly row: number;
  readonly tasks: number;
  readonly utcOffset: number;
  readonly shared: SharedTally;
}

interface Scope {
  onmessage: ((event: MessageEvent<SoakOrder>) => void) | null;
}

const SHORT_TTL_MS = 5;
const scope = globalThis as unknown as Scope;

scope.onmessage = ({ data: { workers, row, tasks, utcOffset, shared } }) => {
  const limiter = openSoak();
  const ledger = openLedger(utcOffset);
  const tally = new LimiterTally(workers, shared);
  const keys = KEYS.map((name) => limiter.key(name));
  const random = new Random(row);
  const tokens = () => random.integer(1, MOST_TOKENS + 1);
  for (let task = 0; task < tasks; task++) void run();

  async function run(): Promise<void> {
    for (;;) {
      try {
        await step(random.next());
      } catch (error) {
        const code = error instanceof SluiceError ? error.code : undefined;
        if (code === "SLUICE_TOO_MANY_KEYS") tally.count("noRoom");
        else surprised(error);
      }
      await sleep(random.integer(0, 3));
    }
  }

  /** Counts an unexpected error and shows the first one. */
  function surprised(error: unknown): void {
    if (tally.get("surprises") === 0) console.error(error);
    tally.count("surprises");
  }

  async function step(kind: number): Promise<void> {
    if (kind < 0.35) takeSome(random.integer(0, KEYS.length), random.integer(1, 40));
    else if (kind < 0.45) takeBatch();
    else if (kind < 0.65) await reserveHot(random.integer(0, KEYS.length));
    else if (kind < 0.72) takeTogether(random.integer(0, KEYS.length));
    else if (kind < 0.8) await reserveLedger();
    else if (kind < 0.99) useCold(random.integer(1, 20));
    else changeLimits();
  }

  function takeSome(key: number, times: number): void {
    for (let i = 0; i < times; i++) {
      const cost = tokens();
      const at = tally.admissions.now();
      const { allowed } = limiter.take(i % 2 === 0 ? keys[key]! : KEYS[key]!, {
        tokens: cost,
        concurrent: 0,
      });
      if (allowed) tally.charge(key, at, 1, cost);
      tally.count(allowed ? "admitted" : "denied");
    }
  }

  /** Takes from all hot keys in one call. */
  function takeBatch(): void {
    const cost = KEYS.map(tokens);
    const codes = new Float64Array(KEYS.length);
    const at = tally.admissions.now();
    const admitted = limiter.raw.takeBatch(
      keys,
      // In the order of `limiter.units`: requests, tokens, concurrent.
      Float64Array.from(cost.flatMap((tokens) => [1, tokens, 0])),
      codes,
    );
    codes.forEach((code, key) => {
      if (code === 0) tally.charge(key, at, 1, cost[key]!);
      else limiter.raw.decision(code);
    });
    tally.count("admitted", admitted);
    tally.count("denied", KEYS.length - admitted);
  }

  async function reserveHot(key: number): Promise<void> {
    const estimate = tokens();
    const at = tally.admissions.now();
    const call = limiter.reserve(keys[key]!, { tokens: estimate });
    if (!call.allowed) return tally.count("denied");
    tally.count("reserved");
    if (tally.inUse.use(row, key, LIVE)) tally.count("overCap");
    if (random.next() < 0.7) await sleep(random.integer(0, 20));
    const how = random.next();
    // Uncounted before the slot is released, so that a successor does not seem to exceed the limit.
    tally.inUse.unuse(row, key);
    if (how < 0.003) {
      // When it expires, its slot is released and its estimate is charged.
      tally.count("forgotten");
      return tally.charge(key, at, 1, estimate);
    }
    if (how < 0.2) {
      call.cancel();
      tally.count("cancelled");
    } else if (how < 0.4) toppedUp(call, key, at, estimate);
    else {
      const actual = random.integer(0, estimate + 1);
      call.settle({ tokens: actual });
      tally.charge(key, at, 1, actual);
      tally.count("settled");
    }
    if (how > 0.9) endAgain(call);
  }

  function toppedUp(call: Reservation, key: number, at: number, estimate: number): void {
    const more = tokens();
    const later = tally.admissions.now();
    const { allowed } = call.topUp({ tokens: more });
    if (allowed) tally.count("toppedUp");
    const actual = random.integer(0, estimate + (allowed ? more : 0) + 1);
    call.settle({ tokens: actual });
    // The top-up was admitted later than the reservation.
    tally.charge(key, at, 1, Math.min(actual, estimate));
    tally.charge(key, later, 0, Math.max(0, actual - estimate));
    tally.count("settled");
  }

  function endAgain(call: Reservation): void {
    try {
      call.settle();
      tally.count("secondEnds");
    } catch (error) {
      if ((error as SluiceError).code !== "SLUICE_RESERVATION_CLOSED") throw error;
      tally.count("doubled");
    }
  }

  /** Takes from a hot key and the ledger, from both or none. */
  function takeTogether(key: number): void {
    const cost = tokens();
    tally.intend(cost);
    const at = tally.admissions.now();
    const parts = [{ limiter, key: keys[key]! }, { limiter: ledger, key: SUM }];
    const { allowed } = takeAll(parts, { tokens: cost, concurrent: 0 });
    if (allowed) tally.charge(key, at, 1, cost);
    tally.confirm(cost, allowed ? cost : 0);
    tally.count(allowed ? "admitted" : "denied");
  }

  async function reserveLedger(): Promise<void> {
    const estimate = tokens();
    const isLate = random.next() < 0.05;
    tally.intend(estimate);
    const call = ledger.reserve(
      SUM,
      { tokens: estimate },
      isLate ? { ttlMs: SHORT_TTL_MS } : undefined,
    );
    if (!call.allowed) throw new Error(`the ledger refuses: ${call.limit}`);
    await sleep(isLate ? 4 * SHORT_TTL_MS : random.integer(0, 10));
    if (isLate) {
      // It was charged in full when it expired; to settle it now must change nothing.
      endAgain(call);
      tally.confirm(estimate, estimate);
      return tally.count("late");
    }
    const actual = random.integer(0, estimate + 1);
    call.settle({ tokens: actual });
    tally.confirm(estimate, actual);
  }

  /** Uses names of which there are more than the limiter has room for. */
  function useCold(times: number): void {
    for (let i = 0; i < times; i++) {
      const name = `cold ${random.integer(0, NAMES)}`;
      const kind = random.next();
      if (kind < 0.9) limiter.take(name, { tokens: tokens(), concurrent: 0 });
      else if (kind < 0.93) limiter.reset(name);
      else if (kind < 0.96) limiter.tighten(name, "tokens", random.integer(0, 100));
      else if (limiter.forget(name)) tally.count("keysForgotten");
    }
  }

  function changeLimits(): void {
    tally.count("limitsSet");
    limiter.setLimits(keys[CHANGING]!, limitsOf(random.pick([0.5, 0.75, 1])));
    const tiered = `tiered ${random.integer(0, TIERED)}`;
    limiter.setLimits(tiered, random.next() < 0.5 ? limitsOf(0.25) : undefined);
    if (random.next() < 0.3 && limiter.forget(tiered)) tally.count("keysForgotten");
  }
};
