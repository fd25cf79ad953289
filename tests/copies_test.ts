/** Copies of the package in one process: which share a library, which do not, and which come again. */
import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { Copy } from "../src/ffi/copies.ts";
import { library } from "../src/ffi/load.ts";
import { THREAD_ALL, THREAD_NOTHING, THREAD_SHARES } from "../src/ffi/symbols.gen.ts";
import { runOptions } from "./support/runtime.ts";

describe("what an earlier program may keep", () => {
  /** A library that writes down what it is asked for. */
  function image(id: number): { asked: number[]; enter: (what: number) => number } {
    const asked: number[] = [];
    return { asked, enter: (what) => (asked.push(what), id) };
  }

  it("is nothing in a global scope that is new, and what it has begun in one that goes on", () => {
    const one = image(1);
    const scope = {};
    new Copy("file:///a.ts", scope).enter("/lib.so", one.enter);
    assert.deepEqual(one.asked.splice(0), [THREAD_ALL]);
    for (let again = 0; again < 3; again++) {
      new Copy("file:///a.ts", scope).enter("/lib.so", one.enter);
      assert.deepEqual(one.asked.splice(0), [THREAD_NOTHING, THREAD_SHARES]);
    }
    new Copy("file:///a.ts", {}).enter("/lib.so", one.enter);
    assert.deepEqual(one.asked, [THREAD_ALL]);
  });

  it("is all for another copy that uses the same library", () => {
    const one = image(1);
    const scope = {};
    const urls = ["file:///a.ts", "file:///b.ts"];
    for (const url of urls) new Copy(url, scope).enter("/lib.so", one.enter);
    assert.deepEqual(one.asked.splice(0), [THREAD_ALL, THREAD_NOTHING]);
    // Both are evaluated anew: the first of them gives back what both had, and the second nothing more.
    const [a, b] = urls.map((url) => new Copy(url, scope));
    b!.enter("/lib.so", one.enter);
    a!.enter("/lib.so", one.enter);
    assert.deepEqual(one.asked, [THREAD_NOTHING, THREAD_SHARES, THREAD_NOTHING]);
  });

  it("is all of a later instance, for an earlier one that uses the library only then", () => {
    const one = image(1);
    const scope = {};
    const early = new Copy("file:///a.ts", scope);
    new Copy("file:///a.ts", scope).enter("/lib.so", one.enter);
    early.enter("/lib.so", one.enter);
    assert.deepEqual(one.asked, [THREAD_ALL]);
  });

  it("is not known in a scope that is frozen", () => {
    const one = image(1);
    const scope = Object.freeze({});
    for (const url of ["file:///a.ts", "file:///b.ts"]) {
      new Copy(url, scope).enter("/lib.so", one.enter);
    }
    assert.deepEqual(one.asked, []);
  });
});

describe("two copies of the package", () => {
  const folder = mkdtempSync(join(tmpdir(), "sluice-copies-"));
  const root = fileURLToPath(new URL("..", import.meta.url));
  before(() => {
    for (const name of ["one", "two"]) {
      cpSync(join(root, "src"), join(folder, name, "src"), { recursive: true });
      const release = join(folder, name, "target/release");
      mkdirSync(release, { recursive: true });
      copyFileSync(library().path, join(release, basename(library().path)));
    }
    const [one, two] = ["one", "two"].map((name) =>
      pathToFileURL(join(folder, name, "src/limiter/mod.ts")).href
    );
    writeFileSync(
      join(folder, "main.ts"),
      `import process from "node:process";
       import * as one from "${one}";
       import * as two from "${two}";
       process.on("warning", (it) => {
         if (it.name !== "ExperimentalWarning") { // Node's, of its node:ffi
           console.log(JSON.stringify([it.name, it.code, it.message]));
         }
       });
       const take = ({ RateLimiter, quota }) => new RateLimiter({
         name: "tenants", limits: { day: quota({ limit: 1, per: "day" }) },
       }).take("tenant").allowed;
       console.log(JSON.stringify([take(one), take(two), take(one), take(two)]));`,
    );
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  /** What the program printed, a line each. */
  async function run(env: Record<string, string>): Promise<unknown[]> {
    const { stdout } = await promisify(execFile)(process.execPath, [...runOptions(), "main.ts"], {
      cwd: folder,
      env: { ...process.env, NO_COLOR: "1", ...env },
    });
    return stdout.trim().split("\n").map((line) => JSON.parse(line));
  }

  it("with a library each share nothing, and are warned of once", async () => {
    const [taken, ...warnings] = await run({ SLUICE_LIB: "" });
    assert.deepEqual(taken, [true, true, false, false]);
    assert.equal(warnings.length, 1);
    const [name, code, message] = warnings[0] as string[];
    assert.deepEqual([name, code], ["SluiceWarning", "SLUICE_TWO_COPIES"]);
    for (const copy of ["one", "two"]) {
      assert.ok(message!.includes(pathToFileURL(join(folder, copy, "src/ffi/load.ts")).href));
      assert.ok(message!.includes(join(folder, copy, "target/release")));
    }
  });

  it("with one library share everything, and there is no warning", async () => {
    assert.deepEqual(await run({ SLUICE_LIB: library().path }), [[true, false, false, false]]);
  });
});

describe("two bundles with a copy each", () => {
  const folder = mkdtempSync(join(tmpdir(), "sluice-bundles-"));
  const root = fileURLToPath(new URL("..", import.meta.url));
  after(() => rmSync(folder, { recursive: true, force: true }));

  it("use one library, also where esbuild's CommonJS leaves modules no URL", async () => {
    for (const name of ["one", "two"]) {
      const options = ["--bundle", "--platform=node", "--format=cjs", "--log-level=error"];
      const bundle = `--outfile=${join(folder, `${name}.cjs`)}`;
      const source = join(root, "src/limiter/mod.ts");
      execFileSync(join(root, "node_modules/.bin/esbuild"), [source, ...options, bundle]);
    }
    const program = `
      const [one, two] = [require("./one.cjs"), require("./two.cjs")];
      const limiter = ({ RateLimiter, rate }, name) =>
        new RateLimiter({ name, limits: { rpm: rate({ unit: "requests", limit: 1, per: "day" }) } });
      const first = limiter(one, "first");
      const taken = [first.take("a").allowed];
      taken.push(limiter(two, "second").take("a").allowed, first.take("a").allowed);
      console.log(JSON.stringify(taken));`;
    const file = join(folder, "main.cjs");
    writeFileSync(file, program);
    const { stdout } = await promisify(execFile)(process.execPath, [...runOptions(), file], {
      env: { ...process.env, SLUICE_LIB: library().path },
    });
    assert.deepEqual(JSON.parse(stdout), [true, true, false]);
  });
});
