/**
 * What is built and run for each command of `docs/single-executables.md`.
 *
 * @module
 */
import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { mountNoexec, type Project } from "./executables.ts";

const TOOLS = fileURLToPath(
  new URL("../../node_modules/.bin/", import.meta.url),
);
/** Bun's command. */
export const BUN: readonly string[] = [join(TOOLS, "bun")];
const DENO = [join(TOOLS, "deno"), "run", "--allow-ffi"];
const NODE = [join(TOOLS, "node"), "--disable-warning=ExperimentalWarning"];
/** What the program prints. */
export const PRINTED = "4";

/** A case. Its result is printed behind its name. */
export interface Case {
  readonly name: string;
  /** The commands of the guide that it runs. */
  readonly commands: readonly string[];
  /** Why it cannot run here. */
  unfit?(project: Project): string | undefined;
  run(project: Project): Promise<string | void> | string | void;
}

/** The shortest command of the guide. */
export const COMPILE = "bun build --compile main.ts --outfile app";

/** An executable that is built once, in a folder without anything else. */
const compiled = new WeakMap<Project, string>();

function executable(project: Project): string {
  let path = compiled.get(project);
  if (path === undefined) {
    project.build(COMPILE);
    compiled.set(project, path = project.deploy("app"));
  }
  return path;
}

/** Calls `use` with the path of a folder whose file system is mounted with noexec. */
async function withNoexec(
  project: Project,
  use: (folder: string) => Promise<string> | void,
): Promise<string | void> {
  const folder = join(project.folder, "noexec");
  const { reason, unmount } = mountNoexec(folder);
  if (reason !== undefined) throw new Error(reason);
  try {
    return await use(folder);
  } finally {
    unmount();
  }
}

function cannotMount(project: Project): string | undefined {
  const { reason, unmount } = mountNoexec(join(project.folder, "noexec"));
  unmount();
  return reason;
}

/** The copies in the cache folder of the project's user. */
function copies(project: Project): string[] {
  const folder = join(project.home, ".cache");
  return existsSync(folder) ? librariesIn(folder) : [];
}

/** The copies in a folder, and all parts of them. */
function librariesIn(folder: string): string[] {
  const found = readdirSync(join(folder, "sluice"), { recursive: true, encoding: "utf8" });
  return found.filter((name) => name.includes("/")).map((name) => join(folder, "sluice", name));
}

/** The cases of Bun's executables on this platform. */
export const BUN_CASES: readonly Case[] = [
  {
    name: "bun build --compile: runs alone, and copies nothing itself",
    commands: [COMPILE],
    run(project) {
      assert.equal(project.run([executable(project)]), PRINTED);
      assert.deepEqual(copies(project), []);
    },
  },
  {
    name: "  with a temporary folder that is mounted with noexec",
    commands: [],
    unfit: cannotMount,
    run: (project) =>
      withNoexec(project, async (TMPDIR) => {
        const app = executable(project);
        const env = project.environment({ TMPDIR });
        const started = Array.from({ length: 6 }, () => promisify(execFile)(app, { env }));
        for (const { stdout } of await Promise.all(started)) {
          assert.equal(stdout.trim(), PRINTED);
        }
        const [copy, ...others] = copies(project);
        assert.deepEqual(others, []);
        // It would end the process by a signal.
        chmodSync(copy!, 0o700);
        writeFileSync(copy!, readFileSync(copy!).subarray(0, 8192));
        assert.equal(project.run([app], { TMPDIR }), PRINTED);
        // With a folder for copies from which nothing can be loaded either, before one that can be used.
        const variables = { TMPDIR, XDG_CACHE_HOME: join(TMPDIR, "cache") };
        mkdirSync(variables.XDG_CACHE_HOME, { mode: 0o700 });
        const XDG_RUNTIME_DIR = join(project.home, "run");
        assert.equal(project.run([app], { ...variables, XDG_RUNTIME_DIR }), PRINTED);
        assert.deepEqual(librariesIn(variables.XDG_CACHE_HOME), []);
        assert.equal(librariesIn(XDG_RUNTIME_DIR).length, 1);
        return "6 at once made one copy, a truncated one was replaced, and one in the wrong folder removed";
      }),
  },
  {
    name: "  and with no folder for a copy, it says so",
    commands: [],
    unfit: cannotMount,
    run: (project) =>
      withNoexec(project, (TMPDIR) => {
        const home = join(project.folder, "open");
        mkdirSync(home);
        chmodSync(home, 0o777);
        const variables = { TMPDIR, XDG_CACHE_HOME: home };
        const run = (): string => project.run([executable(project)], variables);
        assert.throws(run, (error: Error) => {
          assert.match(error.message, /SLUICE_LIBRARY_NOT_LOADED/);
          assert.match(error.message, /mounted with noexec\./);
          assert.match(
            error.message,
            /\/sluice \(cache folder\) .*: others may write to .*open/,
          );
          assert.match(error.message, /Name a folder in XDG_CACHE_HOME/);
          return true;
        });
      }),
  },
];

/** The cases of other tools, and of other ways to use Bun. */
export const OTHER_CASES: readonly Case[] = [
  bunOptions(),
  otherCLibrary(),
  nodeExecutable(),
  bundle(
    "bun build",
    ["bun build --target=bun --outdir=dist main.ts"],
    "main.js",
    [BUN],
  ),
  ...["mjs", "cjs"].map((extension) => {
    const format = extension === "mjs" ? "esm" : "cjs";
    const command =
      `esbuild main.ts --bundle --platform=node --format=${format} --conditions=sluice-embed ` +
      `--loader:.so=file --outdir=dist --out-extension:.js=.${extension}`;
    return bundle(`esbuild, ${format}`, [command], `main.${extension}`, [
      BUN,
      DENO,
      NODE,
    ]);
  }),
  bundle("rolldown", ["rolldown -c rolldown.config.mjs"], "main.js", [
    BUN,
    DENO,
    NODE,
  ]),
  ...[
    [
      "esbuild main.ts --bundle --platform=node --format=esm --outdir=dist --out-extension:.js=.mjs",
      "main.mjs",
    ],
    ["rolldown main.ts --platform node --dir dist", "main.js"],
    ["deno bundle --output dist/main.js main.ts", "main.js"],
  ].map(([command, file]) => withoutLibrary(command!, file!)),
];

function bunOptions(): Case {
  const command = "bun build --compile --minify --bytecode --format=esm main.ts --outfile app";
  return {
    name: "bun build --compile --bytecode",
    commands: [command],
    run(project) {
      project.build(command);
      assert.equal(project.run([project.deploy("app")]), PRINTED);
    },
  };
}

/** With a library that needs `libc.so`, as one for musl does. */
function otherCLibrary(): Case {
  const path = (project: Project): string =>
    project.path(`node_modules/@sluice/linux-${process.arch}-gnu/libsluice.so`);
  return {
    name:
      "bun build --compile: with the library for another C library, it says so and leaves no copy",
    commands: [COMPILE],
    unfit: (project) => existsSync(path(project)) ? undefined : "this system has musl",
    run(project) {
      const library = path(project);
      const bytes = readFileSync(library);
      const at = bytes.indexOf("\0libc.so.6\0");
      assert.ok(at > 0);
      const before = copies(project);
      try {
        writeFileSync(library, Buffer.from(bytes).fill(0, at + 8, at + 10));
        project.build(COMPILE);
      } finally {
        writeFileSync(library, bytes);
      }
      const app = project.deploy("app");
      assert.throws(() => project.run([app]), (error: Error) => {
        assert.match(error.message, /SLUICE_LIBRARY_NOT_LOADED/);
        assert.match(error.message, /libc\.so: (?:invalid ELF header|cannot open)/);
        assert.doesNotMatch(error.message, /\(cache folder\) cannot be loaded/);
        return true;
      });
      assert.deepEqual(copies(project), before);
    },
  };
}

function nodeExecutable(): Case {
  const commands = [
    "rolldown main.ts --platform node --format cjs --file main.cjs",
    "node --build-sea sea.json",
  ];
  return {
    name: "node --build-sea: loads a copy of the asset",
    commands,
    run(project) {
      project.writeBlock("sea.json", '"assets"');
      for (const command of commands) project.build(command);
      const app = project.deploy("app");
      const before = copies(project);
      assert.equal(project.run([app]), PRINTED);
      assert.equal(copies(project).length, Math.max(before.length, 1));
      const { stdout, stderr } = spawnSync(app, { encoding: "utf8", env: project.environment({}) });
      assert.deepEqual([stdout.trim(), stderr], [PRINTED, ""]);
    },
  };
}

/** A bundle with the library beside it, in runtimes. */
function bundle(
  name: string,
  commands: readonly string[],
  file: string,
  runtimes: readonly (readonly string[])[],
): Case {
  return {
    name: `${name}: brings the library along`,
    commands,
    run(project) {
      if (name === "rolldown") {
        project.writeBlock("rolldown.config.mjs", "moduleTypes");
      }
      for (const command of commands) project.build(command);
      const folder = project.deploy("dist");
      for (const runtime of runtimes) {
        assert.equal(project.run([...runtime, join(folder, file)]), PRINTED);
      }
      assert.equal(libraries(folder).length, 1);
    },
  };
}

/** A bundle that finds the library in `node_modules` above it or by SLUICE_LIB, and says so if there is none. */
function withoutLibrary(command: string, file: string): Case {
  return {
    name: command,
    commands: [command],
    run(project) {
      project.build(command);
      const runtimes = [BUN, [...DENO, "--allow-env=SLUICE_LIB"], NODE];
      for (const runtime of runtimes) {
        assert.equal(
          project.run([...runtime, project.path("dist", file)]),
          PRINTED,
        );
      }
      const folder = project.deploy("dist");
      assert.deepEqual(libraries(folder), []);
      const [library] = libraries(project.path("node_modules/@sluice"));
      for (const runtime of runtimes) {
        const start = [...runtime, join(folder, file)];
        assert.throws(
          () => project.run(start),
          /SLUICE_LIBRARY_NOT_FOUND|bundle has to bring it/,
        );
        assert.equal(project.run(start, { SLUICE_LIB: library! }), PRINTED);
      }
    },
  };
}

function libraries(folder: string): string[] {
  const all = readdirSync(folder, { recursive: true, encoding: "utf8" });
  return all.filter((name) => /\.(?:so|dylib|dll)$/.test(name)).map((name) => join(folder, name));
}

/** Whether the commands of the guide can be run by this machine's shell, or why not. */
export const UNFIT: string | undefined = process.platform === "linux"
  ? undefined
  : "the guide's commands are for Linux";
