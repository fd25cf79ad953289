/** The commands `sluice estimate` and `sluice split`, as a user runs them. */
import assert from "node:assert/strict";
import fs from "node:fs";
import process from "node:process";
import { describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { countRequest, Tokenizer } from "../mod.ts";
import { temporaryName } from "../src/corpus/unit/names.ts";
import { exit, Files, sluice, sluiceWriting, startWriting } from "./fixtures/cli.ts";

const PRICES = JSON.stringify({
  date: new Date().toISOString().slice(0, 10),
  models: { "gpt-4o": { input: 2000, output: 10_000, batch: { input: 1000, output: 5000 } } },
});

function request(i: number, more: Record<string, unknown> = {}) {
  return {
    custom_id: `request-${i}`,
    method: "POST",
    url: "/v1/chat/completions",
    body: {
      model: "gpt-4o",
      messages: [{ role: "user", content: `Tell me about number ${i}. `.repeat(1 + i % 5) }],
      ...more,
    },
  };
}

function lines(...values: unknown[]): string {
  return values.map((value) => typeof value === "string" ? value : JSON.stringify(value))
    .join("\n") + "\n";
}

const BATCH = Array.from({ length: 20 }, (_, i) => request(i, { max_tokens: 10 }));
const TOKENS = BATCH.reduce((sum, { body }) => sum + countRequest(body).tokens, 0);

describe("sluice estimate", () => {
  it("prints requests, tokens, a histogram, costs and limits", async () => {
    using files = new Files({ "batch.jsonl": lines(...BATCH), "prices.json": PRICES });
    const { code, stdout, stderr } = await sluice(
      ["estimate", "--prices", "prices.json", "batch.jsonl"],
      "",
      files.directory,
    );
    assert.deepEqual([code, stderr], [0, ""]);
    const size = lines(...BATCH).length;
    assert.ok(stdout.startsWith(
      `batch.jsonl: 20 requests, ${size.toLocaleString("en-US")} bytes\n\ntokens`,
    ));
    assert.match(
      stdout,
      new RegExp(`^tokens +${TOKENS}\n  exact +${TOKENS}  in 20 requests$`, "m"),
    );
    assert.match(stdout, /^ +\d+ to \d+ +\d+ {2}█{40}$/m);
    const batch = (TOKENS / 1000 + 1).toFixed(4);
    const single = (2 * TOKENS / 1000 + 2).toFixed(4);
    assert.ok(stdout.includes(`cost: $${batch} as a batch, $${single} as single requests`), stdout);
    assert.match(stdout, /^openai-batch +used +limit +files$/m);
    assert.match(stdout, /^ {2}requests of a file +20 +50,000 +0% +1$/m);
    assert.ok(!stdout.includes("inputs"), "limits of embeddings are not shown for chats");
  });

  it("reads standard input and prints JSON, with every finding an exit code", async () => {
    const [first, second] = BATCH;
    const input = lines(first, first, "nonsense", { ...second, custom_id: undefined });
    const { code, stdout, stderr } = await sluice(["estimate", "--json"], input);
    assert.equal(code, 1);
    const result = JSON.parse(stdout);
    assert.deepEqual([result.requests, result.bad, result.ids.duplicates, result.ids.missing], [
      3,
      1,
      1,
      1,
    ]);
    assert.equal(
      stderr,
      "sluice: stdin: line 3: not valid JSON\nsluice: without custom_id: 1 request\n" +
        "sluice: custom_id not unique: 1 request\n",
    );
  });

  it("exits with 3 over --max, --max-cost and --limits, and fails if a cost is not known", async () => {
    using files = new Files({
      "batch.jsonl": lines(...BATCH),
      "free.jsonl": lines(request(1)),
      "image.jsonl": lines(request(1, {
        max_tokens: 1,
        messages: [{ role: "user", content: [{ type: "file", file: { file_id: "f" } }] }],
      })),
      "prices.json": PRICES,
      "limits.json": JSON.stringify({ name: "mine", limits: [{ unit: "requests", limit: 8 }] }),
    });
    const run = async (...args: string[]) => {
      const { code, stderr } = await sluice(
        ["estimate", "--prices", "prices.json", ...args],
        "",
        files.directory,
      );
      return [code, stderr];
    };
    const [max, cost, cheap, limits, free, told, unknown, image] = await Promise.all([
      run("--max", `${TOKENS - 1}`, "batch.jsonl"),
      run("--max-cost", "1.5", "batch.jsonl"),
      run("--max-cost", "1000", "--max", `${TOKENS}`, "batch.jsonl"),
      run("--limits", "limits.json", "batch.jsonl"),
      run("--max-cost", "1000", "free.jsonl"),
      run("--max-cost", "1000", "--output-tokens", "ratio=0.5", "free.jsonl"),
      run("--max-cost", "1000", "--model", "gpt-4", "batch.jsonl"),
      run("--max-cost", "1000", "image.jsonl"),
    ]);
    assert.deepEqual(max, [3, `sluice: ${TOKENS} tokens are more than ${TOKENS - 1}\n`]);
    assert.match(`${cost}`, /^3,sluice: a cost of \$\d\.\d\d is more than \$1\.5\n$/);
    assert.deepEqual(cheap, [0, ""]);
    assert.deepEqual(limits, [3, "sluice: over the limits of mine: it takes 3 files\n"]);
    assert.match(`${free}`, /^1,.*1 request without a maximum of the reply/);
    assert.deepEqual(told, [0, ""]);
    assert.match(`${image}`, /^1,.*1 request has parts that are not counted\n$/);
    assert.match(`${unknown}`, /^1,.*no price is known for gpt-4\n/);
  });

  it("writes a line for each line, and a picture, when they are complete", async () => {
    using files = new Files({ "batch.jsonl": lines(...BATCH.slice(0, 2), "nonsense") });
    const { code } = await sluiceWriting(
      ["estimate", "--per-line", "out.jsonl", "--plot", "out.svg", "batch.jsonl"],
      "",
      files.directory,
    );
    assert.equal(code, 1);
    const each = fs.readFileSync(files.path("out.jsonl"), "utf8").trimEnd().split("\n");
    const [first, , third] = each.map((line) => JSON.parse(line));
    const { tokens } = countRequest(BATCH[0]!.body);
    const { cost, ...others } = first;
    assert.deepEqual(others, {
      line: 1,
      custom_id: "request-0",
      model: "gpt-4o",
      tokens,
      output: 10,
    });
    assert.equal(typeof cost, "number");
    assert.deepEqual(third, { line: 3, error: "not valid JSON" });
    const svg = fs.readFileSync(files.path("out.svg"), "utf8");
    assert.match(svg, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
    assert.match(svg, /<title>\d+ to \d+ tokens: 1<\/title>/);
    assert.deepEqual(fs.readdirSync(files.directory).sort(), [
      "batch.jsonl",
      "out.jsonl",
      "out.svg",
    ]);
  });

  it("reports nothing of files that it could not read, and shows no empty histogram", async () => {
    using files = new Files({ "torn.jsonl.gz": "x", "empty.jsonl": "", "folder/a.jsonl": "" });
    for (
      const [args, message] of [
        [["none.jsonl"], /^sluice: none\.jsonl: no such file\n$/],
        [["torn.jsonl.gz"], /^sluice: torn\.jsonl\.gz: [^\n]*gzip[^\n]*\n$/],
        [["folder"], /^sluice: folder: is a folder\n$/],
      ] as const
    ) {
      const { code, stdout, stderr } = await sluice(["estimate", ...args], "", files.directory);
      assert.deepEqual([code, stdout], [1, ""], args.join(" "));
      assert.match(stderr, message);
    }
    const empty = await sluice(["estimate", "empty.jsonl"], "", files.directory);
    assert.deepEqual([empty.code, empty.stdout, empty.stderr], [
      0,
      "empty.jsonl: 0 requests, 0 bytes\n",
      "",
    ]);
  });

  it("shows costs below what its digits can show", async () => {
    using files = new Files({ "text.jsonl": `{"text":"a"}\n` });
    const { stdout } = await sluice(
      ["estimate", "-m", "gpt-4o", "text.jsonl"],
      "",
      files.directory,
    );
    assert.match(stdout, /^cost: <\$0\.0001, <\$0\.0001 in a batch$/m);
  });

  it("refuses wrong options, and results that would overwrite the input", async () => {
    using files = new Files({ "a.jsonl": lines(...BATCH), "bad.json": '{"limits":[]}' });
    const run = async (...args: string[]) => {
      const { code, stderr } = await sluiceWriting(["estimate", ...args], "", files.directory);
      return [code, stderr];
    };
    const [same, limits, bad, prices, output, kind, missing] = await Promise.all([
      run("--per-line", "./a.jsonl", "a.jsonl"),
      run("--limits", "openai-bach", "a.jsonl"),
      run("--limits", "bad.json", "a.jsonl"),
      run("--prices", "bad.json", "a.jsonl"),
      run("--output-tokens", "ratio=x", "a.jsonl"),
      run("--kind", "chats", "a.jsonl"),
      run("none.jsonl"),
    ]);
    assert.deepEqual(same, [2, "sluice: ./a.jsonl is an input and would be overwritten\n"]);
    assert.match(
      `${limits}`,
      /^2,sluice: --limits openai-bach: no such file; known limits are op/,
    );
    assert.match(`${bad}`, /^2,sluice: --limits bad\.json: limits\.limits must be a list/);
    assert.match(`${prices}`, /^2,sluice: --prices bad\.json: prices must have/);
    assert.match(`${output}`, /^2,.*ratio=R/);
    assert.match(`${kind}`, /^2,.*Allowed choices are auto, batch, chat, text/);
    assert.match(`${missing}`, /^1,sluice: none\.jsonl: /);
    assert.equal(fs.readFileSync(files.path("a.jsonl"), "utf8"), lines(...BATCH));
  });
});

describe("sluice estimate of standard input", () => {
  it("counts a text, unless it begins as JSON Lines do", async () => {
    const [text, json] = await Promise.all([
      sluice(["estimate", "--json"], "\uFEFFHello, world!\n"),
      sluice(["estimate", "--json", "--kind", "text"], '{"text":"Hello, world!"}\n'),
    ]);
    using tokenizer = new Tokenizer("o200k_base");
    const { kind, requests, tokens } = JSON.parse(text.stdout);
    assert.deepEqual([kind, requests, tokens], [
      "text",
      1,
      tokenizer.count("\uFEFFHello, world!\n"),
    ]);
    assert.equal(JSON.parse(json.stdout).tokens, 4);
  });
});

describe("sluice split", () => {
  it("writes parts that keep the limits and are, joined, the file", async () => {
    const content = lines(...BATCH.slice(0, 10), "", ...BATCH.slice(10)).slice(0, -1);
    using files = new Files({ "batch.jsonl": content });
    const { code, stdout, stderr } = await sluiceWriting(
      [
        "split",
        "batch.jsonl",
        "--out",
        "parts/new",
        "--requests",
        "8",
        "--tokens",
        "200",
        "--json",
      ],
      "",
      files.directory,
    );
    assert.deepEqual([code, stderr], [0, ""]);
    const { parts } = JSON.parse(stdout);
    assert.ok(parts.length >= 3);
    const names = fs.readdirSync(files.path("parts/new")).sort();
    assert.deepEqual(parts.map(({ name }: { name: string }) => name), names);
    assert.match(names[0]!, /^batch-00001-of-0000\d\.jsonl$/);
    const texts = names.map((name) => fs.readFileSync(files.path(`parts/new/${name}`), "utf8"));
    assert.equal(texts.join(""), content);
    for (const [i, text] of texts.entries()) {
      const bodies = text.split("\n").filter(Boolean).map((line) => JSON.parse(line).body);
      const tokens = bodies.reduce((sum: number, body) => sum + countRequest(body).tokens, 0);
      const { requests, bytes, tokens: told } = parts[i];
      assert.deepEqual([requests, bytes, told], [bodies.length, text.length, tokens]);
      assert.ok(requests <= 8 && tokens <= 200);
    }
  });

  it("tells of parts with more models than a file may have", async () => {
    const other = { ...request(2), body: { ...request(2).body, model: "gpt-4" } };
    using files = new Files({ "batch.jsonl": lines(request(0), request(1), other) });
    const args = ["split", "batch.jsonl", "--limits", "openai-batch", "--requests", "1"];
    const one = await sluiceWriting([...args, "--out", "one"], "", files.directory);
    assert.deepEqual([one.code, one.stderr], [0, ""]);
    const two = await sluiceWriting(
      [...args.slice(0, -1), "2", "--out", "two"],
      "",
      files.directory,
    );
    assert.deepEqual([two.code, two.stderr], [0, ""]);
    const all = await sluiceWriting([...args.slice(0, -2), "--out", "all"], "", files.directory);
    assert.equal(all.code, 1);
    assert.equal(
      all.stderr,
      "sluice: batch.jsonl: parts with more than 1 models of a file: 1, such as " +
        "batch-00001-of-00001.jsonl with 2\n",
    );
  });

  it("splits what a compressed file has", async () => {
    using files = new Files({ "batch.jsonl.gz": gzipSync(lines(...BATCH)) });
    const { code } = await sluiceWriting(
      ["split", "batch.jsonl.gz", "--out", ".", "--limits", "openai-batch", "--bytes", "2KB"],
      "",
      files.directory,
    );
    assert.equal(code, 0);
    const names = fs.readdirSync(files.directory).filter((name) => name !== "batch.jsonl.gz");
    const texts = names.sort().map((name) => fs.readFileSync(files.path(name), "utf8"));
    assert.match(names[0]!, /^batch-00001-of-0000\d\.jsonl$/);
    assert.ok(texts.length > 1 && texts.every((text) => text.length <= 2000));
    assert.equal(texts.join(""), lines(...BATCH));
  });

  it("leaves nothing behind when it is interrupted", async () => {
    using files = new Files({});
    const child = startWriting(["split", "-", "--out", ".", "--bytes", "1MB"], files.directory);
    child.stdin!.on("error", () => {}); // It ends without reading everything.
    // More than what is read at once, and no end.
    child.stdin!.write(lines(request(1)).repeat(40_000));
    while (fs.readdirSync(files.directory).length === 0) await sleep(5);
    const code = exit(child);
    process.kill(child.pid!, "SIGINT");
    assert.equal(await code, 130);
    assert.deepEqual(fs.readdirSync(files.directory), []);
  });

  it("removes what a killed run has left", async () => {
    // No process has this number.
    const left = temporaryName("part-1")(".jsonl").replace(`.${process.pid}-`, ".4194305-");
    using files = new Files({ "a.jsonl": lines(...BATCH), [left]: "left" });
    fs.utimesSync(files.path(left), 0, 0);
    const { code } = await sluiceWriting(
      ["split", "a.jsonl", "--out", ".", "--requests", "20"],
      "",
      files.directory,
    );
    assert.equal(code, 0);
    const names = fs.readdirSync(files.directory).sort();
    assert.deepEqual(names, ["a-00001-of-00001.jsonl", "a.jsonl"]);
  });

  it("tells that a folder cannot be written", async () => {
    using files = new Files({ "a.jsonl": lines(...BATCH), "taken": "a file" });
    const { code, stderr } = await sluiceWriting(
      ["split", "a.jsonl", "-o", "taken", "--requests", "5"],
      "",
      files.directory,
    );
    assert.equal(code, 5);
    assert.match(stderr, /^sluice: taken cannot be written: /);
  });

  it("overwrites nothing, and writes nothing if a line is too large", async () => {
    using files = new Files({ "a.jsonl": lines(...BATCH), "out/a-00001-of-00009.jsonl": "mine" });
    const run = async (...args: string[]) => {
      const { code, stderr } = await sluiceWriting(
        ["split", "a.jsonl", ...args],
        "",
        files.directory,
      );
      return [code, stderr];
    };
    const [taken, large, none, noOut] = await Promise.all([
      run("--out", "out", "--requests", "5"),
      run("--out", "large", "--bytes", "250"),
      run("--out", "none"),
      run("--requests", "5"),
    ]);
    assert.deepEqual(taken, [
      2,
      "sluice: out has a-00001-of-00009.jsonl already, and nothing is overwritten: give another " +
      "folder\n",
    ]);
    assert.match(
      `${large}`,
      /^3,sluice: a\.jsonl: nothing is written: line \d+ is over 250 bytes of a file/,
    );
    assert.deepEqual(fs.readdirSync(files.path("large")), []);
    assert.match(`${none}`, /^2,sluice: say which limits/);
    assert.match(`${noOut}`, /^2,.*--out/);
    assert.deepEqual(fs.readdirSync(files.path("out")), ["a-00001-of-00009.jsonl"]);
    assert.equal(fs.readFileSync(files.path("out/a-00001-of-00009.jsonl"), "utf8"), "mine");
  });

  it("keeps bad lines where they are, and reports them and equal identifiers", async () => {
    const content = "\uFEFF" + lines(BATCH[0], "nonsense", BATCH[1], BATCH[0]);
    using files = new Files({});
    const { code, stdout, stderr } = await sluiceWriting(
      ["split", "-", "--out", ".", "--requests", "2"],
      content,
      files.directory,
    );
    assert.equal(code, 1);
    assert.match(stdout, /^stdin-00001-of-00002\.jsonl +2 requests +[\d,]+ bytes +\d+ tokens$/m);
    assert.equal(
      stderr,
      "sluice: stdin: line 2: not valid JSON\n" +
        'sluice: stdin: 1 custom_id is not unique: "request-0" of line 4 is that of line 1\n',
    );
    const texts = [1, 2].map((i) =>
      fs.readFileSync(files.path(`stdin-0000${i}-of-00002.jsonl`), "utf8")
    );
    assert.equal(texts.join(""), content);
  });
});
