/**
 * The load of the rig: requests at a given rate, whether or not earlier ones were answered, to each gateway in turn.
 *
 *     bun tests/shared/load.ts '{"ports": [8001], ...}'
 *
 * It prints its report when all requests have ended.
 *
 * @module
 */
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { type LoadReport, type LoadSettings, settingsOf } from "./settings.ts";

const TICK_MS = 5;

const settings = settingsOf<LoadSettings>(process.argv);
const { ports, phases, patienceMs } = settings;
const cycle = phases.reduce((sum, { ms }) => sum + ms, 0);
const counts = { sent: 0, admitted: 0, denied: 0, unreachable: 0, endless: 0, slowestMs: 0 };
const errors = new Set<string>();
const reasons: Record<string, number> = {};

/** A generator of numbers in [0, 1), so that each run asks the same (mulberry32). */
let state = 1;
function random(): number {
  state = (state + 0x6d2b79f5) | 0;
  let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
}

function perSecondAt(ms: number): number {
  let rest = ms % cycle;
  for (const phase of phases) {
    if (rest < phase.ms) return phase.perSecond;
    rest -= phase.ms;
  }
  return 0;
}

async function request(port: number): Promise<void> {
  const began = performance.now();
  try {
    const response = await fetch(`http://127.0.0.1:${port}/`, {
      method: "POST",
      signal: AbortSignal.timeout(patienceMs),
      headers: {
        "x-key": settings.key,
        "x-cost": String(1 + Math.floor(random() * settings.cost)),
        "x-hold": String(Math.floor(random() * settings.holdMs)),
      },
    });
    const text = await response.text();
    if (response.status === 200) counts.admitted++;
    else if (response.status === 429) {
      counts.denied++;
      reasons[text] = (reasons[text] ?? 0) + 1;
    } else errors.add(text);
    counts.slowestMs = Math.max(counts.slowestMs, performance.now() - began);
  } catch {
    if (performance.now() - began >= patienceMs) counts.endless++;
    else counts.unreachable++;
  }
}

const open = new Set<Promise<void>>();
const start = performance.now();
let due = 0;
for (let now = 0; now < settings.ms; now = performance.now() - start) {
  for (; counts.sent < due; counts.sent++) {
    const one = request(ports[counts.sent % ports.length]!).finally(() => open.delete(one));
    open.add(one);
  }
  const before = performance.now() - start;
  await sleep(TICK_MS);
  const after = performance.now() - start;
  due += (after - before) * perSecondAt(before) / 1000;
}
await Promise.all(open);
const report: LoadReport = { ...counts, errors: [...errors], reasons };
console.log(JSON.stringify(report));
process.exit(0);
