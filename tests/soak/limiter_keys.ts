/**
 * The soak of the limiter's table of keys: ten million names through a limiter with room for a million, then ten million
 * in one limiter at once. The first must evict idle keys and reach a plateau of memory; the second reports its memory.
 *
 *     bun tests/soak/limiter_keys.ts
 *     deno run -A tests/soak/limiter_keys.ts
 *
 * @module
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { quota, rate, RateLimiter } from "../../mod.ts";
import { runtimeVersion } from "../../bench/machine.ts";
import { alignRight } from "../../bench/text_table.ts";

/** Growth of the resident set over the second half of the names that counts as a leak. */
const MOST_GROWTH = 0.02;
const SAMPLES = 100;
const ROWS = 10;

const { values } = parseArgs({
  args: process.argv.slice(2),
  options: { keys: { type: "string", default: "10000000" } },
});
const total = Number(values.keys);
if (!Number.isInteger(total) || total < 10 * SAMPLES) {
  throw new RangeError(`--keys must be an integer from ${10 * SAMPLES}, not ${values.keys}`);
}

/** One sample, taken after each hundredth of the names. */
interface Sample {
  readonly names: number;
  readonly keys: number;
  readonly evicted: number;
  readonly rss: number;
}

function run(prefix: string, limiter: RateLimiter): Sample[] {
  const samples: Sample[] = [];
  for (let sample = 1; sample <= SAMPLES; sample++) {
    const from = Math.floor(total * (sample - 1) / SAMPLES);
    const names = Math.floor(total * sample / SAMPLES);
    for (let i = from; i < names; i++) {
      if (!limiter.take(prefix + i).allowed) throw new Error(`the key ${prefix}${i} is not new`);
    }
    const { keys, evicted, refused } = limiter.stats();
    if (refused > 0) throw new Error(`${refused} keys were refused for lack of room`);
    samples.push({ names, keys, evicted, rss: process.memoryUsage().rss });
  }
  return samples;
}

/** The peak of a range of samples. */
function peak(samples: readonly Sample[], from: number, to: number): number {
  return Math.max(...samples.slice(from, to).map(({ rss }) => rss));
}

const number = (value: number) => value.toLocaleString("en");
const megabytes = (bytes: number) => number(Math.round(bytes / 2 ** 20));

function show(title: string, samples: readonly Sample[], ms: number): void {
  console.log(`\n${title}, ${(ms / 1000).toFixed(1)} s`);
  const rows = samples
    .filter((_, i) => (i + 1) % (SAMPLES / ROWS) === 0)
    .map(({ names, keys, evicted, rss }) => [
      number(names),
      number(keys),
      number(evicted),
      megabytes(rss),
    ]);
  for (const line of alignRight([["names", "keys", "evicted", "RSS in MB"], ...rows])) {
    console.log(`  ${line}`);
  }
}

console.log(`soak of the keys of a limiter, ${runtimeVersion()}, ${number(total)} names`);

let started = performance.now();
const room = Math.ceil(total / 10);
const passing = new RateLimiter({
  name: "soak: keys that pass",
  // Idle again after a millisecond.
  limits: { r: rate({ limit: 1, per: "1ms" }) },
  maxKeys: room,
});
const passed = run("pass ", passing);
passing.close();
show(`through a table of ${number(room)} keys`, passed, performance.now() - started);
// Peaks of the last two quarters: single samples go up and down with the garbage collector.
const grown = peak(passed, SAMPLES * 3 / 4, SAMPLES) / peak(passed, SAMPLES / 2, SAMPLES * 3 / 4) -
  1;
console.log(`  RSS over the second half: ${(100 * grown).toFixed(2)} %`);

started = performance.now();
const before = process.memoryUsage().rss;
const staying = new RateLimiter({
  name: "soak: keys that stay",
  limits: { q: quota({ limit: 1, per: "month" }) },
  maxKeys: total,
});
const stayed = run("stay ", staying);
show("all keys at once", stayed, performance.now() - started);
const each = (peak(stayed, SAMPLES - 1, SAMPLES) - before) / total;
console.log(`  about ${Math.round(each)} bytes a key`);
const { keys, evicted } = staying.stats();
staying.close();

const faults: string[] = [];
if (passed.at(-1)!.keys > room) faults.push("more keys than maxKeys");
// With fewer names the growth of the runtime's own heap dominates.
if (total >= 5_000_000 && grown > MOST_GROWTH) {
  faults.push(`the resident set grew by ${(100 * grown).toFixed(2)} %`);
}
if (keys !== total || evicted !== 0) {
  faults.push(`${keys} keys are in the table, ${evicted} were evicted`);
}
for (const fault of faults) console.log(`  VIOLATED: ${fault}`);
console.log(faults.length === 0 ? "  all invariants held" : "  invariants were violated");
process.exitCode = faults.length === 0 ? 0 : 1;
