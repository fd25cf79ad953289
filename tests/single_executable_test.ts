/**
 * Executables of Bun with the packed packages: they run alone, also where the temporary folder forbids it.
 * `tests/packed/single_executables.ts` has those of other tools and platforms, and bundles.
 */
import { after, describe, it } from "node:test";
import { BUN_CASES, UNFIT } from "./packed/executable_cases.ts";
import { Project } from "./packed/executables.ts";
import { RUNTIME } from "./support/runtime.ts";

// It starts Bun itself, and packing takes seconds.
const SKIP = RUNTIME === "bun" ? UNFIT : "runs once, in Bun";

// Here and not in a hook: packing takes longer than hooks may.
const project = SKIP === undefined ? new Project() : undefined;
after(() => project?.close());

describe("a single executable", { skip: SKIP ?? false }, () => {
  for (const { name, unfit, run } of BUN_CASES) {
    const skip = project === undefined ? SKIP : unfit?.(project);
    it(name.trim(), { skip: skip ?? false }, async () => void await run(project!));
  }
});
