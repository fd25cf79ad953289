/** The edits of `bench/ablation` against the sources that they edit. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { MECHANISMS } from "../bench/ablation/mechanisms.ts";

for (const [name, edits] of Object.entries(MECHANISMS)) {
  test(`the engine can be built without: ${name}`, () => {
    assert.ok(edits.length > 0);
    for (const { file, find, replace } of edits) {
      const source = readFileSync(new URL(`../${file}`, import.meta.url), "utf8");
      const occurrences = source.split(find).length - 1;
      assert.equal(occurrences, 1, `${file} contains ${occurrences} times: ${find}`);
      assert.notEqual(
        source.replace(find, () => replace),
        source,
        `${file}: an edit without effect`,
      );
    }
  });
}
