/**
 * The soak of the limiter: Workers take, reserve, settle, cancel, forget and change limits at random and are killed
 * at random. The invariants: no window admits more than `burst + rate * W`, no concurrency limit is exceeded, a
 * ledger adds up to the token, and every reservation comes back.
 *
 *     bun tests/soak/limiter.ts --minutes 10
 *     deno run -A tests/soak/limiter.ts --minutes 10
 *
 * @module
 */
import { type Watched, WindowCheck } from "./admissions.ts";
import { minutesArgument, number, Soak, until, WORKERS } from "./harness.ts";
import {
  CHANGING,
  KEYS,
  LIVE,
  MAX_KEYS,
  MOST_TOKENS,
  openLedger,
  openSoak,
  REQUESTS_BURST,
  REQUESTS_PER_SECOND,
  SUM,
  TOKENS_BURST,
  TOKENS_PER_SECOND,
  TTL_MS,
  UNITS,
} from "./limiter_limits.ts";
import { FAULTS, LimiterTally } from "./limiter_tally.ts";
import type { SoakOrder } from "./limiter_worker.ts";

const TASKS = 16;

// Noon in this time zone, so that the ledger's day does not end during the run.
const utcOffset = 720 - Math.floor(Date.now() / 60_000) % 1440;
const limiter = openSoak();
const ledger = openLedger(utcOffset);
const tally = new LimiterTally(WORKERS);
const keys = KEYS.map((name) => limiter.key(name));
/** One call of each Worker, and one millisecond for the difference of their clocks. */
const watched = (burst: number, perSecond: number, most: number): Watched => ({
  burst,
  perMs: perSecond / 1000,
  slack: WORKERS * most + perSecond / 1000,
});
const windows = new WindowCheck(
  tally.admissions,
  KEYS.flatMap(() => [
    watched(REQUESTS_BURST, REQUESTS_PER_SECOND, 1),
    watched(TOKENS_BURST, TOKENS_PER_SECOND, MOST_TOKENS),
  ]),
);
const soak = new Soak({
  name: "limiter",
  worker: new URL("limiter_worker.ts", import.meta.url),
  minutes: minutesArgument(),
  inUse: tally.inUse,
  order: (row): SoakOrder => ({
    workers: WORKERS,
    row,
    tasks: TASKS,
    utcOffset,
    shared: tally.shared,
  }),
  check,
  progress: () => tally.get("admitted"),
});

function readWindows(): void {
  windows.read((rate, excess) =>
    soak.violated(`a window of ${KEYS[rate >> 1]} had ${excess} ${UNITS[rate % 2]} too much`)
  );
}

function check(): void {
  readWindows();
  keys.forEach((key, i) => {
    // A key whose limits have just been lowered may have used more than its new capacity.
    if (i === CHANGING) return;
    for (const [name, state] of Object.entries(limiter.inspect(key))) {
      const { capacity, used, outstanding, remaining } = state;
      if (used + outstanding > capacity + 1e-6) soak.violated(`${name} is over its capacity`);
      const left = Math.max(0, capacity - used - outstanding);
      if (Math.abs(remaining - left) > 1e-3) soak.violated(`${name} does not add up`);
    }
  });
  const { keys: live, reservations } = limiter.stats();
  if (live > MAX_KEYS) soak.violated("more keys than maxKeys");
  if (reservations > KEYS.length * LIVE) soak.violated("more reservations than concurrency allows");
  // The lower bound is read before and the upper bound after: the ledger grows in between.
  const { least } = tally.ledger;
  const { used } = ledger.inspect(SUM).day;
  const { most } = tally.ledger;
  if (used < least) soak.violated("the ledger has too little");
  if (used > most) soak.violated("the ledger has too much");
}

await soak.run();
// The last bins become readable, and forgotten reservations expire.
await until(() => false, 5000, readWindows);
const open = () => limiter.stats().reservations + ledger.stats().reservations;
await until(() => open() === 0, TTL_MS + 5000, readWindows);
if (open() > 0) soak.violated(`${open()} reservations did not come back`);
const held = keys.flatMap((key) => Object.values(limiter.inspect(key)))
  .reduce((sum, { outstanding }) => sum + outstanding, 0);
if (held > 0) soak.violated(`${held} units are still held`);
const { least, most } = tally.ledger;
const { used } = ledger.inspect(SUM).day;
if (used < least || used > most) {
  soak.violated(`the ledger has ${used}, not from ${least} to ${most}`);
}
for (const fault of FAULTS) {
  if (tally.get(fault) > 0) soak.violated(`counted by Workers: ${fault}`, tally.get(fault));
}
if (windows.total === 0) soak.violated("no window was checked");

const of = (what: Parameters<LimiterTally["get"]>[0]) => number(tally.get(what));
const stats = limiter.stats();
soak.report([
  `${of("admitted")} taken, ${of("denied")} denied, ${of("reserved")} reserved`,
  `${of("settled")} settled, ${of("cancelled")} cancelled, ${of("toppedUp")} topped up, ` +
  `${of("forgotten")} forgotten, ${of("late")} settled too late, ${of("doubled")} ended twice`,
  `${number(stats.keys)} of ${number(MAX_KEYS)} keys, ${number(stats.evicted)} evicted, ` +
  `${of("noRoom")} refused for lack of room, ${of("keysForgotten")} forgotten, ` +
  `${of("limitsSet")} limits set`,
  `${number(stats.expired)} reservations expired`,
  `fullest window: ${(100 * windows.fullest).toFixed(1)} % of its burst, beyond what the rate ` +
  `restored; ${number(windows.skipped)} ms not checked`,
  `the ledger has ${number(used)} tokens; expected ${number(least)} to ${number(most)}`,
  `left: ${open()} reservations, ${held} units`,
]);
