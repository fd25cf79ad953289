/**
 * The examination of a store by `sluice doctor --redis`: every primary is checked, and the script is run.
 *
 * @module
 */
import { nameOf, parseAddress } from "./address.ts";
import { type Check, checkServer, parseInfo } from "./checks.ts";
import { checkClock } from "./clock.ts";
import type { StoreConnection } from "./connection.ts";
import { StoreNodes } from "./nodes.ts";
import { StoreError } from "./resp.ts";
import { checkScript, type Latency } from "./script.ts";

/** What was found. */
export interface StoreFindings {
  /** "host:port", without the password. */
  readonly address: string;
  readonly checks: readonly Check[];
  /** Missing if the script does not work. */
  readonly latencyMs?: Latency;
}

/**
 * Examines the store at a URL.
 *
 * @param prefix The prefix of the keys, as for `valkey()`. What is written under it is removed.
 * @throws {UsageError} If the URL is wrong.
 */
export async function examineStore(url: string, prefix: string): Promise<StoreFindings> {
  const parsed = parseAddress(url);
  const address = nameOf(parsed);
  let nodes: StoreNodes;
  try {
    nodes = await StoreNodes.open(parsed);
  } catch (error) {
    const { message } = error as Error;
    const advice = "start the server, or correct the address, the user and the password";
    return { address, checks: [{ name: "connection", level: "fail", finding: message, advice }] };
  }
  using _ = nodes;
  const servers: Check[][] = [];
  for (const connection of nodes.connections) servers.push(await checkNode(connection));
  const names = nodes.connections.map(({ name }) => name);
  const { checks, latencyMs } = await checkScript(nodes, `${prefix}-doctor`);
  return {
    address,
    checks: [topology(nodes), ...merged(servers, names), ...checks],
    ...latencyMs === undefined ? {} : { latencyMs },
  };
}

/** The checks of one server. */
async function checkNode(connection: StoreConnection): Promise<Check[]> {
  try {
    const info = parseInfo(await connection.text("INFO"));
    return [...checkServer(info), await checkClock(connection)];
  } catch (error) {
    const level = error instanceof StoreError ? "warn" : "fail";
    const advice = "permit INFO and TIME to this user, or ask the server's operator";
    return [{ name: "server", level, finding: (error as Error).message, advice }];
  }
}

function topology(nodes: StoreNodes): Check {
  const count = nodes.connections.length;
  const finding = nodes.isCluster ? `cluster of ${count} primaries` : "one server, no cluster";
  return { name: "topology", level: "ok", finding };
}

/** One check for all servers where they agree, and one for each server where they do not. */
function merged(servers: readonly (readonly Check[])[], names: readonly string[]): Check[] {
  const all = servers.flatMap((checks, i) => checks.map((check) => ({ check, server: names[i]! })));
  const kinds = new Set(all.map(({ check }) => check.name));
  return [...kinds].flatMap((kind) => {
    const group = all.filter(({ check }) => check.name === kind);
    const isSame = group.length === servers.length &&
      group.every(({ check }) => check.finding === group[0]!.check.finding);
    if (isSame) return [group[0]!.check];
    return group.map(({ check, server }) => ({ ...check, finding: `${server}: ${check.finding}` }));
  });
}
