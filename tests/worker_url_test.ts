/** Where the script of Workers is, beside a module that comes from anywhere. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { workerUrl } from "../src/corpus/worker_url.ts";

describe("the script of the Workers", () => {
  it("is beside the module, in a checkout and in a package", () => {
    assert.equal(workerUrl().href, new URL("../src/corpus/worker.ts", import.meta.url).href);
    const chunk = "file:///app/node_modules/sluice/src/chunks/sluice-a1b2.js";
    assert.equal(workerUrl(chunk).href, "file:///app/node_modules/sluice/src/corpus/worker.js");
  });

  it("is imported by a data: URL from JSR, as node:worker_threads takes no https: URL", () => {
    const { href } = workerUrl("https://jsr.io/@sluice/sluice/0.1.0/src/corpus/worker_url.ts");
    const [head, code] = href.split(",");
    assert.equal(head, "data:text/javascript");
    assert.equal(
      decodeURIComponent(code!),
      'import "https://jsr.io/@sluice/sluice/0.1.0/src/corpus/worker.ts";',
    );
  });
});
