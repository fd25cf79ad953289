/**
 * Single executables and bundles of the packed packages, by the commands of `docs/single-executables.md`.
 *
 *     bun tests/packed/single_executables.ts                    # packs what `make build` made
 *     bun tests/packed/single_executables.ts --packages FOLDER  # tarballs that are there
 *     bun tests/packed/single_executables.ts --deno-compile     # and deno compile, which needs the network
 *
 * The last line is `N passed, N failed`.
 *
 * @module
 */
import assert from "node:assert/strict";
import process from "node:process";
import { parseArgs } from "node:util";
import { check, results, skip } from "./cases.ts";
import { BOTH_CASE, CROSS_CASES } from "./cross_executables.ts";
import { COMMANDS, Project } from "./executables.ts";
import { BUN_CASES, type Case, OTHER_CASES, PRINTED, UNFIT } from "./executable_cases.ts";

const { values } = parseArgs({
  options: {
    packages: { type: "string" },
    "deno-compile": { type: "boolean", default: false },
  },
});

const DENO_COMPILE: Case = {
  name: "deno compile",
  commands: ["deno compile --allow-ffi --output app main.ts"],
  unfit: () =>
    values["deno-compile"]
      ? undefined
      : "Deno downloads a runtime for it that no package registry has; --deno-compile runs it",
  run(project) {
    for (const command of DENO_COMPILE.commands) project.build(command);
    assert.equal(project.run([project.deploy("app")]), PRINTED);
  },
};

async function runAll(cases: readonly Case[]): Promise<void> {
  const project = new Project(values.packages);
  try {
    for (const it of cases) {
      const why = it.unfit?.(project);
      if (why === undefined) await check(it.name, () => it.run(project));
      else skip(it.name, why);
    }
  } finally {
    project.close();
  }
}

if (UNFIT === undefined) {
  // Last, those that add packages.
  const cases = [
    ...BUN_CASES,
    ...OTHER_CASES,
    DENO_COMPILE,
    ...CROSS_CASES,
    BOTH_CASE,
  ];
  await runAll(cases);
  await check("every command of the guide has a case", () => {
    const known = new Set(cases.flatMap(({ commands }) => commands));
    assert.deepEqual(COMMANDS.filter((command) => !known.has(command)), []);
    return `${COMMANDS.length} commands`;
  });
} else {
  skip("single executables", UNFIT);
}
const { passed, failed } = results();
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
