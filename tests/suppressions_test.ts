/** The suppressions of the leak checker against the sources: a function that is renamed loses its own. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

const RUST = new URL("../rust/", import.meta.url);

test("every suppression of a leak names a function of the sources", () => {
  const files = (readdirSync(RUST, { recursive: true }) as string[]).filter((name) =>
    name.endsWith(".rs")
  );
  const sources = files.map((name) =>
    readFileSync(new URL(name.replaceAll("\\", "/"), RUST), "utf8")
  );
  const list = readFileSync(new URL("../scripts/lsan.txt", import.meta.url), "utf8");
  const names = [...list.matchAll(/^leak:.*?(\w+)$/gm)].map(([, name]) => name!);
  assert.ok(names.length > 0);
  for (const name of names) {
    assert.ok(sources.some((text) => text.includes(`fn ${name}(`)), `no function ${name}`);
  }
});
