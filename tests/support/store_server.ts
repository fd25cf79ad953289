/**
 * Real Valkey and Redis servers for tests: each a process of its own on 127.0.0.1, in a directory of its own, that can be
 * killed, stopped, and started again with or without its data.
 *
 * @module
 */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { endWithThisProcess } from "./end_with_this_process.ts";
import { freePort } from "./free_port.ts";
import { lacking } from "./lacking.ts";
import { isOnPath } from "./on_path.ts";

const run = promisify(execFile);

/** The two servers that limits can be shared through. */
export type StoreKind = "valkey" | "redis";

/** The servers that are installed here, the preferred one first. */
export const INSTALLED: readonly StoreKind[] = (["valkey", "redis"] as const).filter((kind) =>
  isOnPath(`${kind}-server`)
);

/** Why tests with a store are skipped, for the option `skip` of `node:test`; false if there is a server. */
export const NO_STORE: string | false = INSTALLED.length > 0 ? false : lacking(
  "neither valkey-server nor redis-server is installed (scripts/install_servers.ts installs them)",
);

/** How long a server may take to start, and a command to be answered. Generous: it is no part of what is tested. */
const PATIENCE_MS = 15_000;

/** What differs from an empty server without persistence. */
export interface StoreServerOptions {
  /** The preferred server that is installed by default. */
  readonly kind?: StoreKind;
  /** An append-only file that is synced with each write, so that a kill loses nothing. */
  readonly isDurable?: boolean;
  /** More arguments of the server. */
  readonly args?: readonly string[];
  /** More variables of its environment. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** One server. `await using` stops it and removes its files. */
export class StoreServer implements AsyncDisposable {
  readonly kind: StoreKind;
  readonly host = "127.0.0.1";
  readonly port: number;
  /** Where its files are. */
  readonly directory: string;
  readonly #options: StoreServerOptions;
  #child: ChildProcess | undefined;

  private constructor(kind: StoreKind, port: number, options: StoreServerOptions) {
    this.kind = kind;
    this.port = port;
    this.#options = options;
    this.directory = mkdtempSync(join(tmpdir(), `sluice-${kind}-`));
  }

  /** Starts a server and waits until it answers. */
  static async start(options: StoreServerOptions = {}): Promise<StoreServer> {
    const kind = options.kind ?? INSTALLED[0];
    if (kind === undefined) throw new Error(String(NO_STORE));
    for (let attempt = 1;; attempt++) {
      const server = new StoreServer(kind, await freePort(), options);
      try {
        await server.#launch();
        return server;
      } catch (error) {
        await server[Symbol.asyncDispose]();
        // Somebody else may have taken the port in between.
        if (attempt === 3) throw error;
      }
    }
  }

  /** The address that clients take. */
  get url(): string {
    return `redis://${this.host}:${this.port}`;
  }

  /** The process. Throws if there is none. */
  get pid(): number {
    const pid = this.#child?.pid;
    if (pid === undefined) throw new Error(`The ${this.kind}-server is not running`);
    return pid;
  }

  /** Runs a command by the command line client and returns its answer, without the last line feed. */
  async command(...words: readonly string[]): Promise<string> {
    const args = ["-e", "-h", this.host, "-p", String(this.port), ...words];
    const { stdout } = await run(`${this.kind}-cli`, args, { timeout: PATIENCE_MS });
    return stdout.replace(/\n$/, "");
  }

  /** Kills it as `kill -9` does, and waits until it is gone. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await gone;
  }

  /** Stops the process as a long pause would: connections stay open and nothing is answered. */
  pause(): void {
    process.kill(this.pid, "SIGSTOP");
  }

  /** Lets a stopped process go on. */
  resume(): void {
    process.kill(this.pid, "SIGCONT");
  }

  /** Starts it again on the same port after it was killed, with the data that it had stored if it is durable. */
  async restart(): Promise<void> {
    await this.kill();
    await this.#launch();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    rmSync(this.directory, { recursive: true, force: true });
  }

  async #launch(): Promise<void> {
    const { isDurable = false, args = [], environment = {} } = this.#options;
    const all = [
      ...["--port", String(this.port), "--bind", this.host, "--dir", this.directory],
      ...["--save", "", "--appendonly", isDurable ? "yes" : "no", "--appendfsync", "always"],
      ...["--daemonize", "no", "--logfile", "server.log", ...args],
    ];
    const child = spawn(`${this.kind}-server`, all, {
      stdio: "ignore",
      cwd: this.directory,
      env: { ...process.env, ...environment },
    });
    this.#child = child;
    const failed = new Promise<never>((_, reject) => {
      child.once("error", reject);
      child.once("exit", (code, signal) => {
        reject(new Error(`The ${this.kind}-server ended early: ${code ?? signal}`));
      });
    });
    failed.catch(() => {});
    endWithThisProcess(child);
    await Promise.race([failed, this.#answers()]);
  }

  /** Waits for the answer to a ping, also while the server loads its data. */
  async #answers(): Promise<void> {
    const end = performance.now() + PATIENCE_MS;
    for (;;) {
      try {
        if (await this.command("ping") === "PONG") return;
      } catch (error) {
        if (performance.now() > end) throw error;
      }
      await sleep(20);
    }
  }
}
