/**
 * A filter of the warning that Node.js prints in each thread that uses `node:ffi`.
 *
 * A library leaves warnings to its program. A command is the program, and a Worker of ours repeats what was said.
 *
 * @module
 */
import process from "node:process";

/** Hides the warning that FFI is experimental in this thread, and no other. Other runtimes have no such warning. */
export function hideFfiWarning(): void {
  const emitWarning = process.emitWarning as (...args: unknown[]) => void;
  process.emitWarning = ((...args: unknown[]) => {
    const [warning, type] = args;
    if (type === "ExperimentalWarning" && /\bFFI\b/.test(String(warning))) return;
    emitWarning.apply(process, args);
  }) as typeof process.emitWarning;
}
