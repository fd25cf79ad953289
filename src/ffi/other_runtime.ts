/**
 * Starts a program in another runtime of this machine, for commands: npm starts them in the Node.js that is there, which
 * may be too old to load a library.
 *
 * @module
 */
import { spawn } from "node:child_process";
import process from "node:process";
import { runtime } from "./runtime.ts";

/** How each runtime runs a program. A command of Node.js has all permissions, and so has its program in Deno. */
const RUNTIMES: readonly (readonly string[])[] = [["bun"], ["deno", "run", "--allow-all"]];

/** Signals that end a command, which the program handles. A terminal sends SIGINT to both. */
const SIGNALS: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP"];

/**
 * Runs the program `file` in the first other runtime that is on the path, with this one's standard streams.
 *
 * @returns The exit code, or undefined if there is no other runtime, or this one is not Node.js: it would start itself.
 * Dies by the signal by which the program dies.
 */
export async function runElsewhere(
  file: string,
  args: readonly string[],
): Promise<number | undefined> {
  if (runtime() !== "node") return undefined;
  for (const [command, ...options] of RUNTIMES) {
    const code = await run(command!, [...options, file, ...args]);
    if (code !== undefined) return code;
  }
  return undefined;
}

/** The exit code, or undefined if there is no such command. */
function run(command: string, args: readonly string[]): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: "inherit" });
    const pass = (signal: NodeJS.Signals): void => {
      if (signal !== "SIGINT") child.kill(signal);
    };
    for (const signal of SIGNALS) process.on(signal, pass);
    const stop = (): void => {
      for (const signal of SIGNALS) process.off(signal, pass);
    };
    child.on("error", (error: NodeJS.ErrnoException) => {
      stop();
      // EACCES if all files of that name on the path are not executable.
      if (error.code === "ENOENT" || error.code === "EACCES") resolve(undefined);
      else reject(error);
    });
    child.on("exit", (code, signal) => {
      stop();
      if (signal !== null) process.kill(process.pid, signal);
      else resolve(code ?? 1);
    });
  });
}
