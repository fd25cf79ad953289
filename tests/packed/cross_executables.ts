/**
 * Executables of Bun for other platforms than this one, and with the libraries of several platforms.
 *
 * @module
 */
import assert from "node:assert/strict";
import { copyFileSync, existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { libraryOf } from "../../scripts/cross/build.ts";
import { machineOf, testCommand } from "../../scripts/cross/machines.ts";
import { TARGETS } from "../../scripts/release/targets.ts";
import { BUN, type Case, COMPILE, PRINTED } from "./executable_cases.ts";

/** The executables for other platforms: built for all, and run where `make cross` has built the library. */
export const CROSS_CASES: readonly Case[] = [
  ["linux-arm64-gnu", "bun-linux-arm64", "app"],
  ["linux-x64-musl", "bun-linux-x64-musl", "app"],
  ["win32-x64", "bun-windows-x64", "app.exe"],
].map(([name, bunTarget, file]) => {
  const command = `bun build --compile --target=${bunTarget} main.ts --outfile ${file}`;
  const target = TARGETS.find((it) => it.name === name)!;
  return {
    name: `bun build --compile --target=${bunTarget}`,
    commands: [command],
    run(project) {
      const isReal = project.addPlatform(target);
      const library = readFileSync(
        project.path("node_modules/@sluice", name!, target.file),
      );
      project.build(command);
      const app = project.deploy(file!);
      assert.ok(
        readFileSync(app).includes(library),
        "the library is not in it",
      );
      // What runs programs of other systems comes with `make cross`, which needs Debian.
      if (!isReal || !existsSync(libraryOf(target))) {
        return `embeds a library; not run, as make cross has not built ${name}`;
      }
      const { prefix, environment } = machineOf(target);
      if (target.os === "win32") {
        // A part of Windows that Wine lacks, which is beside Bun's own program.
        const [name, bun] = [
          "bcryptprimitives.dll",
          testCommand("bun", target)[0]!,
        ];
        copyFileSync(join(dirname(bun), name), join(dirname(app), name));
      }
      assert.equal(project.run([...prefix, app], environment), PRINTED);
      return "runs alone";
    },
  } satisfies Case;
});

/** With the packages for both C libraries, on this machine. */
export const BOTH_CASE: Case = {
  name: "bun build --compile, with the packages for glibc and musl",
  commands: [COMPILE],
  run(project) {
    project.addPlatform(
      TARGETS.find(({ name }) => name === `linux-${process.arch}-musl`)!,
    );
    assert.equal(project.run([...BUN, project.path("main.ts")]), PRINTED);
    project.build(COMPILE);
    assert.equal(project.run([project.deploy("app")]), PRINTED);
  },
};
