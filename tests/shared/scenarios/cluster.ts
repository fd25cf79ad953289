/** A cluster of three masters, one of which gives its place to its replica under load. */
import { StoreCluster } from "../../support/store_cluster.ts";
import { INSTALLED } from "../../support/store_server.ts";
import type { Bound } from "../checker.ts";
import { Rig } from "../rig.ts";
import {
  BURST,
  type Conditions,
  judgeRate,
  KEPT,
  type Outcome,
  PER_MS,
  RATE,
  type Scenario,
  SHARED,
  waiter,
  WAVE_MS,
} from "./scenario.ts";

/** The writes of the last moments are lost: replication is asynchronous. */
const TWICE: Bound = { burst: 2 * BURST, perMs: PER_MS };

async function run(
  { limiter, stretch, turn }: Conditions,
  bound: Bound,
  leastUsed: number,
  ms: number,
  fault: (cluster: StoreCluster, master: number) => Promise<unknown>,
): Promise<Outcome> {
  await using cluster = await StoreCluster.start(INSTALLED[turn % INSTALLED.length]);
  await using rig = await Rig.start({
    stores: cluster.ports,
    limiter,
    limits: { rps: RATE },

    shared: SHARED,
  });
  const wait = waiter(stretch);
  const result = await rig.run({
    ms: ms * stretch,
    faults: async () => {
      await wait(WAVE_MS);
      await fault(cluster, await masterOfTraffic(cluster));
    },
  });
  return judgeRate(result, bound, leastUsed);
}

/** The master that has the keys of the limiter: the only ones that there are. */
async function masterOfTraffic(cluster: StoreCluster): Promise<number> {
  for (const [index, node] of cluster.nodes.slice(0, 3).entries()) {
    if (await node.command("dbsize") !== "0") return index;
  }
  throw new Error("The limiter has written no key");
}

export const CLUSTER: readonly Scenario[] = [
  {
    name: "CLUSTER FAILOVER under load",
    row: "burst + rate * W",
    run: (conditions) =>
      run(conditions, KEPT, 30, 4000, (cluster, master) => {
        return cluster.nodes[master + 3]!.command("cluster", "failover");
      }),
  },
  {
    name: "kill -9 of a master, whose replica takes over",
    row: "2 * burst + rate * W",
    run: (conditions) =>
      run(conditions, TWICE, 20, 5000, (cluster, master) => cluster.nodes[master]!.kill()),
  },
];
