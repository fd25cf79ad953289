/** The registries on loopback with which the packed packages are tested. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, describe, it } from "node:test";
import { JsrRegistry } from "./packed/jsr_registry.ts";
import { npmScript } from "./packed/npm.ts";
import { Registry } from "./packed/registry.ts";

/** Answers in turn, then with the last one. Returns its URL, what it was asked for, and how it ends. */
async function upstream(...statuses: number[]) {
  const asked: string[] = [];
  const server = createServer(({ url }, response) => {
    const status = statuses[Math.min(asked.push(url!), statuses.length) - 1]!;
    response.writeHead(status, { "content-type": "application/json" }).end('{"name":"other"}');
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { url, asked, close };
}

describe("the registry on loopback", () => {
  it("asks the other registry once, and again after a failure", async () => {
    const other = await upstream(503, 404, 200);
    const registry = new Registry(other.url);
    await registry.listen();
    try {
      const statuses: number[] = [];
      for (let i = 0; i < 4; i++) {
        const response = await fetch(`${registry.url}/other`);
        await response.body?.cancel();
        statuses.push(response.status);
      }
      assert.deepEqual(statuses, [503, 404, 200, 200]);
      assert.deepEqual(other.asked, ["/other", "/other", "/other"]);
      const missing = await fetch(`${registry.url}/@sluice%2fnative`);
      await missing.body?.cancel();
      assert.equal(missing.status, 404);
      assert.equal(other.asked.length, 3, "a package of ours is never asked for elsewhere");
    } finally {
      await registry.close();
      await other.close();
    }
  });
});

describe("the JSR registry on loopback", () => {
  const folder = mkdtempSync(join(tmpdir(), "sluice-jsr-"));
  after(() => rmSync(folder, { recursive: true }));

  it("takes files without any permission, as Deno sends them, from a user that is not root", async () => {
    const [sent, tarball] = [join(folder, "sent"), join(folder, "sent.tgz")];
    mkdirSync(sent);
    writeFileSync(join(sent, "deno.json"), '{ "exports": "./mod.ts" }');
    writeFileSync(join(sent, "mod.ts"), "export {};");
    const files = ["deno.json", "mod.ts"];
    execFileSync("tar", ["--mode=000", "-czf", tarball, "-C", sent, ...files]);
    const registry = new JsrRegistry(join(folder, "registry"));
    await registry.listen();
    try {
      const publication = new URL("/api/scopes/a/packages/b/versions/1.0.0", registry.url);
      const published = await fetch(publication, { method: "POST", body: readFileSync(tarball) });
      assert.equal(published.status, 200, await published.text());
      const file = await fetch(new URL("/@a/b/1.0.0/mod.ts", registry.url));
      assert.equal(await file.text(), "export {};");
      // Root reads them anyway.
      for (const name of files) {
        assert.ok(statSync(join(folder, "registry/1.0.0", name)).mode & 0o400, name);
      }
    } finally {
      await registry.close();
    }
  });
});

describe("npm's own script", { skip: process.platform === "win32" && "makes links" }, () => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "sluice-npm-")));
  after(() => rmSync(folder, { recursive: true }));

  it("is found from the command, wherever global packages are", () => {
    const [bin, lib] = [join(folder, "bin"), join(folder, "lib")];
    for (const made of [bin, lib]) mkdirSync(made);
    writeFileSync(join(lib, "npm-cli.js"), "");
    symlinkSync(join(lib, "npm-cli.js"), join(bin, "npm"));
    assert.equal(npmScript(`${lib}:${bin}`), join(lib, "npm-cli.js"));
    const beside = join(folder, "node/node_modules/npm/bin");
    mkdirSync(beside, { recursive: true });
    writeFileSync(join(beside, "npm-cli.js"), "");
    assert.equal(npmScript(`${join(folder, "node")}:${bin}`), join(beside, "npm-cli.js"));
  });
});
