/**
 * Clocks of a process that are changed while it runs, by libfaketime.
 *
 * @module
 */
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { lacking } from "./lacking.ts";
import { INSTALLED } from "./store_server.ts";

const LIBRARY = "faketime/libfaketimeMT.so.1";

/** The library, if it is installed. */
const PATH: string | undefined = ["/usr/lib", "/usr/local/lib"].flatMap((folder) => {
  const inside = existsSync(folder) ? readdirSync(folder) : [];
  return [folder, ...inside.map((name) => join(folder, name))];
}).map((folder) => join(folder, LIBRARY)).find((path) => existsSync(path));

/** Why tests that change clocks are skipped. */
export const NO_FAKE_TIME: string | false = PATH === undefined
  ? lacking("libfaketime is not installed (scripts/install_servers.ts installs it)")
  : false;

/** Why tests that change the clock of a server are skipped. libfaketime works with Redis only. */
export const NO_FAKED_SERVER: string | false = NO_FAKE_TIME ||
  (!INSTALLED.includes("redis") &&
    lacking("redis-server, whose clock can be changed, is not installed"));

/** Which clocks are changed. */
export type FakedClocks = "wall" | "all";

/** A clock setting that any number of processes follow. */
export class FakeTime implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), "sluice-clock-"));
  readonly #file = join(this.#folder, "clock");

  /** @param setting As `set` takes it. */
  constructor(setting = "+0") {
    this.set(setting);
  }

  /** Changes the clocks: `+3600` is an hour ahead, `+0 x0.9` runs slow by a tenth. */
  set(setting: string): void {
    writeFileSync(this.#file, `${setting}\n`);
  }

  /**
   * The environment of a process that follows.
   *
   * Debian's Redis allocates by jemalloc, which reads the clock before libfaketime is ready; with `isServer` the C
   * library's allocator comes first.
   */
  environment(clocks: FakedClocks, isServer = false): Record<string, string> {
    return {
      LD_PRELOAD: isServer ? `${PATH}:libc.so.6` : PATH!,
      FAKETIME_TIMESTAMP_FILE: this.#file,
      FAKETIME_NO_CACHE: "1",
      DONT_FAKE_MONOTONIC: clocks === "wall" ? "1" : "0",
    };
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
