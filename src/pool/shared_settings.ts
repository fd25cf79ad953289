/**
 * The option `shared` of a pool: checked, and packed into numbers.
 *
 * @module
 */
import { show } from "../errors.ts";
import {
  OUTAGE_CLOSED,
  OUTAGE_OPEN,
  OUTAGE_SHARE,
  POOL_SHARED_SETTING_LEASE_MS,
  POOL_SHARED_SETTING_OUTAGE,
  POOL_SHARED_SETTING_PREFIX,
  POOL_SHARED_SETTING_PROCESSES,
  POOL_SHARED_SETTING_SPARE,
  POOL_SHARED_SETTING_STRICT,
  POOL_SHARED_SETTING_TIMEOUT_MS,
  POOL_SHARED_SETTINGS,
} from "../ffi/symbols.gen.ts";
import { fnv1a, SharedTransport } from "../shared/transport.ts";
import type { PoolOptions } from "./options.ts";

const OUTAGES = { share: OUTAGE_SHARE, closed: OUTAGE_CLOSED, open: OUTAGE_OPEN } as const;
const NOTHING = new Float64Array(0);

/** The numbers of the option, none without it. */
export function packSharing({ shared, name }: PoolOptions): Float64Array {
  const value: unknown = shared;
  if (value === undefined) return NOTHING;
  if (!(value instanceof SharedTransport)) {
    throw new TypeError(`shared must be made by valkey() of "sluice/shared", not ${show(value)}`);
  }
  if (name === undefined) {
    throw new TypeError("name must be given with shared: other processes know the pool by it");
  }
  const { leaseMs, timeoutMs, processes, onOutage, mode, onLoss, prefix } = value.settings;
  const settings = new Float64Array(POOL_SHARED_SETTINGS);
  settings[POOL_SHARED_SETTING_LEASE_MS] = leaseMs;
  settings[POOL_SHARED_SETTING_TIMEOUT_MS] = timeoutMs;
  settings[POOL_SHARED_SETTING_PROCESSES] = processes;
  settings[POOL_SHARED_SETTING_OUTAGE] = OUTAGES[onOutage ?? "share"];
  settings[POOL_SHARED_SETTING_SPARE] = mode === "exact" ? 0 : 1;
  settings[POOL_SHARED_SETTING_STRICT] = onLoss === "strict" ? 1 : 0;
  settings[POOL_SHARED_SETTING_PREFIX] = fnv1a(prefix);
  return settings;
}
