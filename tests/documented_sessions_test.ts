/** Runs the sessions of the README and of `docs` as they are written: every command prints what the document shows. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { filesBelow, read } from "./fixtures/documented_programs.ts";
import { environment, inShell, isAsExpected, sessionOf } from "./fixtures/documented_session.ts";
import { NO_PYTHON, python } from "./support/python.ts";

describe("the output that a session shows", () => {
  it("is compared line by line, and dots stand for text or lines that may differ", () => {
    assert.ok(isAsExpected("a\nb\n", ["a", "b"]));
    assert.ok(isAsExpected("", []));
    assert.ok(isAsExpected("took 3 s, 4 MB/s\n", ["took … s, …"]));
    assert.ok(isAsExpected("a\nb\nc\nd\n", ["a", "…", "d"]));
    assert.ok(isAsExpected("a\nd\n", ["a", "…", "d"]));
    for (
      const [output, expected] of [
        ["a\nb\n", ["a"]],
        ["a\n", ["a", "b"]],
        ["a.b\n", ["a+b"]],
        ["a\n", []],
        ["a\nb\n", ["…b"]],
      ] as const
    ) {
      assert.ok(!isAsExpected(output, expected), JSON.stringify([output, expected]));
    }
  });

  it("is what follows a command, whose lines go on behind backslashes", () => {
    const steps = sessionOf(
      "```console\n$ a \\\n  b\none\n$ c\n```\n\n```python\nprint(1)  # 1\n```\n",
    );
    assert.deepEqual(steps, [
      { language: "console", source: "a \\\n  b", expected: ["one"] },
      { language: "console", source: "c", expected: [] },
      { language: "python", source: "print(1)  # 1\n", expected: ["1"] },
    ]);
  });
});

for (const path of ["README.md", ...filesBelow("docs", ".md")]) {
  const steps = sessionOf(read(path));
  if (steps.length === 0) continue;
  describe(`the session of ${path}`, () => {
    const folder = mkdtempSync(join(tmpdir(), "sluice-session-"));
    after(() => rmSync(folder, { recursive: true, force: true }));
    const work = join(folder, "work");
    mkdirSync(work);
    const env = environment(folder);
    for (const { language, source, expected } of steps) {
      const title = source.split("\n")[0]!;
      const skip = language === "python" && NO_PYTHON;
      it(`prints what it says: ${title}`, { skip }, async () => {
        const output = language === "console"
          ? await inShell(source, work, env)
          : await python(`import os; os.chdir(${JSON.stringify(work)})\n${source}`);
        assert.ok(isAsExpected(output, expected), `printed:\n${output}`);
      });
    }
  });
}
