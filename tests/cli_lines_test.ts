import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { countMessages, countRequest, Tokenizer } from "../mod.ts";
import { Files, sluice } from "./fixtures/cli.ts";

const HELLO = [{ role: "user", content: "Hello there, how are you?" }] as const;

function lines(...values: unknown[]): string {
  return values.map((value) => typeof value === "string" ? value : JSON.stringify(value))
    .join("\n") + "\n";
}

function parse(stdout: string): unknown[] {
  return stdout.split("\n").slice(0, -1).map((line) => JSON.parse(line));
}

describe("sluice count --jsonl", () => {
  it("counts the text of each line, and the total", async () => {
    const input = lines({ text: "Hello, world!" }, { text: "" }, "nonsense", { body: 7 }, {
      text: "one two",
    });
    const { code, stdout, stderr } = await sluice(["count", "--jsonl"], input);
    assert.equal(code, 1);
    assert.deepEqual(parse(stdout), [
      { line: 1, tokens: 4 },
      { line: 2, tokens: 0 },
      { error: "not valid JSON", line: 3 },
      {
        error: 'there is no "text", and no "messages", "contents", "body", "params" or "request"',
        line: 4,
      },
      { line: 5, tokens: 2 },
    ]);
    assert.equal(
      stderr,
      "sluice: stdin: 2 bad lines, the first is line 3: not valid JSON\n" +
        "sluice: 6 tokens in 5 lines: 2 bad\n",
    );
  });

  it("takes the text from --field", async () => {
    const value = { a: { "b.c": "no", b: [{ c: "Hello, world!" }] }, "a.b.1.c": "one" };
    const count = async (field: string) =>
      parse((await sluice(["count", "--jsonl", "--field", field], lines(value))).stdout)[0];
    assert.deepEqual(await count("a.b.0.c"), { line: 1, tokens: 4 });
    assert.deepEqual(await count("a.b.1.c"), { line: 1, tokens: 1 });
    assert.deepEqual(await count("a.b.2.c"), { error: 'there is no "a.b.2.c"', line: 1 });
    assert.deepEqual(await count("a.b.length"), {
      error: '"a.b.length" is not a string but a number',
      line: 1,
    });
    assert.deepEqual(await count("a.b.0.c.length"), {
      error: 'there is no "a.b.0.c.length"',
      line: 1,
    });
    assert.deepEqual(await count("a"), { error: '"a" is not a string but an object', line: 1 });
    const encoded = await sluice(
      ["encode", "-e", "o200k_base", "--jsonl", "--field", "a.b.0.c"],
      lines(value),
    );
    assert.equal(encoded.stdout, '{"ids":[13225,11,2375,0]}\n');
    for (const command of ["count", "encode", "decode"]) {
      const { code, stderr } = await sluice([command, "-e", "r50k_base", "--field", "x"], "");
      assert.deepEqual([code, stderr], [2, "sluice: --field takes --jsonl\n"]);
    }
  });

  it("counts chats and the lines of batch files as countRequest does", async () => {
    const image = [{ role: "user", content: [{ type: "image_url", image_url: { url: "x" } }] }];
    const input = lines(
      { model: "gpt-4o", messages: HELLO },
      { custom_id: "b", method: "POST", url: "/v1", body: { model: "gpt-4", messages: HELLO } },
      { custom_id: "c", params: { model: "claude-sonnet-4", system: "Be kind.", messages: HELLO } },
      { messages: HELLO },
      { model: "gpt-4o", messages: image },
      { custom_id: "d", body: { model: "gpt-4o", input: "Hello, world!" } },
      { body: { model: "gtp-4o", messages: HELLO } },
      { body: { model: "gpt-4o", messages: [{ role: "user", content: 7 }] } },
      { text: "Hello, world!" },
    );
    const { code, stdout, stderr } = await sluice(["count", "--jsonl"], input);
    assert.equal(code, 0);
    const results = parse(stdout) as Record<string, unknown>[];
    const tokens = countMessages(HELLO, { model: "gpt-4o" }).tokens;
    const old = countMessages(HELLO, { model: "gpt-4" }).tokens;
    const claude = countRequest(
      { model: "claude-sonnet-4", system: "Be kind.", messages: HELLO },
    );
    assert.ok(claude.tokens > tokens);
    assert.deepEqual(results.slice(0, 4), [
      { line: 1, tokens },
      { line: 2, id: "b", tokens: old },
      { line: 3, id: "c", tokens: claude.tokens, exact: false },
      { line: 4, tokens, exact: false },
    ]);
    assert.equal((results[4]!["uncounted"] as unknown[]).length, 1);
    assert.equal(results[5]!["id"], "d");
    assert.ok((results[5]!["tokens"] as number) >= 4);
    // An unknown model: an estimate.
    assert.deepEqual(results[6], { line: 7, tokens, exact: false });
    assert.equal(typeof results[7]!["tokens"], "number", "the upstream says what is wrong with it");
    assert.deepEqual(results[8], { line: 9, tokens: 4 });
    assert.match(
      stderr,
      /\d+ tokens in 9 lines: \d estimated, 1 with parts that were not counted\n$/,
    );
  });

  it("counts for --model instead of the model of the line", async () => {
    const input = lines({ model: "unheard/of-model", messages: HELLO }, { text: "naïve 你好" });
    const { code, stdout } = await sluice(["count", "--jsonl", "--model", "gpt-4"], input);
    using tokenizer = Tokenizer.forModel("gpt-4");
    assert.equal(code, 0);
    assert.deepEqual(parse(stdout), [
      { line: 1, tokens: countMessages(HELLO, { model: "gpt-4" }).tokens },
      { line: 2, tokens: tokenizer.count("naïve 你好") },
    ]);
    const none = await sluice(["count", "--jsonl", "-e", "r50k_base"], lines({ messages: HELLO }));
    const unnamed = countRequest({ messages: HELLO }, { unknownModel: "r50k_base" });
    assert.deepEqual(parse(none.stdout), [
      { line: 1, tokens: unnamed.tokens, exact: false },
    ]);
  });

  it("prints totals per file as JSON, and names files in lines", async () => {
    using files = new Files({
      "a.jsonl": lines({ text: "Hello, world!" }, "x"),
      "b.jsonl": lines({ model: "claude-opus-4", messages: HELLO }),
    });
    const run = (...args: string[]) =>
      sluice(["count", "--jsonl", ...args, "a.jsonl", "b.jsonl"], "", files.directory);
    const { tokens } = countMessages(HELLO, { model: "claude-opus-4" });
    const { code, stdout } = await run("--json");
    assert.equal(code, 1);
    assert.deepEqual(JSON.parse(stdout), {
      encoding: "o200k_base",
      exact: false,
      files: [
        { path: "a.jsonl", bytes: 27, lines: 2, bad: 1, estimates: 0, incomplete: 0, tokens: 4 },
        { path: "b.jsonl", bytes: 93, lines: 1, bad: 0, estimates: 1, incomplete: 0, tokens },
      ],
      tokens: 4 + tokens,
    });
    assert.deepEqual(parse((await run()).stdout), [
      { path: "a.jsonl", line: 1, tokens: 4 },
      { error: "not valid JSON", path: "a.jsonl", line: 2 },
      { path: "b.jsonl", line: 1, tokens, exact: false },
    ]);
    const over = await sluice(["count", "--jsonl", "--max", "3"], lines({ text: "Hello, world!" }));
    assert.deepEqual(
      [over.code, over.stderr],
      [3, "sluice: 4 tokens in 1 line\nsluice: 4 tokens are more than 3\n"],
    );
  });

  it("refuses a special token in its line only", async () => {
    const { stdout } = await sluice(
      ["count", "--jsonl", "--special", "error"],
      lines({ text: "a" }, { text: "<|endoftext|>" }, { text: "b c" }),
    );
    assert.deepEqual(parse(stdout), [
      { line: 1, tokens: 1 },
      { error: "text contains the special token <|endoftext|> at byte 0", line: 2 },
      { line: 3, tokens: 2 },
    ]);
  });
});
