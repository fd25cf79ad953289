/** The check that replaced terms do not return. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { occurrences, readTerms } from "../scripts/terms.ts";

describe("the check of terms", () => {
  const terms = Object.keys(readTerms());

  it("finds whole words in any case, and across the lines of comments", () => {
    const text =
      "Nobody waits.\n//! There are so\n//! many.\n * comes\n * apart\nunscrambled solitudes\n";
    assert.deepEqual(occurrences(text, terms), [
      { line: 1, term: "nobody" },
      { line: 2, term: "so many" },
      { line: 4, term: "comes apart" },
    ]);
  });

  it("has a replacement for each term, which is no replaced term itself", () => {
    for (const [term, replacement] of Object.entries(readTerms())) {
      assert.equal(term, term.toLowerCase());
      assert.deepEqual(occurrences(replacement, terms), [], term);
    }
  });
});
