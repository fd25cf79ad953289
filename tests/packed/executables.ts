/**
 * Builds what `docs/single-executables.md` describes, by the commands that it has, and runs the results in empty folders.
 *
 * @module
 */
import { execFileSync, spawnSync } from "node:child_process";
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, delimiter, dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { installPacked } from "../../scripts/install_packed.ts";
import { localLibrary } from "../../scripts/pack/platform_package.ts";
import type { Target } from "../../scripts/release/targets.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const TOOLS = join(ROOT, "node_modules/.bin");
const GUIDE = readFileSync(join(ROOT, "docs/single-executables.md"), "utf8");

/** The blocks of the guide that are not TypeScript. */
const BLOCKS = [...GUIDE.matchAll(/^```(\w*)\n([^]*?)^```$/gm)]
  .filter(([, language]) => language === "").map((match) => match[2]!);

/** All commands of the guide. */
export const COMMANDS: readonly string[] = BLOCKS.flatMap((block) => block.split("\n"))
  .filter((line) => /^(?:bun|deno|esbuild|node|rolldown) /.test(line));

type Variables = Readonly<Record<string, string>>;

/** A project of a user, with the packed packages and the program of the guide. */
export class Project {
  readonly folder: string = realpathSync(
    mkdtempSync(join(tmpdir(), "sluice-executables-")),
  );
  readonly home: string = join(this.folder, "home");
  readonly #project = join(this.folder, "project");
  readonly #tarballs: string | undefined;
  #deployed = 0;

  /** @param tarballs The folder of the packed packages. They are packed unless it is named. */
  constructor(tarballs?: string) {
    mkdirSync(this.#project);
    mkdirSync(this.home, { mode: 0o700 });
    this.#tarballs = tarballs;
    installPacked(this.#project, tarballs);
    const manifest = { type: "module", dependencies: { sluice: "*" } };
    this.write("package.json", JSON.stringify(manifest));
    const program = /^```ts\n([^]*?)^```$/m.exec(GUIDE)![1]!;
    this.write("main.ts", program.replace("./mod.ts", "sluice"));
  }

  /** A path in the project. */
  path(...names: readonly string[]): string {
    return join(this.#project, ...names);
  }

  write(name: string, content: string): void {
    writeFileSync(this.path(name), content);
  }

  /**
   * Adds the package of another target: one of the tarballs, or one with the library of `make cross`, or with that of this
   * machine instead.
   *
   * @returns Whether it has the library of the target.
   */
  addPlatform(target: Target): boolean {
    const isFit = (file: string): boolean => file.startsWith(`sluice-${target.name}-`);
    if (
      this.#tarballs !== undefined && readdirSync(this.#tarballs).some(isFit)
    ) {
      installPacked(this.#project, this.#copied(this.#tarballs, isFit), () => true);
      return true;
    }
    const built = join(ROOT, ".build/cross/lib", target.name, target.file);
    const library = existsSync(built) ? built : localLibrary().path;
    const out = mkdtempSync(join(this.folder, "packed-"));
    const options = [
      "--only",
      "platform",
      "--library",
      library,
      "--target",
      target.name,
    ];
    execFileSync(join(TOOLS, "bun"), [
      "scripts/pack_npm.ts",
      ...options,
      "--out",
      out,
    ], {
      cwd: ROOT,
    });
    installPacked(this.#project, out, () => true);
    return library === built;
  }

  /** A folder with some of the files of another one. */
  #copied(from: string, isFit: (file: string) => boolean): string {
    const folder = mkdtempSync(join(this.folder, "packed-"));
    for (
      const file of readdirSync(from).filter((name) => name.endsWith(".tgz") && isFit(name))
    ) {
      copyFileSync(join(from, file), join(folder, file));
    }
    return folder;
  }

  /** Writes the block of the guide that contains `words` to a file. */
  writeBlock(name: string, words: string): void {
    this.write(name, BLOCKS.find((block) => block.includes(words))!);
  }

  /** Runs a command of the guide. */
  build(command: string): void {
    if (!COMMANDS.includes(command)) {
      throw new Error(`the guide has no command ${command}`);
    }
    rmSync(this.path("dist"), { recursive: true, force: true });
    const { status, stdout, stderr } = spawnSync("sh", ["-c", command], {
      cwd: this.#project,
      encoding: "utf8",
      env: {
        ...process.env,
        PATH: `${TOOLS}${delimiter}${process.env["PATH"]}`,
      },
    });
    if (status !== 0) throw new Error(`${command}\n${stdout}${stderr}`);
  }

  /** Moves a file or folder to an empty folder. Returns its path there. */
  deploy(name: string): string {
    const folder = join(this.folder, `deployed${this.#deployed++}`);
    mkdirSync(folder);
    const [from, to] = [this.path(name), join(folder, basename(name))];
    if (statSync(from).isDirectory()) cpSync(from, to, { recursive: true });
    else copyFileSync(from, to);
    rmSync(from, { recursive: true });
    return to;
  }

  /** What a program prints that runs where it is, and all that it wrote to its streams if it fails. */
  run(command: readonly string[], variables: Variables = {}): string {
    const [program, ...args] = command;
    const { status, signal, stdout, stderr, error } = spawnSync(
      program!,
      args,
      {
        cwd: dirname(command.at(-1)!),
        encoding: "utf8",
        env: this.environment(variables),
      },
    );
    if (status === 0) return stdout.trim();
    throw new Error(
      `${command.join(" ")}: ${error ?? signal ?? status}\n${stdout}${stderr}`,
    );
  }

  /** What a program needs of the environment. */
  environment(variables: Variables): Record<string, string> {
    const { PATH = "" } = process.env;
    return { PATH, HOME: this.home, NO_COLOR: "1", ...variables };
  }

  close(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A small file system that is mounted with noexec, or the reason why there is none. */
export function mountNoexec(
  folder: string,
): { readonly reason?: string; unmount(): void } {
  mkdirSync(folder, { recursive: true });
  const { status, stderr, error } = spawnSync(
    "mount",
    ["-t", "tmpfs", "-o", "noexec,size=64m,mode=700", "tmpfs", folder],
    { encoding: "utf8" },
  );
  if (status === 0) {
    return { unmount: () => void execFileSync("umount", [folder]) };
  }
  return {
    reason: `mounting is not permitted: ${error ?? stderr.trim()}`,
    unmount: () => {},
  };
}
