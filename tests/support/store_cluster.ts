/**
 * A cluster of three masters with a replica each, on 127.0.0.1.
 *
 * @module
 */
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "./free_port.ts";
import { type StoreKind, StoreServer } from "./store_server.ts";

const MASTERS = 3;
const SLOTS = 16_384;
/** A master that is silent for this long is replaced by its replica. */
const NODE_TIMEOUT_MS = 500;
const PATIENCE_MS = 30_000;

export class StoreCluster implements AsyncDisposable {
  /** Masters first; `nodes[i + 3]` is at first the replica of `nodes[i]`. */
  readonly nodes: readonly StoreServer[];

  private constructor(nodes: readonly StoreServer[]) {
    this.nodes = nodes;
  }

  /** Starts the servers and waits until each of them says that all slots are served. */
  static async start(kind?: StoreKind): Promise<StoreCluster> {
    const buses = await Promise.all(Array.from({ length: 2 * MASTERS }, freePort));
    const nodes = await Promise.all(buses.map((bus) => StoreServer.start(options(bus, kind))));
    const cluster = new StoreCluster(nodes);
    try {
      await cluster.#join(buses);
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
    return cluster;
  }

  /** The ports of all nodes. */
  get ports(): number[] {
    return this.nodes.map(({ port }) => port);
  }

  /** The index of the node that serves a key now. */
  async masterOf(key: string): Promise<number> {
    const asked = await this.#alive();
    const slot = Number(await asked.command("cluster", "keyslot", key));
    for (const line of (await asked.command("cluster", "nodes")).split("\n")) {
      const [, address = "", flags = "", , , , , , ...ranges] = line.split(" ");
      if (!flags.includes("master") || flags.includes("fail")) continue;
      const isIts = ranges.some((range) => {
        const [first, last = first] = range.split("-").map(Number);
        return slot >= first! && slot <= last!;
      });
      if (isIts) return this.ports.indexOf(Number(/:(\d+)@/.exec(address)![1]));
    }
    throw new Error(`No master serves ${key}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.nodes.map((node) => node[Symbol.asyncDispose]()));
  }

  async #alive(): Promise<StoreServer> {
    for (const node of this.nodes) {
      try {
        await node.command("ping");
        return node;
      } catch {
        // The next one.
      }
    }
    throw new Error("All nodes of the cluster are dead");
  }

  async #join(buses: readonly number[]): Promise<void> {
    const [first, ...others] = this.nodes as [StoreServer, ...StoreServer[]];
    for (const [index, node] of this.nodes.entries()) {
      if (index < MASTERS) {
        const [from, to] = [index, index + 1].map((part) => Math.ceil(part * SLOTS / MASTERS));
        await node.command("cluster", "addslotsrange", String(from), String(to! - 1));
      }
      // Without different epochs an election between the masters would come first.
      await node.command("cluster", "set-config-epoch", String(index + 1));
    }
    for (const [index, { host, port }] of others.entries()) {
      const bus = String(buses[index + 1]);
      await first.command("cluster", "meet", host, String(port), bus);
    }
    await until(() => this.#all("cluster nodes", (text) => text.split("\n").length === 6));
    for (const [index, node] of this.nodes.entries()) {
      if (index < MASTERS) continue;
      await node.command("cluster", "replicate", await this.#idOf(index - MASTERS));
    }
    await until(async () =>
      await this.#all("cluster info", (text) => text.includes("cluster_state:ok")) &&
      await this.#all("info replication", (text) => /connected_slaves:1|link_status:up/.test(text))
    );
  }

  async #idOf(index: number): Promise<string> {
    return await this.nodes[index]!.command("cluster", "myid");
  }

  async #all(command: string, test: (answer: string) => boolean): Promise<boolean> {
    const answers = this.nodes.map((node) => node.command(...command.split(" ")));
    return (await Promise.all(answers)).every(test);
  }
}

function options(bus: number, kind: StoreKind | undefined) {
  const args = {
    "cluster-enabled": "yes",
    "cluster-config-file": "nodes.conf",
    "cluster-port": String(bus),
    "cluster-node-timeout": String(NODE_TIMEOUT_MS),
    "repl-diskless-sync-delay": "0",
  };
  return {
    ...(kind === undefined ? {} : { kind }),
    args: Object.entries(args).flatMap(([name, value]) => [`--${name}`, value]),
  };
}

async function until(isDone: () => Promise<boolean>): Promise<void> {
  for (const end = performance.now() + PATIENCE_MS; !await isDone(); await sleep(50)) {
    if (performance.now() > end) throw new Error("The cluster did not come up");
  }
}
