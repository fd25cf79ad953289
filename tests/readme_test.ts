/** Runs the programs of the README and of `docs` as they are written, each in a process of its own. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { statusCodes } from "../src/ffi/symbols.gen.ts";
import {
  blocks,
  broken,
  check,
  filesBelow,
  needsStore,
  promised,
  read,
  ROOT,
  run,
  write,
} from "./fixtures/documented_programs.ts";
import { NO_STORE, StoreServer } from "./support/store_server.ts";
import { RUNTIME } from "./support/runtime.ts";

const folder = mkdtempSync(join(tmpdir(), "sluice-readme-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const DOCUMENTS = ["README.md", ...filesBelow("docs", ".md")];
/** Every block of TypeScript is a whole program. */
const PROGRAMS = DOCUMENTS.flatMap((path) =>
  blocks(read(path), "ts").map((code) => ({ path, code }))
);

describe("the codes of errors", () => {
  it("are in the reference, and the documents name no other ones", () => {
    const known = new Set(read("docs/reference/errors.md").match(/`SLUICE_\w+`/g));
    for (const code of Object.values(statusCodes)) assert.ok(known.has(`\`${code}\``), code);
    // A variable of the environment, a warning, and an option of the tests.
    for (const other of ["LIB", "TWO_COPIES", "STRESS_SECONDS"]) known.add(`\`SLUICE_${other}\``);
    for (const path of DOCUMENTS) {
      const named = read(path).match(/`SLUICE_\w+`/g) ?? [];
      assert.deepEqual(named.filter((code) => !known.has(code)), [], path);
    }
  });
});

describe("the programs of the documents", () => {
  it("are there, and most say what they print", () => {
    assert.ok(PROGRAMS.some(({ path }) => path === "README.md"));
    assert.ok(PROGRAMS.length >= 12, `${PROGRAMS.length} programs`);
    assert.ok(PROGRAMS.flatMap(({ code }) => promised(code)).length >= 20);
  });

  it("are all run: one block alone is marked to be ignored", () => {
    const fences = DOCUMENTS.flatMap((path) =>
      [...read(path).matchAll(/^```(\S.*)$/gm)].map((match) => `${path}: ${match[1]}`)
    );
    // documented_sessions_test.ts runs those of commands and of Python.
    const others = fences.filter((fence) => !/: (?:ts|console|python)$/.test(fence));
    assert.deepEqual(others, ["docs/internals.md: ts ignore"]);
  });

  // Types are the same in all runtimes.
  it("pass the type check", { skip: RUNTIME !== "deno" && "runs once, in Deno" }, () => {
    check(PROGRAMS.map((program, i) => write(program, folder, `checked${i}.ts`)));
  });

  for (const [i, program] of PROGRAMS.entries()) {
    const { path, code } = program;
    const title = /^(?:const|using|await) .*/m.exec(code)?.[0] ?? code.split("\n")[0]!;
    const skip = needsStore(program) && NO_STORE;
    it(`print what they say: ${path}, ${title}`, { skip }, async () => {
      assert.match(code, /from "\.\/mod\.ts";/, "not a whole program");
      await using store = needsStore(program) ? await StoreServer.start() : undefined;
      const file = write(program, folder, `program${i}.ts`, store?.url);
      const printed = run(file, program);
      assert.deepEqual(broken(code, printed), [], printed);
    });
  }
});

describe("the commands of the documents", () => {
  const lines = [...DOCUMENTS, "CONTRIBUTING.md"].flatMap((path) =>
    blocks(read(path), "").flatMap((block) => block.split("\n")).map((line) => ({ path, line }))
  );

  it("name targets of the Makefile and files that exist", () => {
    const makefile = read("Makefile");
    const wrong = lines.filter(({ line }) => {
      const target = /^make (\w+)/.exec(line)?.[1];
      if (target !== undefined && !new RegExp(`^${target}:`, "m").test(makefile)) return true;
      const files = line.matchAll(/(?:^|\s)((?:src|scripts|examples|bench)\/[\w/]+\.ts)\b/g);
      return [...files].some((match) => !existsSync(join(ROOT, match[1]!)));
    });
    assert.deepEqual(wrong, []);
    assert.ok(lines.filter(({ line }) => line.startsWith("make ")).length >= 3);
  });

  it("call the command `sluice`, because users of the package have no checkout", () => {
    assert.deepEqual(lines.filter(({ line }) => line.includes("src/cli/")), []);
    assert.ok(lines.filter(({ line }) => /^(?:\$ )?sluice /.test(line)).length >= 10);
  });
});
