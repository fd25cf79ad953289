/**
 * The encoding of what a limiter shares with other processes, around that of its own options.
 *
 * @module
 */
import type { LimiterConfig } from "./config.ts";
import {
  OUTAGE_CLOSED,
  OUTAGE_OPEN,
  OUTAGE_SHARE,
  SHARED_AUTO,
  SHARED_EXACT,
  SHARED_HEADER,
  SHARED_HEADER_IS_STRICT,
  SHARED_HEADER_LEASE_MS,
  SHARED_HEADER_MODE,
  SHARED_HEADER_PROCESSES,
  SHARED_HEADER_TIMEOUT_MS,
  SHARED_LEASED,
} from "../ffi/symbols.gen.ts";
import type { LimitDefinition } from "./limit_definitions.ts";
import type { OnOutage, SharedSettings } from "../shared/transport.ts";

const MODES = { exact: SHARED_EXACT, auto: SHARED_AUTO, leased: SHARED_LEASED };
const OUTAGES = { share: OUTAGE_SHARE, closed: OUTAGE_CLOSED, open: OUTAGE_OPEN };
/** What each kind of limit does in an outage. Money is not spent without the store. */
const ON_OUTAGE: Readonly<Record<LimitDefinition["kind"], OnOutage>> = {
  rate: "share",
  quota: "closed",
  concurrency: "share",
};

/** Returns a configuration with what is shared. */
export function withSharing(
  { text, numbers, limits }: LimiterConfig,
  settings: SharedSettings,
): Pick<LimiterConfig, "text" | "numbers"> {
  const all = new Float64Array(
    new ArrayBuffer(8 * (SHARED_HEADER + numbers.length + limits.length)),
  );
  all[SHARED_HEADER_MODE] = MODES[settings.mode];
  all[SHARED_HEADER_IS_STRICT] = settings.onLoss === "strict" ? 1 : 0;
  all[SHARED_HEADER_PROCESSES] = settings.processes;
  all[SHARED_HEADER_LEASE_MS] = settings.leaseMs;
  all[SHARED_HEADER_TIMEOUT_MS] = settings.timeoutMs;
  all.set(numbers, SHARED_HEADER);
  limits.forEach(({ kind, onOutage }, i) => {
    const rule = onOutage ?? settings.onOutage ?? ON_OUTAGE[kind];
    all[SHARED_HEADER + numbers.length + i] = OUTAGES[rule];
  });
  return { text: `${text}\0${settings.prefix}`, numbers: all };
}
