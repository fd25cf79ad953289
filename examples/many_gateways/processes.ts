/**
 * Starts gateways in any runtime, as processes that end with this one.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const GATEWAY = fileURLToPath(new URL("gateway.ts", import.meta.url));
type Runtime = "bun" | "deno" | "node";
const HERE: Runtime = "Bun" in globalThis ? "bun" : "Deno" in globalThis ? "deno" : "node";

/** A gateway in another process. */
export interface Gateway {
  readonly url: string;
  /** Ends it as a crash would. */
  kill(): void;
  /** Ends it as a deployment would: it gives back what it holds. */
  stop(): Promise<void>;
}

/** Starts a gateway and waits until it listens. */
export async function startGateway(
  runtime: Runtime,
  storePort: number,
  upstream: string,
): Promise<Gateway> {
  const program = runtime === HERE
    ? process.execPath
    : fileURLToPath(new URL(`../../node_modules/.bin/${runtime}`, import.meta.url));
  const flags = runtime === "deno" ? ["run", "-A", "--no-check"] : [];
  const child = spawn(program, [...flags, GATEWAY, String(storePort), upstream], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const end = once(child, "exit");
  const { value: port } = await createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    .next();
  if (port === undefined) throw new Error(`a gateway in ${runtime} did not start`);
  return {
    url: `http://127.0.0.1:${port}/`,
    kill: () => void child.kill("SIGKILL"),
    async stop() {
      child.stdin.end();
      await end;
    },
  };
}
