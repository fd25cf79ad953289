/**
 * Every function with options refuses unknown ones, and accepts each documented one: tables of such calls, in
 * `tests/fixtures/options`.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { after, describe, it } from "node:test";
import * as corpora from "./fixtures/options/corpus.ts";
import * as http from "./fixtures/options/http.ts";
import * as limiters from "./fixtures/options/limiter.ts";
import * as lines from "./fixtures/options/lines.ts";
import * as pools from "./fixtures/options/pools.ts";
import * as tokenizers from "./fixtures/options/tokenizer.ts";

const TABLES = [tokenizers, limiters, lines, corpora, http, pools];
const takers = new Map(TABLES.flatMap(({ takers }) => [...takers]));

describe("Options", () => {
  after(async () => {
    for (const { closeAll } of TABLES) await closeAll();
  });

  for (const [what, { options, call }] of takers) {
    const called = async (options: object): Promise<unknown> => await call(options as never);

    it(`of ${what}: each documented one is accepted`, async () => {
      await called(options);
      // Inherited properties are ignored.
      await called(Object.assign(Object.create({ others: 1 }), options));
    });

    it(`of ${what}: an unknown one is a TypeError that names it`, async () => {
      for (const option of Object.keys(options)) {
        const misspelt = { ...options, [`${option}x`]: 1 };
        await assert.rejects(called(misspelt), (error: Error) => {
          assert.equal(error.name, "TypeError", String(error));
          assert.ok(error.message.includes(`must not have "${option}x"`), error.message);
          return true;
        });
      }
    });

    it(`of ${what}: a value that is not an object is a TypeError`, async () => {
      for (const options of [null, 1, "options"]) {
        await assert.rejects(
          called(options as never),
          { name: "TypeError", message: /must be (a boolean or )?an object/ },
        );
      }
    });
  }

  it("are refused before they have an effect", () => {
    const { pool, resources } = pools;
    assert.deepEqual(
      [pool.stats().inFlight, pool.stats().upstreams.length, resources.stats().inUse],
      [0, 1, 0],
    );
    assert.equal(limiters.limiter.stats().reservations, 0);
  });

  it("of every exported type are tested here", () => {
    const src = new URL("../src/", import.meta.url);
    const types = readdirSync(src, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !["cli", "ffi", "files"].includes(entry.name))
      .flatMap(({ name }) => {
        const source = readFileSync(new URL(`${name}/mod.ts`, src), "utf8");
        return source.match(/\b\w+(Options|Changes)\b/g) ?? [];
      });
    assert.ok(types.length > 25, `${types.length} types`);
    const tried = new Set([...takers.values()].map(({ type }) => type));
    tried.add("PlanOptions"); // It is a part of a record, and no call takes it.
    assert.deepEqual([...new Set(types)].filter((type) => !tried.has(type)), []);
  });
});
