/**
 * The command `sluice`, as each package manager and runtime starts it, also where there is nothing but that runtime.
 *
 * @module
 */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import type { Runtime } from "../support/runtime.ts";
import { check, skip } from "./cases.ts";
import { type Ended, hasFfi, type Machine, onPath } from "./machine.ts";
import { add, MANAGERS } from "./managers.ts";
import { writeProject } from "./programs.ts";

const TEXT = "text.txt";
const COUNT = ["count", TEXT];
/** Exits with 3, as there are more. */
const COUNT_MAX = ["count", "--max", "1", TEXT];

/** Ways to start it where there is one runtime and what it brings. */
const STARTS: Readonly<Record<Runtime, readonly (readonly string[])[]>> = {
  bun: [["bun", "x", "sluice"], ["bun", "run", "sluice"]],
  deno: [["deno", "run", "--allow-all", "npm:sluice"], [
    "deno",
    "task",
    "sluice",
  ]],
  node: [["node_modules/.bin/sluice"]],
};

/** Runs all cases. */
export async function commands(machine: Machine): Promise<void> {
  for (const manager of MANAGERS) {
    if (machine.manager(manager) === undefined) continue;
    const folder = await project(machine, manager);
    const runtimes = [...machine.runtimes.keys()].filter((it) => isFit(manager, it));
    for (const runtime of runtimes) {
      for (const start of STARTS[runtime]) {
        // pnpm's commands are scripts that need sed and dirname.
        const isScript = start[0]!.startsWith("node_modules");
        const path = machine.pathWith(runtime) +
          (isScript ? ":/usr/bin:/bin" : "");
        if (process.platform === "win32" && isScript) continue;
        await check(
          `${start.join(" ")}, added by ${manager}, with only ${runtime}`,
          async () => {
            const command = [
              machine.runtimes.get(runtime) ?? start[0]!,
              ...start.slice(1),
            ];
            const [first, ...rest] = start[0] === runtime ? command : start;
            const run = (args: readonly string[]): Promise<Ended> =>
              machine.run([first!, ...rest, ...args], folder, { path });
            expectCount(await run(COUNT), 0);
            expectCount(await run(COUNT_MAX), 3);
          },
        );
      }
    }
  }
  if (machine.runtimes.has("deno")) await installedByDeno(machine);
  await inOldNode(machine);
}

/** Runtimes start what their own package manager installed, and Node.js what any did. */
function isFit(manager: string, runtime: Runtime): boolean {
  return runtime === "node" ? manager !== "deno" : manager === runtime;
}

async function project(
  machine: Machine,
  manager: (typeof MANAGERS)[number],
): Promise<string> {
  const folder = machine.folder(`command-${manager}`);
  writeProject(folder, { scripts: { sluice: "sluice" } });
  writeFileSync(join(folder, TEXT), "Hello, world!");
  await add(machine, manager, folder, ["sluice"]);
  return folder;
}

function expectCount(ended: Ended, code: number): void {
  const told = `${ended.stdout}${ended.stderr}`;
  assert.equal(ended.code, code, told);
  assert.match(ended.stdout, /^4\s+text\.txt$/m, told);
}

/** A command of this account. */
async function installedByDeno(machine: Machine): Promise<void> {
  const folder = machine.folder("command-global");
  writeFileSync(join(folder, TEXT), "Hello, world!");
  await check("sluice, after deno install --global", async () => {
    const path = machine.pathWith("deno");
    const install = ["install", "--global", "--allow-all", "npm:sluice"];
    const installed = await machine.run(["deno", ...install], folder, { path });
    assert.equal(installed.code, 0, installed.stderr);
    const extension = process.platform === "win32" ? ".cmd" : "";
    const command = join(machine.home, ".deno/bin", `sluice${extension}`);
    expectCount(await machine.run([command, ...COUNT], folder, { path }), 0);
  });
}

/** A Node.js that cannot load the library, in which npm starts commands, beside another runtime and alone. */
async function inOldNode(machine: Machine): Promise<void> {
  const old = onPath("node");
  if (
    old === undefined || hasFfi(old) || machine.manager("npm") === undefined
  ) {
    skip("the command in an old Node.js", "there is none on the path");
    return;
  }
  const folder = await project(machine, "npm");
  const command = [old, join(folder, "node_modules/sluice/src/cli/bin.js")];
  for (const other of ["bun", "deno"] as const) {
    if (!machine.runtimes.has(other)) continue;
    await check(`the command in an old Node.js beside ${other}`, async () => {
      const path = machine.pathWith(other);
      expectCount(
        await machine.run([...command, ...COUNT], folder, { path }),
        0,
      );
      expectCount(
        await machine.run([...command, ...COUNT_MAX], folder, { path }),
        3,
      );
    });
  }
  await check(
    "the command in an old Node.js alone says what it needs",
    async () => {
      const ended = await machine.run([...command, ...COUNT], folder, {
        path: machine.pathWith(),
      });
      assert.equal(ended.code, 1);
      assert.match(
        ended.stderr,
        /^sluice: sluice needs Bun, Deno or Node\.js 26\.9 and later/m,
      );
    },
  );
}
