/** The files of a release: in which order they are published, and how each is judged. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { isAbsolute, join, relative } from "node:path";
import process from "node:process";
import { after, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import {
  type Manifest,
  type Packed,
  packedIn,
  publishOrder,
  releaseFiles,
  tarballOf,
} from "../scripts/release/artifacts.ts";
import { recipe } from "../scripts/release/build.ts";
import { needsApproval } from "../scripts/release/check_environment.ts";
import { judgeFiles, judgePackages } from "../scripts/release/check_release.ts";
import { checksumFaults, checksums } from "../scripts/release/checksums.ts";
import { releaseCommands } from "../scripts/release/github_release.ts";
import { distributionTag, plan } from "../scripts/release/publish.ts";
import { billOfMaterials, crates, modules } from "../scripts/release/sbom.ts";
import { TARGETS } from "../scripts/release/targets.ts";
import { readBelow } from "../scripts/release/versions.ts";

const source: Manifest = JSON.parse(
  readBelow(fileURLToPath(new URL("..", import.meta.url)))("package.json"),
);

const scratch = mkdtempSync(join(tmpdir(), "sluice-release-"));
after(() => rmSync(scratch, { recursive: true, force: true }));

describe("packages of a release", () => {
  const packed = (name: string, integrity = "sha512-a"): Packed => ({
    path: tarballOf(name, "1.2.3"),
    manifest: { name, version: "1.2.3" },
    integrity,
  });

  it("are published platforms first, sluice last", () => {
    assert.deepEqual(publishOrder(), [
      "@sluice/linux-x64-gnu",
      "@sluice/linux-arm64-gnu",
      "@sluice/linux-x64-musl",
      "@sluice/linux-arm64-musl",
      "@sluice/darwin-x64",
      "@sluice/darwin-arm64",
      "@sluice/win32-x64",
      "@sluice/native",
      "sluice",
    ]);
    assert.equal(distributionTag("1.2.3"), "latest");
    assert.equal(distributionTag("1.2.3-rc.1"), "next");
  });

  it("are skipped if they are there, and none is published if one differs", () => {
    const all = publishOrder().map((name) => packed(name));
    const registry = new Map([["@sluice/linux-x64-gnu", "sha512-a"]]);
    const planned = plan(all, (name) => registry.get(name));
    assert.deepEqual(planned.skip, all.slice(0, 1));
    assert.deepEqual(planned.publish, all.slice(1));
    registry.set("sluice", "sha512-b");
    const { conflicts } = plan(all, (name) => registry.get(name));
    assert.deepEqual(conflicts, ["sluice@1.2.3 is published with sha512-b, not sha512-a"]);
  });

  /** Packs a manifest, and files beside it. */
  function pack(
    folder: string,
    manifest: object,
    files: Readonly<Record<string, string>> = {},
  ): void {
    const { name, version } = manifest as Manifest;
    const inside = join(scratch, "packing/package");
    rmSync(inside, { recursive: true, force: true });
    for (const at of [inside, folder]) mkdirSync(at, { recursive: true });
    writeFileSync(join(inside, "package.json"), JSON.stringify(manifest));
    for (const [file, text] of Object.entries(files)) writeFileSync(join(inside, file), text);
    const tarball = join(folder, tarballOf(name, version));
    execFileSync("tar", ["-czf", tarball, "-C", join(scratch, "packing"), "package"]);
  }

  const { license, repository } = source;
  const common = { version: "1.2.3", license, repository };

  it("have absolute paths: npm takes files/a.tgz for a repository on GitHub", () => {
    const folder = join(scratch, "paths");
    pack(folder, { ...common, name: "sluice" });
    const found = packedIn(relative(process.cwd(), folder));
    assert.equal(found.length, 1);
    assert.ok(isAbsolute(found[0]!.path), found[0]!.path);
  });

  it("are judged by their fields", () => {
    const folder = join(scratch, "fields");
    pack(folder, { ...common, name: "sluice", optionalDependencies: {} });
    pack(folder, { ...common, name: "@sluice/native", optionalDependencies: {} });
    const all = packedIn(folder);
    assert.deepEqual(all.map(({ manifest }) => manifest.name), ["@sluice/native", "sluice"]);
    assert.match(all[0]!.integrity, /^sha512-[\w+/]{86}==$/);
    assert.deepEqual(judgePackages(all, "1.2.3", source), []);
    assert.match(
      judgePackages(all, "1.2.4", source).join(),
      /has version 1\.2\.3, not 1\.2\.4/,
    );

    pack(folder, {
      ...common,
      name: "sluice",
      license: "ISC",
      repository: "https://example.com/a",
      optionalDependencies: { "@sluice/linux-x64-gnu": "1.2.3" },
    });
    const wrong = judgePackages(packedIn(folder), "1.2.3", source);
    assert.deepEqual(wrong.map((fault) => fault.replace(/^sluice-1\.2\.3\.tgz: /, "")), [
      "has licence ISC",
      "names another repository",
      "depends on @sluice/linux-x64-gnu, which is not of this release",
    ]);
    pack(folder, { ...common, name: "someone-else" });
    assert.match(judgePackages(packedIn(folder), "1.2.3", source).join(), /no package of a/);
  });

  it("are judged by the library in them", () => {
    const folder = join(scratch, "library");
    const name = "@sluice/linux-x64-gnu";
    const platform = { ...common, name, os: ["linux"], cpu: ["arm64"], libc: ["glibc"] };
    pack(folder, platform);
    const judge = () => judgePackages(packedIn(folder), "1.2.3", source).join("\n");
    assert.match(judge(), /states cpu "arm64", not "x64"\n.*has no libsluice\.so/);
    pack(folder, { ...platform, cpu: ["x64"] }, { "libsluice.so": "no library" });
    assert.match(judge(), /^sluice-linux-x64-gnu-1\.2\.3\.tgz: not a library/);
    assert.doesNotMatch(judge(), /another library/);
    writeFileSync(join(folder, "libsluice-linux-x64-gnu.so"), "another one");
    assert.match(judge(), /has another library than libsluice-linux-x64-gnu\.so/);
  });

  it("are nine, with seven libraries, the header and the bill of materials", () => {
    const all = releaseFiles("1.2.3");
    assert.equal(all.filter((name) => name.endsWith(".tgz")).length, 9);
    const others = all.filter((name) => !name.endsWith(".tgz"));
    assert.deepEqual(others.slice(-3), ["sluice-win32-x64.dll", "sluice.h", "sluice.cdx.json"]);
    assert.equal(others.length, 9);
    assert.deepEqual(judgeFiles(all, "1.2.3"), { faults: [], open: [] });
    assert.deepEqual(judgeFiles([...all.slice(1), "notes.md"], "1.2.3"), {
      faults: ["notes.md is no file of a release"],
      open: ["sluice-linux-x64-gnu-1.2.3.tgz is not there"],
    });
  });

  it("have checksums that tell every change", () => {
    const folder = join(scratch, "checksums");
    mkdirSync(folder);
    for (const name of ["a.tgz", "b c.h"]) writeFileSync(join(folder, name), name);
    writeFileSync(join(folder, "SHA256SUMS"), checksums(folder));
    assert.match(readFileSync(join(folder, "SHA256SUMS"), "utf8"), /^[0-9a-f]{64} {2}a\.tgz\n/);
    assert.deepEqual(checksumFaults(folder), []);
    writeFileSync(join(folder, "a.tgz"), "other");
    rmSync(join(folder, "b c.h"));
    writeFileSync(join(folder, "new"), "");
    assert.deepEqual(checksumFaults(folder), [
      "a.tgz has another SHA-256",
      "b c.h is missing",
      "new is not listed",
    ]);
  });

  it("are linked for what each target promises", () => {
    const of = (name: string) => recipe(TARGETS.find((it) => it.name === name)!);
    assert.ok(of("linux-arm64-gnu").command.includes("--target=aarch64-unknown-linux-gnu.2.17"));
    assert.match(of("linux-x64-musl").environment["RUSTFLAGS"]!, /-Ctarget-feature=-crt-static/);
    assert.match(of("win32-x64").environment["RUSTFLAGS"]!, /-Ctarget-feature=\+crt-static/);
    assert.equal(of("darwin-x64").environment["MACOSX_DEPLOYMENT_TARGET"], "11.0");
    for (const { name } of TARGETS) {
      assert.match(of(name).environment["RUSTFLAGS"]!, /--remap-path-prefix=/);
      assert.ok(of(name).command.includes("--locked"), name);
    }
  });
});

describe("the release on GitHub", () => {
  it("needs an environment with reviewers", () => {
    const rules = (...types: string[]) => ({
      name: "release",
      protection_rules: types.map((type) => ({ type })),
    });
    assert.equal(needsApproval(rules("branch_policy", "required_reviewers")), true);
    assert.equal(needsApproval(rules("branch_policy", "wait_timer")), false);
    assert.equal(needsApproval({ name: "release" }), false);
  });

  const file = { name: "a.tgz", path: "files/a.tgz", digest: "sha256:1" };
  const verbs = (commands: readonly string[][]) => commands.map((it) => it.slice(1, 3).join(" "));

  it("is a draft until every file is there", () => {
    const commands = releaseCommands("v1.2.3", "notes.md", [file], undefined);
    assert.deepEqual(verbs(commands), ["create v1.2.3", "upload v1.2.3", "edit v1.2.3"]);
    assert.ok(commands[0]!.includes("--draft") && !commands[0]!.includes("--prerelease"));
    const candidate = releaseCommands("v1.2.3-rc.1", "notes.md", [], undefined);
    assert.ok(candidate[0]!.includes("--prerelease"));
  });

  it("goes on where it stopped, and refuses another content", () => {
    const there = (isDraft: boolean, digest: string) =>
      releaseCommands("v1", "n", [file], { isDraft, assets: [{ name: file.name, digest }] });
    assert.deepEqual(verbs(there(true, file.digest)), ["edit v1"]);
    assert.deepEqual(there(false, file.digest), []);
    assert.throws(() => there(true, "sha256:2"), /has a\.tgz with sha256:2, not sha256:1/);
  });
});

describe("the bill of materials", () => {
  it("has what is linked, and not what only tests turn on", () => {
    const crate = (name: string) => ({
      id: name,
      name,
      version: "1.0.0",
      license: "MIT/Apache-2.0",
    });
    const needs = (pkg: string, kind: string | null = null) => ({ pkg, dep_kinds: [{ kind }] });
    const names = ["sluice-abi", "tiktoken-rs", "linked", "optional", "tool"];
    const graph = crates(
      {
        packages: names.map(crate),
        resolve: {
          nodes: [
            { id: "sluice-abi", deps: [needs("linked"), needs("tool", "build")] },
            { id: "linked", deps: [needs("optional")] },
          ],
        },
      },
      'name = "linked"\nversion = "1.0.0"\nsource = "registry"\nchecksum = "ab"\n',
      new Set(["sluice-abi@1.0.0", "linked@1.0.0"]),
    );
    assert.deepEqual(graph.components.map(({ name, type }) => `${name} ${type}`), [
      "sluice-abi library",
      "linked library",
      "tiktoken-rs data",
    ]);
    assert.deepEqual(graph.components[1]!.hashes, [{ alg: "SHA-256", content: "ab" }]);
    assert.equal(graph.components[1]!.licenses![0]!.expression, "MIT OR Apache-2.0");
  });

  it("resolves npm packages as Node.js does, and depends on nothing but its input", () => {
    const lock = {
      packages: {
        "": { version: "1.2.3" },
        "node_modules/@a/b": { version: "1.0.0", dependencies: { c: "*" } },
        "node_modules/@a/b/node_modules/c": { version: "2.0.0", integrity: "sha512-AAE=" },
        "node_modules/c": { version: "1.0.0" },
      },
    };
    const graph = modules(lock, ["@a/b"]);
    assert.deepEqual(graph.components.map(({ purl }) => purl), [
      "pkg:npm/%40a/b@1.0.0",
      "pkg:npm/c@2.0.0",
    ]);
    assert.equal(graph.components[1]!.hashes![0]!.content, "0001");
    assert.throws(() => modules(lock, ["d"]), /lacks d/);
    const bill = billOfMaterials(source, [graph]);
    assert.deepEqual(billOfMaterials(source, [graph]), bill);
    const { serialNumber } = bill as { serialNumber: string };
    assert.match(
      serialNumber,
      /^urn:uuid:[\da-f]{8}-[\da-f]{4}-8[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/,
    );
  });
});
