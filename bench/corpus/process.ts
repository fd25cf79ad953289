/**
 * A command in a process of its own: how long it took from start to end, and its peak memory.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";

/** What a command took. */
export interface Timed {
  readonly seconds: number;
  /** Peak of the resident memory in MB, the kernel's own high-water mark. 0 where there is no /proc. */
  readonly rss: number;
  readonly stdout: string;
}

/** How often the high-water mark is read. It never falls, so only what happens behind the last reading is missed. */
const EVERY_MS = 5;

/**
 * Runs a command to its end. Throws if its exit code is not 0.
 *
 * @param reads Whether its standard output is read, which costs time if it is large; else it goes to /dev/null.
 */
export function timed([file, ...args]: readonly string[], reads: boolean): Promise<Timed> {
  return new Promise((resolve, reject) => {
    const start = performance.now();
    const child = spawn(file!, args, { stdio: ["ignore", reads ? "pipe" : "ignore", "pipe"] });
    let rss = 0;
    const timer = setInterval(() => rss = Math.max(rss, peak(child.pid)), EVERY_MS);
    const output: Buffer[] = [];
    const errors: Buffer[] = [];
    child.stdout?.on("data", (chunk: Buffer) => output.push(chunk));
    child.stderr!.on("data", (chunk: Buffer) => errors.push(chunk));
    child.once("error", reject);
    child.once("close", (code) => {
      clearInterval(timer);
      const seconds = (performance.now() - start) / 1e3;
      if (code === 0) resolve({ seconds, rss, stdout: Buffer.concat(output).toString() });
      else reject(new Error(`${file} ${args.join(" ")}: ${code}\n${Buffer.concat(errors)}`));
    });
  });
}

function peak(pid: number | undefined): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "latin1");
    return Number(/^VmHWM:\s*(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024 / 1e6;
  } catch {
    // It has ended, or there is no /proc.
    return 0;
  }
}
