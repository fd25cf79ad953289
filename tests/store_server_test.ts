import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { connect } from "node:net";
import { describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { INSTALLED, NO_STORE, StoreServer } from "./support/store_server.ts";
import { evalCommand } from "./support/runtime.ts";

describe("a server for tests", { skip: NO_STORE }, () => {
  for (const kind of INSTALLED) {
    it(`${kind} starts, answers, and loses its data when it is killed`, async () => {
      await using server = await StoreServer.start({ kind });
      assert.match(await server.command("info", "server"), /redis_version/);
      await server.command("set", "a", "1");
      const { pid } = server;
      await server.kill();
      await assert.rejects(server.command("ping"));
      await server.restart();
      assert.notEqual(server.pid, pid);
      assert.equal(await server.command("get", "a"), "");
    });

    it(`${kind} keeps what was written if it is durable`, async () => {
      await using server = await StoreServer.start({ kind, isDurable: true });
      await server.command("set", "a", "1");
      await server.restart();
      assert.equal(await server.command("get", "a"), "1");
    });

    it(`${kind} answers nothing while it is paused, and later everything`, async () => {
      await using server = await StoreServer.start({ kind });
      server.pause();
      let isAnswered = false;
      const answer = server.command("ping").then((text) => {
        isAnswered = true;
        return text;
      });
      await sleep(300);
      assert.equal(isAnswered, false);
      server.resume();
      assert.equal(await answer, "PONG");
    });
  }

  it("reports a server that cannot start", async () => {
    await assert.rejects(
      StoreServer.start({ args: ["--no-such-option", "1"] }),
      /ended early: 1/,
    );
  });
});

describe("a process that is killed", { skip: NO_STORE }, () => {
  it("takes its servers with it", async () => {
    const module = new URL("support/store_server.ts", import.meta.url).href;
    const program = `
      const { StoreServer } = await import(${JSON.stringify(module)});
      const { port, directory } = await StoreServer.start();
      console.log(JSON.stringify({ port, directory }));
      process.kill(process.pid, "SIGKILL");`;
    const [command, ...args] = evalCommand(program);
    const { stdout } = spawnSync(command!, args, { encoding: "utf8" });
    const { port, directory } = JSON.parse(stdout) as { port: number; directory: string };
    for (const end = performance.now() + 10_000; await isAnswering(port);) {
      assert.ok(performance.now() < end, "the server still answers");
      await sleep(20);
    }
    rmSync(directory, { recursive: true });
  });
});

function isAnswering(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => resolve(true));
    socket.once("error", () => resolve(false)).once("connect", () => socket.destroy());
  });
}
