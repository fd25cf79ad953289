/**
 * The primaries of a store: one server, or every primary of a cluster.
 *
 * @module
 */
import { nameOf, type StoreAddress } from "./address.ts";
import { StoreConnection } from "./connection.ts";
import { type Reply, StoreError } from "./resp.ts";

/** A call follows at most this many redirections. */
const MAX_REDIRECTIONS = 5;

/** Connections to the primaries. */
export class StoreNodes implements Disposable {
  readonly isCluster: boolean;
  readonly #address: StoreAddress;
  readonly #connections = new Map<string, StoreConnection>();

  private constructor(address: StoreAddress, isCluster: boolean) {
    this.#address = address;
    this.isCluster = isCluster;
  }

  /** Connects to a server and, if it is one of a cluster, to all primaries. */
  static async open(address: StoreAddress): Promise<StoreNodes> {
    const first = await StoreConnection.open(address);
    try {
      const slots = await clusterSlots(first);
      const nodes = new StoreNodes(address, slots !== undefined);
      if (slots === undefined) {
        nodes.#connections.set(first.name, first);
        return nodes;
      }
      first[Symbol.dispose]();
      try {
        for (const [, , primary] of slots as (readonly Reply[])[]) {
          const [host, port] = primary as readonly Reply[];
          await nodes.#connection(String(host ?? ""), Number(port));
        }
      } catch (error) {
        nodes[Symbol.dispose]();
        throw error;
      }
      return nodes;
    } catch (error) {
      first[Symbol.dispose]();
      throw error;
    }
  }

  /** The connection to each primary. */
  get connections(): readonly StoreConnection[] {
    return [...this.#connections.values()];
  }

  /** Runs a script on the node of its keys, and sends its text where it is not known. */
  async evaluate(
    sha: string,
    source: string,
    keys: readonly string[],
    args: readonly string[],
  ): Promise<string> {
    const rest = [String(keys.length), ...keys, ...args];
    return String(
      await this.#routed(async (connection) => {
        try {
          return await connection.run("EVALSHA", sha, ...rest);
        } catch (error) {
          if (!(error instanceof StoreError && error.kind === "NOSCRIPT")) throw error;
          return await connection.run("EVAL", source, ...rest);
        }
      }),
    );
  }

  /** Deletes a key. */
  async delete(key: string): Promise<void> {
    await this.#routed((connection) => connection.run("DEL", key));
  }

  [Symbol.dispose](): void {
    for (const connection of this.connections) connection[Symbol.dispose]();
  }

  /** Calls with the connection of a node, and again with that of the node to which it is redirected. */
  async #routed(call: (connection: StoreConnection) => Promise<Reply>): Promise<Reply> {
    let connection = this.connections[0]!;
    for (let redirections = 0;; redirections++) {
      try {
        return await call(connection);
      } catch (error) {
        const moved = error instanceof StoreError && /^MOVED \d+ (.*):(\d+)$/.exec(error.message);
        if (!moved || redirections === MAX_REDIRECTIONS) throw error;
        connection = await this.#connection(moved[1]!, Number(moved[2]));
      }
    }
  }

  /** @param host Where it is empty, the node has the host of the server that was asked. */
  async #connection(host: string, port: number): Promise<StoreConnection> {
    // Clusters have database 0 only.
    const address = { ...this.#address, port, ...host === "" ? {} : { host }, database: 0 };
    const known = this.#connections.get(nameOf(address));
    if (known !== undefined) return known;
    const connection = await StoreConnection.open(address);
    this.#connections.set(connection.name, connection);
    return connection;
  }
}

/** The slots of a cluster with their nodes, or undefined for a single server. */
async function clusterSlots(connection: StoreConnection): Promise<readonly Reply[] | undefined> {
  try {
    const slots = await connection.run("CLUSTER", "SLOTS");
    return Array.isArray(slots) && slots.length > 0 ? slots as readonly Reply[] : undefined;
  } catch (error) {
    // No cluster, or this user may not ask; the keys then show where they are.
    if (error instanceof StoreError && error.kind !== "NOAUTH") return undefined;
    throw error;
  }
}
