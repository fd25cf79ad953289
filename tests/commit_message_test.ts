/** The check of commit messages. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { faults } from "../scripts/commit_message.ts";

describe("the check of commit messages", () => {
  it("accepts conventional subjects with a body, and merges", () => {
    for (
      const message of [
        "fix(limiter): charge a late settle once\n\nIt was charged twice.\n",
        "feat!: rename Text to TextInput\n\nIt shadowed a global.\n# a comment of git\n",
        "Merge branch 'docs'\n",
      ]
    ) assert.deepEqual(faults(message), [], message);
  });

  it("names each fault", () => {
    const cases: [message: string, fault: RegExp][] = [
      ["Fix the limiter\n\nWhy.", /not "type\(scope\): imperative"/],
      ["wip: something\n\nWhy.", /not "type/],
      ["fix: Capital letter\n\nWhy.", /not "type/],
      ["fix: a full stop.\n\nWhy.", /not "type/],
      [`fix: ${"x".repeat(68)}\n\nWhy.`, /has 73 characters/],
      ["fix: no gap\nWhy.\n\nMore.", /is not empty/],
      ["fix: no body\n", /no body/],
      ["fix: only a comment\n\n# Please enter the commit message\n", /no body/],
    ];
    for (const [message, fault] of cases) {
      const found = faults(message);
      assert.equal(found.length, 1, message);
      assert.match(found[0]!, fault);
    }
  });
});
