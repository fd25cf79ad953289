/**
 * One of the processes that share a limit. Started by `fleet.ts` with an order; it begins at the first line of its input, and
 * prints what came of its load.
 *
 * @module
 */
import { once } from "node:events";
import process from "node:process";
import { openContender } from "./contenders.ts";
import type { Order } from "./fleet.ts";
import { pace } from "./pace.ts";
import { connect } from "./store.ts";

const { name, port, limit, offered, ms } = JSON.parse(process.argv[2]!) as Order;
const client = await connect(port);
const decider = openContender(name, client, limit);
console.log("ready");
await once(process.stdin, "data");
const result = await pace(decider, ["hot"], offered, ms);
console.log(JSON.stringify(result));
await decider.close?.();
process.exit(0);
