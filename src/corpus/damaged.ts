/**
 * Committed units whose files were changed later.
 *
 * @module
 */
import { removeCommit } from "./folder.ts";
import type { Commit, Plan } from "./plan/plan_types.ts";
import { isIntact } from "./unit/commit.ts";

/**
 * Removes the units from `commits` of which a file was changed, so that they are done again. Their records go at once:
 * the next run may not look at the sums.
 */
export async function dropDamaged(
  out: string,
  plan: Plan,
  commits: Map<number, Commit>,
  { note, signal }: { note(message: string): void; readonly signal: AbortSignal | undefined },
): Promise<void> {
  for (const commit of [...commits.values()]) {
    signal?.throwIfAborted();
    if (await isIntact(out, commit)) continue;
    commits.delete(commit.unit);
    removeCommit(out, plan, commit.unit);
    note(madeAgain(commit.files[0]!.name));
  }
}

/** The message about a unit that is done again. */
export function madeAgain(name: string): string {
  return `${name} is not what its record says: it is made again`;
}
