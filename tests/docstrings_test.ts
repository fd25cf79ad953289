/** Runs the examples of the docstrings in `src`, each in a process of its own. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import {
  blocks,
  broken,
  check,
  comments,
  filesBelow,
  needsStore,
  type Program,
  promised,
  read,
  run,
  write,
} from "./fixtures/documented_programs.ts";
import { NO_STORE, StoreServer } from "./support/store_server.ts";
import { RUNTIME } from "./support/runtime.ts";

const folder = mkdtempSync(join(tmpdir(), "sluice-docstrings-"));
after(() => rmSync(folder, { recursive: true, force: true }));

/** The blocks of some languages in all docstrings. */
function all(...languages: readonly string[]): Program[] {
  return ["mod.ts", ...filesBelow("src", ".ts")].flatMap((path) =>
    comments(read(path)).flatMap((comment) =>
      blocks(comment, ...languages).map((code) => ({ path, code }))
    )
  );
}

const PROGRAMS = all("ts");

describe("the examples of the docstrings", () => {
  it("are there, and most say what they print", () => {
    assert.ok(PROGRAMS.length >= 20, `${PROGRAMS.length} programs`);
    assert.ok(PROGRAMS.flatMap(({ code }) => promised(code)).length >= 15);
  });

  it("are all run: at most one is a fragment", () => {
    assert.ok(all("ts ignore").length <= 1);
    assert.deepEqual(all("typescript", "js", "javascript"), []);
  });

  // Types are the same in all runtimes.
  it("pass the type check", { skip: RUNTIME !== "deno" && "runs once, in Deno" }, () => {
    check(PROGRAMS.map((program, i) => write(program, folder, `checked${i}.ts`)));
  });

  for (const [i, program] of PROGRAMS.entries()) {
    const { path, code } = program;
    const skip = needsStore(program) && NO_STORE;
    const title = `print what they say: ${path}, ${code.trimEnd().split("\n").at(-1)}`;
    it(title, { skip }, async () => {
      assert.match(code, /^import .* from "(?:\.\/mod\.ts|sluice(?:\/\w+)?)";$/m, "not whole");
      await using store = needsStore(program) ? await StoreServer.start() : undefined;
      const file = write(program, folder, `program${i}.ts`, store?.url);
      const printed = run(file, program);
      assert.deepEqual(broken(code, printed), [], printed);
    });
  }
});

describe("the reader of docstrings", () => {
  it("finds programs, what they promise, and what is not printed", () => {
    const source =
      '/**\n * Text.\n *\n * ```ts\n * console.log(1); // 1\n *\n * console.log("b");\n' +
      " * // c\n * ```\n */\n";
    const [code] = comments(source).flatMap((comment) => blocks(comment, "ts"));
    assert.equal(code, 'console.log(1); // 1\n\nconsole.log("b");\n// c\n');
    assert.deepEqual(broken(code, "1\nb\n"), ["c"]);
  });
});
