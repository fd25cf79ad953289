/**
 * Installs what the tests of shared limits need and this machine lacks: Redis, Valkey, libfaketime and iproute2, from
 * the machine's own Debian sources. Services are not started.
 *
 *     bun scripts/install_servers.ts
 *
 * Where that cannot be done, it says so and succeeds, because those tests are skipped then. In CI one of the two servers
 * must be there in the end.
 *
 * @module
 */
import process from "node:process";
import { isOnPath } from "../tests/support/on_path.ts";
import { installAll } from "./apt.ts";

const PACKAGES: Readonly<Record<string, string>> = {
  "redis-server": "redis-server",
  "valkey-server": "valkey-server",
  faketime: "faketime",
  ip: "iproute2",
  tc: "iproute2",
};

const missing = [
  ...new Set(
    Object.entries(PACKAGES).filter(([program]) => !isOnPath(program)).map(([, name]) => name),
  ),
];
if (missing.length > 0) installAll(missing);
const servers = ["valkey-server", "redis-server"].filter(isOnPath);
if (servers.length === 0 && process.env["CI"] === "true") {
  console.error("CI must run the tests of shared limits, but no server could be installed.");
  process.exitCode = 1;
}
