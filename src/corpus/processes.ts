/**
 * Whether processes of this machine run, as far as the system and the permissions tell.
 *
 * @module
 */
import fs from "node:fs";
import process from "node:process";
import { codeOf } from "./durable.ts";

/**
 * When a process was started, in ticks since the system was. With its number it names a process for ever, because
 * numbers are used again. Null if there is no such process, or if that is not to be found out.
 */
export function startOf(pid: number): string | null {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name of the program, in parentheses, can have spaces.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    // A process that has ended stays listed until its parent asks for its exit code.
    return fields[0] === "Z" || fields[0] === "X" ? null : fields[19] ?? null;
  } catch {
    return null;
  }
}

/** Whether a process with this number runs. Undefined if that is not to be found out. */
export function isRunning(pid: number): boolean | undefined {
  if (startOf(process.pid) !== null) return startOf(pid) !== null;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    if (codeOf(error) === "ESRCH") return false;
    return codeOf(error) === "EPERM" ? true : undefined;
  }
}
