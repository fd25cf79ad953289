/** All scenarios of the rig. */
import { CLOCKS } from "./clocks.ts";
import { CLUSTER } from "./cluster.ts";
import { GATEWAYS } from "./gateways.ts";
import { KINDS } from "./kinds.ts";
import { NETWORK } from "./network.ts";
import type { Scenario } from "./scenario.ts";
import { SERVER } from "./server.ts";
import { WORKERS } from "./workers.ts";

export const SCENARIOS: readonly Scenario[] = [
  ...GATEWAYS,
  ...SERVER,
  ...NETWORK,
  ...CLOCKS,
  ...CLUSTER,
  ...KINDS,
  ...WORKERS,
];
