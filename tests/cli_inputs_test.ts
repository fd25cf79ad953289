import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fs from "node:fs";
import process from "node:process";
import { describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import { Files, shell, sluice } from "./fixtures/cli.ts";
import { RUNTIME } from "./support/runtime.ts";

/** The names in a table of counts, without the total. */
function names(stdout: string): string[] {
  return stdout.split("\n").slice(0, -1).map((row) => row.trim().split(/ {2}/)[1]!)
    .filter((name) => name !== "total");
}

const TREE = {
  "docs/b.md": "Hello, world!",
  "docs/a.TXT": "one two",
  "docs/deep/er/c.ts": "x",
  "docs/deep/readme": "x",
  "docs/data.bin": Uint8Array.of(0xff),
  "docs/picture.png": Uint8Array.of(0x89),
  "docs/lines.jsonl": '{"text":"Hello"}\n',
  "docs/.hidden.md": "x",
  "docs/.github/ci.yml": "x",
  "docs/node_modules/left/pad.js": "x",
  "docs/.git/notes.txt": "x",
};

const isLinux = process.platform === "linux";

describe("folders", () => {
  it("are read with all text files in them, in the order of names, with a total", async () => {
    using files = new Files(TREE);
    const { code, stdout, stderr } = await sluice(["count", "docs"], "", files.directory);
    assert.deepEqual([code, stderr], [0, ""]);
    assert.equal(
      stdout,
      " 2  docs/a.TXT\n 4  docs/b.md\n 1  docs/deep/er/c.ts\n 1  docs/deep/readme\n" +
        " 5  docs/lines.jsonl\n13  total\n",
    );
  });

  it("select files by --include, --exclude and --hidden", async () => {
    using files = new Files(TREE);
    const cases: [args: string[], found: string[]][] = [
      [["--include", "*.md"], ["docs/b.md"]],
      [["--include", "*.{md,ts}", "--include", "README"], ["docs/b.md", "docs/deep/er/c.ts"]],
      [["--include", "deep/**"], ["docs/deep/er/c.ts", "docs/deep/readme"]],
      [["--include", "deep/*"], ["docs/deep/readme"]],
      [["--exclude", "deep", "--exclude", "*.jsonl"], ["docs/a.TXT", "docs/b.md"]],
      [["--exclude", "deep/er/", "--exclude", "/lines.jsonl"], [
        "docs/a.TXT",
        "docs/b.md",
        "docs/deep/readme",
      ]],
      [["--hidden", "--include", "*.{md,yml,js}"], [
        "docs/.github/ci.yml",
        "docs/.hidden.md",
        "docs/b.md",
      ]],
      [["--jsonl", "--json"], ["docs/lines.jsonl"]],
    ];
    for (const [args, found] of cases) {
      const { stdout, stderr } = await sluice(["count", ...args, "docs"], "", files.directory);
      assert.equal(stderr, "");
      const seen = args.includes("--json")
        ? JSON.parse(stdout).files.map(({ path }: { path: string }) => path)
        : names(stdout);
      assert.deepEqual(seen, found, args.join(" "));
    }
  });

  it("are read if they are named although they would be skipped, as files are", async () => {
    using files = new Files(TREE);
    const { stdout } = await sluice(
      ["count", "--exclude", "*.md", "docs/node_modules", "docs/.github/", "docs/.hidden.md"],
      "",
      files.directory,
    );
    assert.deepEqual(names(stdout), [
      "docs/node_modules/left/pad.js",
      "docs/.github/ci.yml",
      "docs/.hidden.md",
    ]);
  });

  it("do not follow links, so that the walk ends", async () => {
    using files = new Files({ "a/b.txt": "x", "c.txt": "x" });
    fs.symlinkSync("..", files.path("a/up"));
    fs.symlinkSync("../c.txt", files.path("a/c.txt"));
    fs.symlinkSync("a", files.path("link"));
    const { stdout } = await sluice(["count", "link"], "", files.directory);
    assert.deepEqual(names(stdout), ["link/b.txt"]);
  });

  it("fail if there is nothing to read, and continue", async () => {
    using files = new Files({ "a/b.png": "x", "c/d.txt": "x", "c/bad.txt": Uint8Array.of(0xff) });
    const { code, stdout, stderr } = await sluice(["count", "a", "c"], "", files.directory);
    assert.equal(code, 1);
    assert.deepEqual(names(stdout), ["c/d.txt"]);
    assert.equal(
      stderr,
      "sluice: a: no file with a suffix of text, and --include is not given\n" +
        "sluice: c/bad.txt: not valid UTF-8 at byte 0\nsluice: 1 of 2 inputs failed\n",
    );
    const other = await sluice(["encode", "-e", "r50k_base", "--jsonl", "c"], "", files.directory);
    assert.equal(other.stderr, "sluice: c: no .jsonl file, and --include is not given\n");
    const none = await sluice(["count", "--include", "*.md", "c"], "", files.directory);
    assert.deepEqual(
      [none.code, none.stderr],
      [1, "sluice: c: no file that matches --include\n"],
    );
  });

  it("cannot be decoded or truncated", async () => {
    using files = new Files({ "a/b.txt": "[1]" });
    for (const args of [["decode", "-e", "r50k_base"], ["truncate", "--max", "1"]]) {
      const { code, stderr } = await sluice([...args, "a"], "", files.directory);
      assert.deepEqual([code, stderr], [1, "sluice: a: is a directory\n"]);
    }
  });
});

describe("patterns", () => {
  it("are expanded if the shell has not", async () => {
    using files = new Files(TREE);
    const cases: [pattern: string, found: string[]][] = [
      ["docs/*.md", ["docs/b.md"]],
      ["./docs/?.md", ["docs/b.md"]],
      ["docs/*", ["docs/a.TXT", "docs/b.md", "docs/lines.jsonl"]],
      ["docs/**/*.{ts,md}", ["docs/b.md", "docs/deep/er/c.ts"]],
      ["*/deep/[q-s]*", ["docs/deep/readme"]],
      ["docs/.github/*", ["docs/.github/ci.yml"]],
      ["docs/{deep/er,.github}/*", ["docs/.github/ci.yml", "docs/deep/er/c.ts"]],
      ["**/left/*", []],
    ];
    for (const [pattern, found] of cases) {
      const { code, stdout, stderr } = await sluice(["count", pattern], "", files.directory);
      const seen = names(stdout).map((name) => name.replace(/^\.\//, ""));
      // Two files are not text, and a pattern selects them nevertheless.
      assert.deepEqual(seen, found, pattern);
      if (found.length > 0 && pattern !== "docs/*") assert.deepEqual([code, stderr], [0, ""]);
      else assert.equal(code, 1);
      if (found.length === 0) assert.equal(stderr, `sluice: ${pattern}: no file matches\n`);
    }
  });

  it("are not expanded if a file has that name", async () => {
    using files = new Files({ "[a].txt": "Hello", "a.txt": "x y z", "b*": "one two", "bc": "x" });
    const { stdout } = await sluice(["count", "[a].txt", "b*"], "", files.directory);
    assert.equal(stdout, "1  [a].txt\n2  b*\n3  total\n");
  });
});

describe("files that are not UTF-8", () => {
  const cafe = "naïve café, 5 €";

  it("are read with --charset", async () => {
    const utf16 = Buffer.from(`\uFEFF${cafe} 👋🏽 你好\r\n`.repeat(40_000), "utf16le");
    using files = new Files({
      "w.txt": Uint8Array.from([...cafe].map((c) => c === "€" ? 0x80 : c.charCodeAt(0))),
      "u.txt": utf16,
      "b.txt": Buffer.from(utf16).swap16(),
      "s.txt": Uint8Array.of(0x93, 0xfa, 0x96, 0x7b), // 日本
    });
    const count = async (...args: string[]) =>
      JSON.parse((await sluice(["count", "--json", ...args], "", files.directory)).stdout);
    const plain = async (text: string) => Number((await sluice(["count"], text)).stdout);
    const tokens = await plain(utf16.toString("utf16le"));
    assert.deepEqual((await count("--charset", "latin1", "w.txt")).tokens, await plain(cafe));
    assert.deepEqual((await count("--charset", "utf-16le", "u.txt")).files, [
      { path: "u.txt", bytes: utf16.length, tokens },
    ]);
    assert.equal((await count("--charset", "UTF-16BE", "b.txt")).tokens, tokens);
    assert.equal((await count("--charset", "shift_jis", "s.txt")).tokens, await plain("日本"));
    const encoded = await sluice(
      ["encode", "-e", "r50k_base", "--charset", "latin1", files.path("w.txt")],
    );
    assert.equal((await sluice(["decode", "-e", "r50k_base"], encoded.bytes)).stdout, cafe);
    const lines = Buffer.from('{"text":"Hello"}\n{"text":"é"}\n', "utf16le");
    assert.equal(
      (await sluice(["encode", "-e", "o200k_base", "--jsonl", "--charset", "utf-16le"], lines))
        .stdout,
      '{"ids":[13225]}\n{"ids":[377]}\n',
    );
  });

  it("fail with an offset if they are not valid in --charset", async () => {
    const text = Buffer.from("x ".repeat(100_000), "utf16le");
    const lone = Buffer.concat([text, Uint8Array.of(0x3d, 0xd8, 0x61, 0x00)]);
    using files = new Files({ "odd.txt": Uint8Array.of(0x61, 0, 0x62), "lone.txt": lone });
    const args = ["count", "--charset", "utf-16le"];
    const odd = await sluice([...args, "odd.txt"], "", files.directory);
    assert.deepEqual(
      [odd.code, odd.stderr],
      [1, "sluice: odd.txt: not valid utf-16le: it ends within a character at byte 3\n"],
    );
    const { stderr } = await sluice([...args, "lone.txt"], "", files.directory);
    const [, from, to] =
      /^sluice: lone\.txt: not valid utf-16le between byte (\d+) and byte (\d+)\n$/
        .exec(stderr) ?? assert.fail(stderr);
    assert.ok(Number(from) <= text.length && text.length < Number(to), stderr);
    assert.ok(Number(to) - Number(from) <= 1 << 16);
    const { code, stderr: unknown } = await sluice(["count", "--charset", "klingon"], "x");
    assert.equal(code, 2);
    assert.match(unknown, /^sluice: .*--charset.*klingon.*WHATWG.*\n$/);
  });

  it("are read with U+FFFD by --lossy, with a note", async () => {
    const bad = Buffer.concat([Buffer.from("x ".repeat(700_000)), Uint8Array.of(0xe4, 0xb8, 0x58)]);
    using files = new Files({ "bad.txt": bad, "good.txt": "a \uFFFD b" });
    const expected = (await sluice(["count"], bad.toString())).stdout;
    const { code, stdout, stderr } = await sluice(
      ["count", "--lossy", "bad.txt", "good.txt"],
      "",
      files.directory,
    );
    assert.deepEqual(
      [code, stderr],
      [0, "sluice: bad.txt: what is not valid in it was read as U+FFFD\n"],
    );
    assert.equal(stdout.split("\n")[0], `${expected.trim()}  bad.txt`);
    const json = await sluice(
      ["count", "--lossy", "--json", "bad.txt", "good.txt"],
      "",
      files.directory,
    );
    const [first, second] = JSON.parse(json.stdout).files;
    assert.deepEqual([json.stderr, first.replaced, second.replaced], ["", true, undefined]);
    assert.deepEqual(first.bytes, bad.length);
    const utf16 = await sluice(
      ["count", "--lossy", "--charset", "utf-16le"],
      Uint8Array.of(0x3d, 0xd8, 0x61, 0x00),
    );
    assert.deepEqual([utf16.code, utf16.stdout], [0, (await sluice(["count"], "\uFFFDa")).stdout]);
  });

  it("are recognised by a byte order mark of UTF-16", async () => {
    const { code, stderr } = await sluice(["count"], Buffer.from("\uFEFFhi", "utf16le"));
    assert.deepEqual([code, stderr], [
      1,
      "sluice: stdin: not valid UTF-8 at byte 0; it begins as UTF-16 does: try --charset utf-16le\n",
    ]);
  });
});

describe("names of files", () => {
  it(
    "may be no UTF-8, or else are named in the error, and nothing stops",
    { skip: !isLinux },
    async () => {
      using files = new Files({ "d/a.txt": "Hello", "z.txt": "Hello, world!" });
      const script =
        "printf one > \"$(printf 'd/n\\377.txt')\"; printf 'a b' > \"$(printf 'é\\376.txt')\";" +
        '"$@" count d "$(printf \'é\\376.txt\')" z.txt';
      const { code, stdout, stderr } = await shell(script, files.directory);
      if (RUNTIME !== "deno") {
        assert.equal(stdout, "1  d/a.txt\n1  d/n\\xff.txt\n2  é\\xfe.txt\n4  z.txt\n8  total\n");
        assert.deepEqual([code, stderr], [0, ""]);
      } else {
        assert.equal(stdout, "1  d/a.txt\n4  z.txt\n5  total\n");
        assert.equal(code, 1);
        const why = "no such file, or its name is not UTF-8, which this runtime cannot open\n";
        assert.equal(
          stderr,
          `sluice: d/n\uFFFD.txt: ${why}sluice: é\uFFFD.txt: ${why}sluice: 2 of 4 inputs failed\n`,
        );
      }
    },
  );

  it("cannot break a line or control a terminal", { skip: !isLinux }, async () => {
    const name = "a\nb\x1b[31m\u202e.txt";
    using files = new Files({ [name]: "Hello", [`bad${name}`]: Uint8Array.of(0xff) });
    const { stdout, stderr } = await sluice(["count", "."], "", files.directory);
    assert.equal(stdout, "1  ./a\\x0ab\\x1b[31m\\u202e.txt\n");
    assert.match(
      stderr,
      /^sluice: \.\/bada\\x0ab\\x1b\[31m\\u202e\.txt: not valid UTF-8 at byte 0\n/,
    );
    const json = await sluice(["count", "--json", name], "", files.directory);
    assert.equal(JSON.parse(json.stdout).files[0].path, name);
  });
});

describe("standard streams", () => {
  // Deno and Node.js open /dev/null in place of a closed stream, as parents do that discard output.
  const isSeen = isLinux && RUNTIME === "bun";

  it(
    "closed for output is a failure",
    { skip: !isSeen && "not seen in this runtime" },
    async () => {
      using files = new Files({ "a.txt": "Hello" });
      const { code, stdout, stderr } = await shell('"$@" count a.txt >&-', files.directory);
      assert.deepEqual(
        [code, stdout, stderr],
        [1, "", "sluice: the results cannot be written: standard output is closed\n"],
      );
    },
  );

  it("may be /dev/null, or a pipe whose reader has left", { skip: !isLinux }, async () => {
    using files = new Files({ "a.txt": "Hello", "b.txt": "x ".repeat(1 << 20) });
    const nowhere = await shell('"$@" count a.txt >/dev/null', files.directory);
    assert.deepEqual([nowhere.code, nowhere.stderr], [0, ""]);
    const enough = await shell('"$@" encode -e r50k_base b.txt | head -c 5', files.directory);
    assert.deepEqual([enough.code, enough.stdout, enough.stderr], [0, "[87,2", ""]);
    const full = await shell('"$@" count a.txt >/dev/full', files.directory);
    assert.deepEqual(
      [full.code, full.stderr],
      [1, "sluice: the results cannot be written: no space left on device\n"],
    );
  });
});

describe("a compressed file", () => {
  const text = "Hello, world!\n".repeat(5000);

  it("is named as such once, and not line by line", async () => {
    const zstd = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x0a, 0x0a, 0x00, 0x80);
    using files = new Files({ "a.gz": gzipSync(text), "b.zst": zstd });
    const named = (file: string, by: string): string =>
      `sluice: ${file}: compressed with ${by}, which only tokenize, estimate and split read: ` +
      `pipe it through ${by} -dc`;
    for (const args of [["count"], ["count", "--jsonl"]]) {
      const command = [...args, "a.gz", "b.zst"];
      const { code, stdout, stderr } = await sluice(command, "", files.directory);
      const expected = [named("a.gz", "gzip"), named("b.zst", "zstd")];
      assert.deepEqual([code, stderr.split("\n").slice(0, 2)], [1, expected]);
      assert.ok(stdout.split("\n").length <= 2, stdout);
    }
  });

  it("is text in a charset that has its bytes", async () => {
    const { code, stdout } = await sluice(["count", "--charset", "latin1"], gzipSync(text));
    assert.deepEqual([code, Number(stdout) > 10], [0, true]);
  });
});
