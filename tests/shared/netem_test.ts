/**
 * Four gateways on a network that delays and loses packets: a scenario in a network namespace of its own, with the
 * queueing discipline `netem` on its loopback.
 *
 * @module
 */
import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import process from "node:process";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { runtimeName } from "../../bench/machine.ts";
import { executable, runArguments } from "../../bench/runtimes.ts";
import { NO_STORE } from "../support/store_server.ts";

/** Runs a program in a namespace whose loopback has these properties. */
const inNamespace = (netem: string, program: readonly string[]): string[] => [
  ...["unshare", "--net", "sh", "-c"],
  `ip link set lo up && tc qdisc add dev lo root netem ${netem} && exec "$@"`,
  ...["sh", ...program],
];

const NO_NETEM = NO_STORE || whyNot();

/** Namespaces need root, and netem needs a kernel module. */
function whyNot(): string | false {
  const [file, ...args] = inNamespace("delay 1ms", ["true"]);
  const { error, stderr, status } = spawnSync(file!, args, { encoding: "utf8" });
  if (status === 0) return false;
  const why = `skipped: no network emulation: ${error?.message ?? stderr.trim()}`;
  console.warn(why);
  return why;
}

describe("four gateways on a bad network", { skip: NO_NETEM }, () => {
  for (const netem of ["delay 5ms 2ms", "delay 1ms loss 1%"]) {
    it(`keep burst + rate * W with ${netem}`, { timeout: 100_000 }, async () => {
      const soak = runArguments(runtimeName(), new URL("soak.ts", import.meta.url), [
        "no failure, mode auto",
        ...["--minutes", "0.001", "--stretch", "1"],
      ]);
      const [file, ...args] = inNamespace(netem, [executable(runtimeName()), ...soak]);
      const [code, output] = await new Promise<[unknown, string]>((resolve) => {
        const options = { cwd: fileURLToPath(new URL("../..", import.meta.url)), env: process.env };
        execFile(file!, args, options, (error, stdout, stderr) => {
          resolve([error?.code ?? 0, stdout + stderr]);
        });
      });
      assert.equal(code, 0, output);
    });
  }
});
