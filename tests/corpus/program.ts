/**
 * Runs of `sluice tokenize` as processes of any runtime, which can be killed or stopped in the middle of their work.
 *
 * @module
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { type RuntimeName, runtimeName } from "../../bench/machine.ts";
import { executable, runArguments } from "../../bench/runtimes.ts";
import { endWithThisProcess } from "../support/end_with_this_process.ts";

const MAIN = new URL("../../src/cli/main.ts", import.meta.url);

/** The runtime that runs the tests. */
export const HERE: RuntimeName = runtimeName();

/** Every runtime. */
export const RUNTIMES: readonly RuntimeName[] = ["bun", "deno", "node"];

/** How a process ended. */
export interface Ended {
  /** The exit code, or 128 and the number of the signal. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Options of {@linkcode start}. */
export interface StartOptions {
  readonly runtime?: RuntimeName;
  readonly environment?: Readonly<Record<string, string>>;
  /** What a shell does before it becomes the process, such as `ulimit -f 100`. */
  readonly before?: string;
}

/** A process of `sluice`. */
export interface Program {
  readonly child: ChildProcess;
  /** Sends a signal. `ChildProcess.kill` of Deno sends only the first one. */
  readonly signal: (name: NodeJS.Signals) => void;
  readonly ended: Promise<Ended>;
}

/** Starts `sluice` in the folder `cwd`. */
export function start(cwd: string, args: readonly string[], options: StartOptions = {}): Program {
  const { runtime = HERE, environment = {}, before } = options;
  const command = [executable(runtime), ...runArguments(runtime, MAIN, args)];
  const [file, ...rest] = before === undefined
    ? command
    : ["sh", "-c", `${before}; exec "$@"`, "sh", ...command];
  const child = spawn(file!, rest, {
    cwd,
    env: { ...process.env, NO_COLOR: "1", ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  endWithThisProcess(child);
  return { child, signal: (name) => process.kill(child.pid!, name), ended: end(child) };
}

/** Runs `sluice` in the folder `cwd` to its end. */
export function run(
  cwd: string,
  args: readonly string[],
  options?: StartOptions,
): Promise<Ended> {
  return start(cwd, args, options).ended;
}

async function end(child: ChildProcess): Promise<Ended> {
  const text = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const) {
    child[stream]!.setEncoding("utf8").on("data", (piece: string) => text[stream] += piece);
  }
  const [code, signal] = await once(child, "close") as [number | null, NodeJS.Signals | null];
  return { code: code ?? 128 + (signal === null ? 0 : constants.signals[signal]), ...text };
}

/**
 * Waits until a shard is being written in `out` or `commits` are there, or until the process has ended.
 *
 * @returns Whether the process still runs.
 */
export async function isWorking(
  { child }: Program,
  out: string,
  commits: number,
): Promise<boolean> {
  for (;;) {
    if (child.exitCode !== null || child.signalCode !== null) return false;
    let names: string[] = [];
    try {
      names = readdirSync(out);
    } catch {
      // It is not there yet.
    }
    const done = names.filter((name) => /^shard-.*\.json$/.test(name)).length;
    if (done > commits || done === commits && names.some((name) => name.includes(".tmp"))) {
      return true;
    }
    await sleep(1);
  }
}

/** The greatest memory that a process has had so far, in bytes; undefined if the system does not tell. */
function peakMemory(pid: number): number | undefined {
  try {
    const status = readFileSync(join("/proc", `${pid}`, "status"), "utf8");
    const kibibytes = /^VmHWM:\s*(\d+) kB$/m.exec(status)?.[1];
    return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
  } catch {
    return undefined;
  }
}

/** Runs `sluice` to its end, and returns the greatest memory that it had. */
export async function peakOf(
  cwd: string,
  args: readonly string[],
  options?: StartOptions,
): Promise<{ readonly peak: number; readonly ended: Ended }> {
  const program = start(cwd, args, options);
  let peak = 0;
  // The system keeps the greatest value, which is lost with the process: it is looked at often.
  const look = setInterval(() => {
    peak = Math.max(peak, peakMemory(program.child.pid!) ?? 0);
  }, 5);
  const ended = await program.ended;
  clearInterval(look);
  return { peak, ended };
}
