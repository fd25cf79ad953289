/**
 * Starts and stops the processes of the bench `gateway`, all of them on the loopback interface.
 *
 * @module
 */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { createServer } from "node:net";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { RuntimeName } from "../machine.ts";
import { executable } from "../runtimes.ts";

const run = promisify(execFile);
const SERVER = fileURLToPath(new URL("server.ts", import.meta.url));
const LOAD = fileURLToPath(new URL("load.mjs", import.meta.url));
const CONNECTIONS = "16";
const START_MS = 60_000;

/** Running servers; none may outlive an interrupted bench. */
const running = new Set<ChildProcess>();
process.once("exit", () => running.forEach((child) => child.kill("SIGKILL")));
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));

/** A server in another process. */
export interface Server {
  readonly url: string;
  stop(): Promise<void>;
}

/** What the load generator measured. */
export interface Load {
  readonly requestsPerSecond: number;
  /** Milliseconds; the resolution of autocannon is one. */
  readonly p50: number;
  readonly p99: number;
  readonly failed: number;
}

/** Starts a server with these variables in its environment. */
export async function startServer(
  runtime: RuntimeName,
  environment: Record<string, string>,
): Promise<Server> {
  const port = String(await freePort());
  const args = runtime === "bun"
    ? [SERVER]
    : ["serve", "-A", "--quiet", "--host", "127.0.0.1", "--port", port, SERVER];
  const child = spawn(executable(runtime), args, {
    env: { ...process.env, ...environment, PORT: port },
    stdio: ["ignore", "ignore", "inherit"],
  });
  running.add(child);
  child.once("exit", () => running.delete(child));
  const url = `http://127.0.0.1:${port}/`;
  for (const end = Date.now() + START_MS; Date.now() < end; await sleep(20)) {
    if (child.exitCode !== null) throw new Error(`a server ended with code ${child.exitCode}`);
    try {
      await (await fetch(url)).arrayBuffer();
      return { url, stop: () => stop(child) };
    } catch {
      // It does not listen yet.
    }
  }
  await stop(child);
  throw new Error(`a server did not answer within ${START_MS} ms`);
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await exit;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" ? address!.port : 0));
    });
  });
}

/** Sends load; `extent` is in seconds, or a number of requests with an "x". */
export async function sendLoad(url: string, bodies: string, extent: string): Promise<Load> {
  const { stdout } = await run("node", [LOAD, url, bodies, CONNECTIONS, extent]);
  return JSON.parse(stdout) as Load;
}
