/**
 * A soak of the limiter: four Workers take, reserve, settle, cancel, forget and change limits at random,
 * and are killed at random, while what must hold is checked all the time: no window has more than
 * `burst + rate * W`, no more places are held than there are, a ledger adds up to the token, and what
 * is reserved comes back.
 *
 *     bun bench/soak/limiter.ts --minutes 10
 *     deno run -A bench/soak/limiter.ts --minutes 10
 *
 * @module
 */
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { runtimeVersion } from "../machine.ts";
import { type Watched, WindowCheck } from "./admissions.ts";
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

const WORKERS = 4;
const TASKS = 16;
/** Growth of resident memory, from the second fifth of the time to the last, that is no plateau. */
const MOST_GROWTH = 0.25;

const { values } = parseArgs({
  args: process.argv.slice(2),
  options: { minutes: { type: "string", default: "10" } },
});
const milliseconds = Number(values.minutes) * 60_000;

// Noon in this zone, so that the ledger's day does not end meanwhile.
const utcOffset = 720 - Math.floor(Date.now() / 60_000) % 1440;
const limiter = openSoak();
const ledger = openLedger(utcOffset);
const tally = new LimiterTally(WORKERS);
const keys = KEYS.map((name) => limiter.key(name));
/** A call of each Worker, and a millisecond for what their clocks may differ. */
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
const broken = new Map<string, number>();
const workers: Worker[] = [];
let row = 0;

function start(place: number): void {
  row++;
  tally.inUse.begin(place, row);
  const url = new URL("limiter_worker.ts", import.meta.url);
  const worker = new Worker(url, { type: "module" });
  worker.onerror = ({ message }) => void wrong(`a Worker failed: ${message}`);
  worker.postMessage(
    { workers: WORKERS, row, tasks: TASKS, utcOffset, shared: tally.shared } satisfies SoakOrder,
  );
  workers[place] = worker;
}

function kill(place: number): void {
  // It no longer counts, whatever it still does: only then is it killed.
  tally.inUse.end(place);
  workers[place]?.terminate();
}

function wrong(what: string): void {
  broken.set(what, (broken.get(what) ?? 0) + 1);
}

function readWindows(): void {
  windows.read((rate, excess) =>
    wrong(`a window of ${KEYS[rate >> 1]} had ${excess} ${UNITS[rate % 2]} too much`)
  );
}

/** What must hold at every moment. */
function check(): void {
  readWindows();
  keys.forEach((key, i) => {
    for (const [name, state] of Object.entries(limiter.inspect(key))) {
      const { capacity, used, outstanding, remaining } = state;
      // One whose limits have just fallen may have used more than it now has.
      if (i === CHANGING) continue;
      if (used + outstanding > capacity + 1e-6) wrong(`${name} is over its capacity`);
      const left = Math.max(0, capacity - used - outstanding);
      if (Math.abs(remaining - left) > 1e-3) wrong(`${name} does not add up`);
    }
  });
  const { keys: live, reservations } = limiter.stats();
  if (live > MAX_KEYS) wrong("more keys than there is room for");
  if (reservations > KEYS.length * LIVE) wrong("more reservations than there are places");
  // Least before and most after: it grows in between.
  const { least } = tally.ledger;
  const { used } = ledger.inspect(SUM).day;
  const { most } = tally.ledger;
  if (used < least) wrong("the ledger has too little");
  if (used > most) wrong("the ledger has too much");
}

for (let place = 0; place < WORKERS; place++) start(place);
const begin = performance.now();
const end = begin + milliseconds;
const rss = { early: 0, late: 0 };
let kills = 0;
let checks = 0;
let nextKill = begin + 500;
let lastAdmitted = 0;
let lastProgress = begin;
while (performance.now() < end) {
  check();
  checks++;
  const now = performance.now();
  const admitted = tally.get("admitted");
  if (admitted > lastAdmitted) [lastAdmitted, lastProgress] = [admitted, now];
  else if (now - lastProgress > 3000) {
    wrong("nobody was admitted for three seconds");
    lastProgress = now;
  }
  if (now > nextKill) {
    const place = Math.floor(Math.random() * WORKERS);
    kill(place);
    start(place);
    kills++;
    nextKill = now + 200 + Math.random() * 600;
  }
  const share = (now - begin) / milliseconds;
  const resident = process.memoryUsage().rss;
  if (share > 0.2 && share < 0.4) rss.early = Math.max(rss.early, resident);
  if (share > 0.8) rss.late = Math.max(rss.late, resident);
  await sleep(2);
}
const grown = rss.late / rss.early - 1;
// Of a few seconds the start of the runtime is all there is to see.
if (milliseconds >= 60_000 && grown > MOST_GROWTH) {
  wrong(`resident memory grew by ${Math.round(100 * grown)} %`);
}

for (let place = 0; place < WORKERS; place++) kill(place);
// Bins are read up to the last one, and all that was forgotten has expired.
const settled = performance.now() + TTL_MS + 10_000;
const open = () => limiter.stats().reservations + ledger.stats().reservations;
const allRead = performance.now() + 5000;
while (performance.now() < (open() > 0 ? settled : allRead)) {
  readWindows();
  await sleep(10);
}
if (open() > 0) wrong(`${open()} reservations did not come back`);
const held = keys.flatMap((key) => Object.values(limiter.inspect(key)))
  .reduce((sum, { outstanding }) => sum + outstanding, 0);
if (held > 0) wrong(`${held} units are still held`);
const { least, most } = tally.ledger;
const { used } = ledger.inspect(SUM).day;
if (used < least || used > most) wrong(`the ledger has ${used}, not from ${least} to ${most}`);
for (const fault of FAULTS) {
  if (tally.get(fault) > 0) broken.set(`counted by Workers: ${fault}`, tally.get(fault));
}
if (windows.total === 0) wrong("no window was looked at");

const number = (value: number) => value.toLocaleString("en");
const of = (what: Parameters<LimiterTally["get"]>[0]) => number(tally.get(what));
const megabytes = (bytes: number) => `${Math.round(bytes / 2 ** 20)} MB`;
const stats = limiter.stats();
console.log(`limiter soak, ${runtimeVersion()}, ${values.minutes} minutes, ${WORKERS} Workers`);
console.log(`  ${of("admitted")} taken, ${of("denied")} denied, ${of("reserved")} reserved`);
console.log(
  `  ${of("settled")} settled, ${of("cancelled")} cancelled, ${of("toppedUp")} topped up, ` +
    `${of("forgotten")} forgotten, ${of("late")} too late, ${of("doubled")} ended twice`,
);
console.log(
  `  ${number(stats.keys)} of ${number(MAX_KEYS)} keys, ${number(stats.evicted)} idle ones gave ` +
    `way, ${of("noRoom")} found no room, ${of("keysForgotten")} forgotten, ` +
    `${of("limitsSet")} limits set`,
);
console.log(
  `  ${kills} Workers killed; ${number(stats.expired)} reservations expired`,
);
console.log(
  `  fullest window: ${
    (100 * windows.fullest).toFixed(1)
  } % of its burst, over all that came back ` +
    `meanwhile; ${number(windows.skipped)} ms not looked at`,
);
console.log(
  `  the ledger has ${number(used)} tokens, and must have ${number(least)} to ${number(most)}`,
);
console.log(
  `  ${number(checks)} checks; resident ${megabytes(rss.early)} early, ${megabytes(rss.late)} late`,
);
console.log(`  left: ${open()} reservations, ${held} units held`);
for (const [what, times] of broken) console.log(`  BROKEN ${times} times: ${what}`);
console.log(broken.size === 0 ? "  everything held" : "  NOT everything held");
process.exit(broken.size === 0 ? 0 : 1);
