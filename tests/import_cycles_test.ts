/** The check of the gate that finds import cycles, on small repositories with planted cycles. */
import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, describe, it } from "node:test";
import { findProblems } from "../scripts/import_cycles.ts";

const folders: string[] = [];

/** What the check finds in a repository of these files. */
function problemsOf(files: Readonly<Record<string, string>>): string[] {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), "sluice-imports-"));
  folders.push(root);
  for (const [file, source] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    fs.writeFileSync(path.join(root, file), source);
  }
  return findProblems(root, Object.keys(files));
}

describe("import cycles", () => {
  after(() => {
    for (const folder of folders) fs.rmSync(folder, { recursive: true });
  });

  it("finds none where there is none", () => {
    const files = {
      "src/a.ts": 'import { b } from "./b.ts";\nimport { c } from "./c.ts";\n',
      "src/b.ts": 'export { c as b } from "./c.ts";\n',
      // Examples in comments, and strings, are not imports.
      "src/c.ts": '/**\n * import { a } from "./a.ts";\n */\nexport const c = \'from "./a.ts"\';\n',
    };
    assert.deepEqual(problemsOf(files), []);
  });

  it("finds a cycle of type-only imports, and names it", () => {
    const [problem, ...others] = problemsOf({
      "src/one.ts": 'import type {\n  Two,\n} from "./two.ts";\nexport type One = Two;\n',
      "src/two.ts":
        'import { type Three, x as y } from "./deep/three.ts";\nexport type Two = Three;\n',
      "src/deep/three.ts": 'export type { One as Three } from "../one.ts";\nexport const x = 1;\n',
      "src/leaf.ts": 'import "./one.ts";\n',
    });
    assert.deepEqual(others, []);
    assert.match(problem!, /among src\/deep\/three\.ts, src\/one\.ts, src\/two\.ts:/);
    assert.match(problem!, /src\/one\.ts imports Two from src\/two\.ts/);
    assert.match(problem!, /src\/two\.ts imports Three, x from src\/deep\/three\.ts/);
    assert.match(problem!, /src\/deep\/three\.ts imports One from src\/one\.ts/);
  });

  it("finds a cycle through an import expression", () => {
    const [problem] = problemsOf({
      "src/a.ts": 'export const b = () => import("./b.ts");\n',
      "src/b.ts": 'import * as a from "./a.ts";\nexport { a };\n',
    });
    assert.match(problem!, /src\/a\.ts imports import\(\) from src\/b\.ts/);
  });

  it("finds a cycle of Rust modules, through re-exports and paths in code", () => {
    const [problem, ...others] = problemsOf({
      "rust/x/Cargo.toml": "",
      "rust/x/src/lib.rs": "mod a;\nmod b;\nmod c;\npub use b::B;\n",
      "rust/x/src/a.rs": "use crate::{B, c::{self, C}};\npub struct A(B);\n",
      "rust/x/src/b.rs": "pub struct B;\nfn f() -> usize { super::c::deep::n() }\n",
      "rust/x/src/c/mod.rs": "pub mod deep;\npub struct C;\n",
      "rust/x/src/c/deep.rs": "use crate::a::A;\nuse super::C;\npub fn n() -> usize { 1 }\n",
    });
    assert.deepEqual(others, []);
    assert.match(problem!, /among rust\/x\/src\/a\.rs, rust\/x\/src\/b\.rs, .*deep\.rs/);
    assert.match(problem!, /a\.rs imports B from rust\/x\/src\/b\.rs|deep\.rs imports A from/);
  });

  it("passes over tests, comments, and what a module has of those around it", () => {
    const files = {
      "rust/x/Cargo.toml": "",
      "rust/x/src/lib.rs": "mod a;\nmod b;\npub type Id = u32;\n",
      "rust/x/src/a.rs": "mod part;\nuse crate::Id;\npub struct A(Id);\nuse part::Part;\n",
      "rust/x/src/a/part.rs": "use super::A;\npub struct Part(A);\n",
      "rust/x/src/b.rs": "// crate::a::A\nuse crate::a::A;\n",
    };
    assert.deepEqual(problemsOf(files), []);
    const tested = {
      ...files,
      "rust/x/src/a.rs": files["rust/x/src/a.rs"] +
        "#[cfg(test)]\nmod tests {\n    use crate::b::B;\n    fn f() { { } }\n}\n",
    };
    assert.deepEqual(problemsOf(tested), []);
    const planted = { ...files, "rust/x/src/a.rs": "mod part;\nuse crate::b::B;\n" };
    assert.equal(problemsOf(planted).length, 1);
  });

  it("allows the cycle that is documented, and no larger one", () => {
    const files = {
      "rust/limiter/Cargo.toml": "",
      "rust/limiter/src/lib.rs": "mod book;\nmod limiter;\nmod other;\n",
      "rust/limiter/src/book.rs": "use crate::limiter::Limiter;\npub struct Book;\n",
      "rust/limiter/src/limiter.rs": "use crate::book::Book;\npub struct Limiter;\n",
      "rust/limiter/src/other.rs": "",
    };
    assert.deepEqual(problemsOf(files), []);
    const larger = {
      ...files,
      "rust/limiter/src/limiter.rs": "use crate::book::Book;\nuse crate::other::O;\n",
      "rust/limiter/src/other.rs": "use crate::limiter::Limiter;\n",
    };
    assert.equal(problemsOf(larger).length, 1);
  });

  it("refuses imports against the layers", () => {
    const problems = problemsOf({
      "mod.ts": 'export * from "./src/a.ts";\n',
      "src/a.ts": "",
      "src/cli/main.ts": 'import { a } from "../../mod.ts";\n',
      "src/ffi/load.ts": 'import { t } from "../pool/t.ts";\n',
      "src/pool/t.ts": "",
      "bench/b.ts": 'import { s } from "../scripts/s.ts";\n',
      "scripts/s.ts": "",
    });
    assert.deepEqual(problems.map((problem) => problem.split(":")[0]), [
      "src/cli/main.ts must not import mod.ts",
      "src/ffi/load.ts must not import src/pool/t.ts",
      "bench/b.ts must not import scripts/s.ts",
    ]);
  });
});
