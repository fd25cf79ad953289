/**
 * The package in fresh projects: added by each package manager, and run in each runtime, also where there is nothing but
 * that runtime.
 *
 * @module
 */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fits, manifestOf } from "../../scripts/install_packed.ts";
import type { Runtime } from "../support/runtime.ts";
import { check } from "./cases.ts";
import { expectOk, type Machine, type Manager } from "./machine.ts";
import { add, MANAGERS } from "./managers.ts";
import { MAX_MS, PRINTED, runWith, writeProgram, writeProject } from "./programs.ts";
import { type Registry, startRegistry } from "./registry.ts";

/** Runs all cases. */
export async function installs(
  machine: Machine,
  registry: Registry,
  tarballs: string,
): Promise<void> {
  for (const manager of MANAGERS) {
    if (machine.manager(manager) === undefined) continue;
    const folder = machine.folder(manager);
    writeProject(folder);
    const file = writeProgram(folder);
    await check(`${manager} adds it`, async () => {
      await add(machine, manager, folder, ["sluice"]);
      return locked(folder, manager, registry);
    });
    for (const runtime of machine.runtimes.keys()) {
      await check(
        `  and ${runtime} runs it`,
        () => quick(machine, runtime, file, folder),
      );
    }
  }
  if (machine.runtimes.has("deno")) await withoutModules(machine);
  await fromFiles(machine, tarballs);
  for (const runtime of machine.runtimes.keys()) await alone(machine, runtime);
}

/** Runs the program until it takes less than a second, thrice at most: the machine may be busy. */
async function quick(
  machine: Machine,
  runtime: Runtime,
  file: string,
  folder: string,
  path = machine.pathWith(runtime),
): Promise<string> {
  let ms = Infinity;
  for (let run = 0; run < 3 && ms >= MAX_MS; run++) {
    const command = [
      machine.runtimes.get(runtime)!,
      ...runWith(runtime, file).slice(1),
    ];
    const ended = expectOk(
      await machine.run(command, folder, { path }),
      command.join(" "),
    );
    assert.equal(ended.stdout.trim(), PRINTED);
    ms = Math.min(ms, ended.ms);
  }
  assert.ok(ms < MAX_MS, `it took ${ms.toFixed(0)} ms`);
  return `counted, limited and pooled in ${ms.toFixed(0)} ms`;
}

/** Compares what the lock file says of the tarball with the tarball. */
function locked(
  folder: string,
  manager: Manager,
  registry: Registry,
): string | void {
  const files = {
    npm: "package-lock.json",
    bun: "bun.lock",
    pnpm: "pnpm-lock.yaml",
  };
  const file = { ...files, yarn: "yarn.lock", deno: "deno.lock" }[manager];
  const path = join(folder, file);
  assert.ok(existsSync(path), `there is no ${file}`);
  const lock = readFileSync(path, "utf8");
  const { version } = JSON.parse(
    readFileSync(join(folder, "node_modules/sluice/package.json"), "utf8"),
  ) as { version: string };
  const integrity = registry.integrity("sluice", version);
  assert.ok(
    integrity !== undefined && lock.includes(integrity),
    `${file} lacks ${integrity}`,
  );
  return `${file} has its integrity`;
}

/** Deno without a node_modules folder, from its own cache. */
async function withoutModules(machine: Machine): Promise<void> {
  const folder = machine.folder("deno-cache");
  const file = writeProgram(folder, "npm:sluice");
  await check("deno run of a program that imports npm:sluice", async () => {
    const command = ["deno", "run", "--allow-ffi", file];
    const first = expectOk(
      await machine.run(command, folder),
      command.join(" "),
    );
    assert.equal(first.stdout.trim(), PRINTED);
    const again = await quick(machine, "deno", file, folder);
    assert.ok(!existsSync(join(folder, "node_modules")));
    return `${first.ms.toFixed(0)} ms with the download, then ${again}`;
  });
}

/** The files of `make pack`, as the README says, while no registry has the packages. */
async function fromFiles(machine: Machine, tarballs: string): Promise<void> {
  const empty = await startRegistry();
  const environment = { NPM_CONFIG_REGISTRY: empty.url };
  const files = readdirSync(tarballs).filter((name) => name.endsWith(".tgz"))
    .map((name) => join(tarballs, name)).filter((tarball) => fits(manifestOf(tarball)));
  try {
    for (const manager of ["npm", "bun"] as const) {
      const program = machine.manager(manager);
      if (program === undefined) continue;
      const folder = machine.folder(`files-${manager}`);
      writeProject(folder);
      const file = writeProgram(folder);
      await check(
        `${manager} adds the files, while no registry has them`,
        async () => {
          const command = [
            ...program,
            manager === "npm" ? "install" : "add",
            ...files,
          ];
          expectOk(
            await machine.run(command, folder, { environment }),
            command.join(" "),
          );
        },
      );
      for (const runtime of machine.runtimes.keys()) {
        if (manager === "bun" && runtime !== "bun") continue;
        await check(
          `  and ${runtime} runs it`,
          () => quick(machine, runtime, file, folder),
        );
      }
    }
  } finally {
    await empty.close();
  }
}

/** A fresh folder, and no other program on the path than one runtime, which installs and runs. */
async function alone(machine: Machine, runtime: Runtime): Promise<void> {
  // The npm package of Node.js brings no npm, so another one's script is run by it.
  const manager: Manager = runtime === "node" ? "npm" : runtime;
  if (machine.manager(manager) === undefined) return;
  const folder = machine.folder(`only-${runtime}`);
  const path = machine.pathWith(runtime);
  await check(`only ${runtime} on the path`, async () => {
    writeProject(folder);
    const ms = await add(machine, manager, folder, ["sluice"], [], path);
    const told = await quick(
      machine,
      runtime,
      writeProgram(folder),
      folder,
      path,
    );
    return `installed in ${ms.toFixed(0)} ms, ${told}`;
  });
}
