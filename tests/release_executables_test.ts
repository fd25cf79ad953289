/** Executables of the packages of a release, on a machine of a release: nothing is built there, and it need not be Debian. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { TARGETS } from "../scripts/release/targets.ts";
import { startOf } from "./packed/machine.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), "sluice-release-executables-"));
after(() => rmSync(scratch, { recursive: true, force: true }));

/** What the tests of packages are and need, without a library. */
const PARTS = ["docs/single-executables.md", "package.json", "scripts", "tests"];

/** A checkout in which nothing was built. */
function checkout(): string {
  const folder = join(scratch, "checkout");
  mkdirSync(folder);
  for (const part of PARTS) {
    mkdirSync(dirname(join(folder, part)), { recursive: true });
    cpSync(join(ROOT, part), join(folder, part), {
      recursive: true,
      filter: (path) => !/node_modules|fixtures|conformance/.test(path.slice(ROOT.length)),
    });
  }
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  return folder;
}

/** Packages with the fields that decide where they are installed, and a library that is a text. */
function packages(): string {
  const folder = join(scratch, "packages");
  const inside = join(scratch, "packing/package");
  mkdirSync(folder);
  const pack = (tarball: string, manifest: object, file: string): void => {
    rmSync(inside, { recursive: true, force: true });
    mkdirSync(inside, { recursive: true });
    writeFileSync(join(inside, "package.json"), JSON.stringify(manifest));
    writeFileSync(join(inside, file), tarball);
    const command = ["-czf", join(folder, tarball), "-C", dirname(inside), "package"];
    execFileSync("tar", command);
  };
  pack("sluice-1.0.0.tgz", { name: "sluice", dependencies: {} }, "index.js");
  for (const { name, os, cpu, libc, file } of TARGETS) {
    const fields = { os: [os], cpu: [cpu], ...(libc === undefined ? {} : { libc: [libc] }) };
    pack(`sluice-${name}-1.0.0.tgz`, { name: `@sluice/${name}`, ...fields }, file);
  }
  return folder;
}

/** Takes the packages, and makes executables for other platforms without Bun. */
const PROGRAM = `
import { copyFileSync, readdirSync } from "node:fs";
import { CROSS_CASES } from "./tests/packed/cross_executables.ts";
import { Project } from "./tests/packed/executables.ts";
const project = new Project(process.argv[2]);
const told = { installed: readdirSync(project.path("node_modules/@sluice")), cases: [] };
for (const it of CROSS_CASES) {
  let library;
  told.cases.push(await it.run({
    addPlatform(target) {
      library = project.path("node_modules/@sluice", target.name, target.file);
      return project.addPlatform(target);
    },
    path: (...names) => project.path(...names),
    build() {},
    deploy: (name) => (copyFileSync(library, project.path(name)), project.path(name)),
    run() { throw new Error("it was run"); },
  }));
}
project.close();
console.log(JSON.stringify(told));
`;

describe("executables of a release", () => {
  it("are made of its packages alone, and those for other platforms are not run", () => {
    const folder = checkout();
    writeFileSync(join(folder, "main.ts"), PROGRAM);
    const command = [join(folder, "main.ts"), packages()];
    const bun = join(ROOT, "node_modules/.bin/bun");
    const told = JSON.parse(execFileSync(bun, command, { cwd: folder, encoding: "utf8" }));
    assert.equal(told.installed.length, 1, told.installed.join());
    assert.equal(told.cases.length, 3);
    for (const text of told.cases) assert.match(text, /^embeds a library; not run/);
  });

  it("are started by the shell on Windows if they are its scripts", () => {
    const command = ["C:\\bin\\sluice.cmd", "count", "text.txt"];
    assert.deepEqual(startOf(command, "linux"), command);
    const [shell, ...rest] = startOf(command, "win32");
    assert.match(shell!, /cmd\.exe$/);
    assert.deepEqual(rest, ["/d", "/c", ...command]);
    assert.deepEqual(startOf(["bun.exe", "x"], "win32"), ["bun.exe", "x"]);
  });
});
