/** Properties over random bodies: no text of a request is dropped silently, and the work is linear. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { countRequest } from "../mod.ts";
import { REQUEST_FORMATS } from "../src/tokenizer/request/formats.ts";
import { FIXTURES, spy, strings, unseen } from "./support/requests.ts";

/** A text that is too long, and has spaces, so that it is not an identifier, a URL or a payload. */
const long = fc.nat().map((n) => `mark ${n} ${"lorem ipsum ".repeat(50)}${n}`);

/** Unexpected values: text in objects and arrays with any names. */
const strange: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  it: fc.oneof(
    { depthSize: "small" },
    long,
    fc.array(tie("it"), { maxLength: 3 }),
    fc.dictionary(fc.stringMatching(/^[a-z_]{1,8}$/), tie("it"), { maxKeys: 3 }),
    fc.constantFrom(null, true, 7),
  ),
})).it;

/** Every object within `value`. */
function objects(value: unknown): Record<string, unknown>[] {
  if (typeof value !== "object" || value === null) return [];
  const inner = Object.values(value).flatMap(objects);
  return Array.isArray(value) ? inner : [value as Record<string, unknown>, ...inner];
}

/** Every position of a value within `value`. */
function places(value: unknown): (readonly [holder: Record<string, unknown>, key: string])[] {
  if (typeof value !== "object" || value === null) return [];
  const holder = value as Record<string, unknown>;
  return Object.keys(holder).flatMap((key) => [[holder, key] as const, ...places(holder[key])]);
}

const pick = <T>(from: readonly T[], at: number): T => from[at % from.length]!;

describe("countRequest, by property", () => {
  for (const { file, silent, model, body } of FIXTURES) {
    it(`${file}: counts text under unknown keys, anywhere`, () => {
      fc.assert(
        fc.property(
          fc.array(fc.tuple(fc.nat(), strange), { minLength: 1, maxLength: 4 }),
          (extra) => {
            const changed = structuredClone(body);
            for (const [at, value] of extra) pick(objects(changed), at)[`x_${at}`] = value;
            assert.deepEqual(unseen(changed, silent, spy(changed, model)), []);
          },
        ),
        { numRuns: 150 },
      );
    });

    it(`${file}: sees text in place of anything that it has`, () => {
      fc.assert(
        fc.property(fc.nat(), fc.nat(), strange, (first, second, value) => {
          const changed = structuredClone(body);
          for (const at of [first, second]) {
            const [holder, key] = pick(places(changed), at);
            holder[key] = structuredClone(value);
          }
          assert.deepEqual(unseen(changed, silent, spy(changed, model)), []);
        }),
        { numRuns: 300 },
      );
    });

    it(`${file}: sees everything in any format that it is taken for`, () => {
      for (const format of REQUEST_FORMATS) {
        assert.deepEqual(unseen(body, silent, spy(body, model, format)), [], format);
      }
    });
  }

  it("sees names that are required of a tool, and that no property has", () => {
    const parameters = { type: "object", properties: null, required: ["isbn"] };
    const tools = [{ type: "function", name: "find", parameters }];
    const body = { model: "gpt-4o", input: "Which book?", tools };
    assert.deepEqual(unseen(body, "model type", spy(body)), []);
  });

  /** Bodies of the words that all APIs use, in no order. */
  const words = FIXTURES.flatMap(({ body }) => objects(body).flatMap(Object.keys));
  const types = FIXTURES.flatMap(({ body }) =>
    strings(body).filter(({ key }) => ["type", "role"].includes(key)).map(({ text }) => text)
  );
  const confused: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
    it: fc.oneof(
      { depthSize: "medium" },
      long,
      fc.constantFrom(null, 7, "short"),
      fc.array(tie("it"), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom(...words), tie("it"), { maxKeys: 5 }),
      fc.tuple(
        fc.constantFrom(...types),
        fc.dictionary(fc.constantFrom(...words), tie("it"), { maxKeys: 4 }),
      ).map(([type, rest]) => ({ ...rest, type })),
    ),
  })).it;
  const silent = [...new Set(types), "type", "role"].join(" ");
  const isLong = (found: string) => found.includes(": mark ");

  it("sees long text in any confusion of what APIs have", () => {
    const key = fc.constantFrom("messages", "contents", "input", "system", "prompt", "tools");
    const body = fc.tuple(fc.dictionary(key, confused, { minKeys: 1 }), confused)
      .map(([known, other]) => ({ ...known, other }));
    fc.assert(
      fc.property(body, fc.constantFrom(...REQUEST_FORMATS), (it, format) => {
        assert.deepEqual(unseen(it, silent, spy(it)).filter(isLong), []);
        assert.deepEqual(unseen(it, silent, spy(it, "gpt-5", format)).filter(isLong), []);
      }),
      { numRuns: 1_500 },
    );
  });

  it("accepts any JSON in any format", () => {
    fc.assert(
      fc.property(
        fc.jsonValue({ maxDepth: 6 }),
        fc.constantFrom(...REQUEST_FORMATS),
        (it, format) => {
          assert.ok(countRequest(it, { format }).tokens >= 0);
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe("the work of countRequest", () => {
  /** Counts calls and characters, which load cannot disturb as it does times. */
  const work = (body: unknown) => {
    const { counted, calls } = spy(body);
    return [counted.length, calls] as const;
  };
  const grow = (body: unknown, times: number): unknown => {
    if (Array.isArray(body)) return Array.from({ length: times }, () => body).flat();
    const entries = Object.entries(body as Record<string, unknown>);
    return Object.fromEntries(
      entries.map(([key, value]) => [key, Array.isArray(value) ? grow(value, times) : value]),
    );
  };

  for (const { file, body } of FIXTURES) {
    it(`${file}: grows no faster than its body`, () => {
      const [characters, calls] = work(body);
      const [more, moreCalls] = work(grow(body, 20));
      assert.ok(more <= 21 * characters, `${characters} to ${more} characters`);
      assert.ok(moreCalls <= 21 * calls, `${calls} to ${moreCalls} calls`);
    });
  }

  it("takes long bodies of small things in one go", () => {
    const many = <T>(it: T) => Array.from({ length: 50_000 }, () => it);
    const bodies = {
      parts: { messages: [{ role: "user", content: many({ type: "text", text: "a" }) }] },
      unknownFields: { messages: many({ role: "user", content: "a", b: { c: "d" } }) },
      payloads: {
        contents: many({ parts: [{ inlineData: { mimeType: "image/png", data: "x" } }] }),
      },
      quotes: { messages: [], a: `{"a":"${'\\"'.repeat(500_000)}"}` },
      noBase64: { messages: [], a: "aB1".repeat(500_000) + " " },
      keys: Object.fromEntries(many(0).map((_, i) => [`key ${i}`, "x"])),
      nested: { messages: [], a: JSON.parse("[".repeat(4_000) + "]".repeat(4_000)) },
    };
    for (const [name, body] of Object.entries(bodies)) {
      const start = performance.now();
      countRequest(body);
      const took = performance.now() - start;
      assert.ok(took < 5_000, `${name}: ${took} ms`);
    }
  });
});
