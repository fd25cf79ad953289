/**
 * Starts and stops the processes of the gateway bench; all of them on the loopback interface.
 *
 * @module
 */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { createServer } from "node:net";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type RuntimeName, runtimeName } from "../machine.ts";
import { executable } from "../runtimes.ts";
import type { Variant } from "./variants.ts";

const run = promisify(execFile);

/** Servers that are up; none may outlive an interrupted bench. */
const running = new Set<ChildProcess>();
process.once("exit", () => running.forEach((child) => child.kill("SIGKILL")));
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));

/** A server of ours in another process. */
export interface Server {
  readonly url: string;
  stop(): Promise<void>;
}

/** What the load generator saw. */
export interface Load {
  readonly requestsPerSecond: number;
  /** Milliseconds; autocannon resolves no less than one. */
  readonly p50: number;
  readonly p99: number;
  readonly failed: number;
}

/** Starts the upstream, always under Bun. */
export function startUpstream(): Promise<Server> {
  return start("bun", "upstream.ts", {});
}

/** Starts a gateway under this runtime. */
export function startGateway(upstream: Server, variant: Variant): Promise<Server> {
  return start(runtimeName(), "server.ts", { UPSTREAM: upstream.url, VARIANT: variant });
}

async function start(
  runtime: RuntimeName,
  name: string,
  environment: Record<string, string>,
): Promise<Server> {
  const port = await freePort();
  const file = fileURLToPath(new URL(name, import.meta.url));
  const args = runtime === "bun"
    ? [file]
    : ["serve", "-A", "--quiet", "--host", "127.0.0.1", "--port", String(port), file];
  const child = spawn(executable(runtime), args, {
    env: { ...process.env, ...environment, PORT: String(port) },
    stdio: ["ignore", "ignore", "inherit"],
  });
  running.add(child);
  child.once("exit", () => running.delete(child));
  const url = `http://127.0.0.1:${port}/`;
  await answering(child, `${url}stats`, name);
  return { url, stop: () => stopped(child) };
}

/** Loading a tokenizer takes seconds in some of the variants. */
async function answering(child: ChildProcess, url: string, name: string): Promise<void> {
  for (const end = Date.now() + 60_000; Date.now() < end;) {
    if (child.exitCode !== null) throw new Error(`${name} ended with code ${child.exitCode}`);
    try {
      await (await fetch(url)).arrayBuffer();
      return;
    } catch {
      // Nobody listens yet.
      await sleep(20);
    }
  }
  await stopped(child);
  throw new Error(`${name} did not answer within a minute`);
}

async function stopped(child: ChildProcess): Promise<void> {
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

/** Sends load; `extent` is seconds, or a number of requests with an "x". */
export async function sendLoad(url: string, bodies: string, extent: string): Promise<Load> {
  const file = fileURLToPath(new URL("load.mjs", import.meta.url));
  const connections = "16";
  const { stdout } = await run("node", [file, url, bodies, connections, extent]);
  return JSON.parse(stdout) as Load;
}
