/**
 * Reasons of system errors, in words that do not depend on the runtime.
 *
 * @module
 */

/** The reason of a system error, in words. */
export function reason(error: unknown): string {
  const { code, name, message } = error as NodeJS.ErrnoException;
  if (code === "ENOENT") return "no such file";
  if (code === "EISDIR") return "is a directory";
  if (code === "EACCES" || code === "EPERM") return "permission denied";
  if (name === "NotCapable") return "reading it is not allowed, run with --allow-read";
  return message;
}
