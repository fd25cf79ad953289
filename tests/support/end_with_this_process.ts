/** Ties the life of a child process to that of this one. */
import { type ChildProcess, spawn } from "node:child_process";

/**
 * Kills a process when this one ends, however it ends: a shell waits for the end of a pipe that only this process
 * holds open.
 */
export function endWithThisProcess(child: ChildProcess): void {
  if (child.pid === undefined) return;
  const watch = spawn("sh", ["-c", `read -r _; kill -9 ${child.pid}`], {
    stdio: ["pipe", "ignore", "ignore"],
  });
  watch.on("error", () => {});
  child.once("exit", () => watch.kill("SIGKILL"));
  watch.unref();
}
