/**
 * Adapters of Redis clients to one verb: run a script by its hash, and by its text where the server lacks it.
 *
 * Clients are recognized by their methods. Nothing is imported, so no client is a dependency. An adapter never
 * retries beyond that one step, and has no timeout: see `flights.ts`.
 *
 * @module
 */
import { show } from "../errors.ts";

/** A client of `ioredis` or `iovalkey`, of one server or of a cluster. */
export interface IoredisClient {
  /** Runs a script by its SHA-1. */
  evalsha(sha: string, keyCount: number, ...keysAndArguments: string[]): Promise<unknown>;
  /** Runs a script by its text. */
  eval(source: string, keyCount: number, ...keysAndArguments: string[]): Promise<unknown>;
}

/** What `node-redis` takes beside a script. */
export interface NodeRedisScriptCall {
  /** The keys of the script. */
  keys: string[];
  /** The other arguments of the script. */
  arguments: string[];
}

/** A client of `redis` (node-redis), of one server or of a cluster. */
export interface NodeRedisClient {
  /** Runs a script by its SHA-1. */
  evalSha(sha: string, options: NodeRedisScriptCall): Promise<unknown>;
  /** Runs a script by its text. */
  eval(source: string, options: NodeRedisScriptCall): Promise<unknown>;
}

/** A client as `Bun.redis` is one. It has no cluster mode. */
export interface CommandClient {
  /** Sends a command. */
  send(command: string, args: string[]): Promise<unknown>;
  /** Connects again after the client has given up. */
  connect(): Promise<unknown>;
  /** Whether it is connected. */
  readonly connected?: boolean;
}

/** Any other client. */
export interface ScriptClient {
  /**
   * Runs a script and resolves to its reply. On a server that answers `NOSCRIPT` it must run the script by its
   * text. All keys of a call have the same hash tag, so they are of one slot of a cluster.
   *
   * @param sha The SHA-1 of the script in hexadecimal digits.
   * @param source The text of the script.
   * @param keys The keys of the script.
   * @param args The other arguments of the script.
   */
  run(
    sha: string,
    source: string,
    keys: readonly string[],
    args: readonly string[],
  ): Promise<string>;
}

/** A client that is connected to Valkey or Redis. */
export type SharedClient = IoredisClient | NodeRedisClient | CommandClient | ScriptClient;

/** Runs a script. */
export type RunScript = ScriptClient["run"];

/**
 * Returns the verb of a client.
 *
 * @throws {TypeError} The value has none of the methods.
 */
export function runnerOf(client: unknown): RunScript {
  if (hasMethods<ScriptClient>(client, "run")) {
    return async (sha, source, keys, args) => textOf(await client.run(sha, source, keys, args));
  }
  if (hasMethods<NodeRedisClient>(client, "evalSha", "eval")) return nodeRedis(client);
  // Before that of ioredis: Bun's client has both, and `send` is what it documents for scripts.
  if (hasMethods<CommandClient>(client, "send", "connect")) return commands(client);
  if (hasMethods<IoredisClient>(client, "evalsha", "eval")) return ioredis(client);
  throw new TypeError(
    "client must be one of ioredis, iovalkey, node-redis or Bun.redis, or have a method run, " +
      `not ${show(client)}`,
  );
}

/** Whether a value has all methods. Reading a Proxy may throw. */
function hasMethods<Client extends object>(
  value: unknown,
  ...names: (keyof Client & string)[]
): value is Client {
  if (value === null || (typeof value !== "object" && typeof value !== "function")) return false;
  return names.every((name) => typeof (value as Record<string, unknown>)[name] === "function");
}

function ioredis(client: IoredisClient): RunScript {
  return (sha, source, keys, args) =>
    bySha(
      () => client.evalsha(sha, keys.length, ...keys, ...args),
      () => client.eval(source, keys.length, ...keys, ...args),
    );
}

function nodeRedis(client: NodeRedisClient): RunScript {
  return (sha, source, keys, args) => {
    const options = { keys: [...keys], arguments: [...args] };
    return bySha(() => client.evalSha(sha, options), () => client.eval(source, options));
  };
}

function commands(client: CommandClient): RunScript {
  return async (sha, source, keys, args) => {
    const rest = [String(keys.length), ...keys, ...args];
    try {
      return await bySha(
        () => client.send("EVALSHA", [sha, ...rest]),
        () => client.send("EVAL", [source, ...rest]),
      );
    } catch (error) {
      // It gives up after some retries, and after an idle time. The next call finds it connected.
      if (client.connected === false) client.connect().catch(() => {});
      throw error;
    }
  };
}

/**
 * Runs a script by its hash, and by its text on a server that does not have it: one that was restarted or has
 * been promoted. A client of a cluster sends both to the same server, because the keys are the same.
 */
async function bySha(
  bySha: () => Promise<unknown>,
  bySource: () => Promise<unknown>,
): Promise<string> {
  try {
    return textOf(await bySha());
  } catch (error) {
    if (!messageOf(error).startsWith("NOSCRIPT")) throw error;
    return textOf(await bySource());
  }
}

/** A client may be set to answer in bytes. */
function textOf(reply: unknown): string {
  if (typeof reply === "string") return reply;
  if (reply instanceof Uint8Array) return new TextDecoder().decode(reply);
  throw new TypeError(`the client must answer a script with a string, not ${show(reply)}`);
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  if (error instanceof Error) return error.message;
  return typeof error === "string" ? error : show(error);
}
