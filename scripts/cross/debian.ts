/**
 * Unpacks Debian packages of any processor into folders of their own, by an apt that has its own state: the machine's
 * packages, sources and architectures stay as they are. Needs no privileges.
 *
 * @module
 */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { sourceFiles } from "../apt.ts";
import { deriveSource } from "../apt_sources.ts";
import { once, run, TOOL } from "./folders.ts";

/** Versions of packages are asked for again after a day. */
const FRESH_MS = 86_400_000;

/** The release that the machine's own programs can use, with its security updates. */
const OWN = /^VERSION_CODENAME=(.*)$/m.exec(readText("/etc/os-release"))?.[1] ?? "";

/** One release of Debian. */
export class Debian {
  readonly suite: string;
  readonly #folder: string;
  readonly #environment: NodeJS.ProcessEnv;

  /** @param suite A name such as `trixie`; the machine's own unless named. */
  constructor(suite: string = OWN) {
    this.suite = suite;
    this.#folder = join(TOOL, "apt", suite);
    this.#environment = { ...process.env, APT_CONFIG: join(this.#folder, "apt.conf") };
    if (!isDebian()) {
      throw new Error("the tools of cross builds come from Debian's archive, as on Debian 12");
    }
  }

  /**
   * Unpacks packages and those of their dependencies that `follow` names. Packages of another processor are named as
   * `libc6:arm64`. Returns the folder.
   */
  unpack(name: string, packages: readonly string[], follow: RegExp = /^$/): string {
    const request = `${this.suite} ${packages.join(" ")} ${follow}`;
    const resolved = join(TOOL, name, ".resolved");
    if (isFresh(resolved) && readText(resolved) === request) return join(TOOL, name);
    this.#update();
    const all = this.#closure(packages, follow);
    const folder = once(name, this.#describe(all), (folder) => {
      run("apt-get", ["-q", "download", ...all], { cwd: folder, env: this.#environment });
      for (const file of readdirSync(folder).filter((file) => file.endsWith(".deb"))) {
        run("dpkg", ["-x", file, "."], { cwd: folder });
        rmSync(join(folder, file));
      }
    });
    writeFileSync(resolved, request);
    return folder;
  }

  /** Dependencies of another processor are not followed. */
  #closure(packages: readonly string[], follow: RegExp): string[] {
    const found = new Set(packages);
    let wave = packages.filter((name) => !name.includes(":"));
    while (wave.length > 0) {
      const depends = this.#ask(["depends", "--important", ...wave]);
      const names = [...depends.matchAll(/^ [ |](?:Pre)?Depends: ([^<\s]+)$/gm)].map(([, to]) =>
        to!
      );
      wave = [...new Set(names)].filter((name) => follow.test(name) && !found.has(name));
      for (const name of wave) found.add(name);
    }
    return [...found];
  }

  /** The packages with the versions that would be taken, which decide whether a folder is made again. */
  #describe(names: readonly string[]): string {
    const policy = this.#ask(["policy", ...names]);
    const candidates = [...policy.matchAll(/^ {2}Candidate: (\S+)/gm)].map(([, version]) =>
      version
    );
    const lacking = names.filter((_, i) => (candidates[i] ?? "(none)") === "(none)");
    if (lacking.length > 0) throw new Error(`Debian ${this.suite} lacks ${lacking.join(", ")}`);
    return `Debian's ${names.map((name, i) => `${name} ${candidates[i]}`).join(", ")}`;
  }

  #ask(args: readonly string[]): string {
    return run("apt-cache", args, { env: this.#environment });
  }

  #update(): void {
    const stamp = join(this.#folder, "updated");
    if (isFresh(stamp)) return;
    for (const part of ["state/lists/partial", "cache/archives/partial"]) {
      mkdirSync(join(this.#folder, part), { recursive: true });
    }
    writeFileSync(join(this.#folder, "status"), "");
    mkdirSync(join(this.#folder, "sources"), { recursive: true });
    for (const [i, source] of sourcesOf(this.suite).entries()) {
      const file = /^deb /.test(source) ? `${i}.list` : `${i}.sources`;
      writeFileSync(join(this.#folder, "sources", file), source);
    }
    writeFileSync(join(this.#folder, "apt.conf"), configuration(this.#folder));
    run("apt-get", ["-q", "update"], { env: this.#environment });
    writeFileSync(stamp, "");
  }
}

function isFresh(path: string): boolean {
  return existsSync(path) && Date.now() - statSync(path).mtimeMs < FRESH_MS;
}

function isDebian(): boolean {
  return /^ID=debian$/m.test(readText("/etc/os-release"));
}

/** The machine's own sources of a release and of its security updates, with another release in their place. */
function sourcesOf(suite: string): string[] {
  const texts = sourceFiles().map(readText);
  const found = ["", "-security"].map((part) =>
    texts.map((text) => deriveSource(text, OWN + part, suite + part)).find((source) => source)
  );
  const [base] = found;
  if (base === undefined) throw new Error(`no source of apt on this machine has ${OWN}`);
  return found.filter((source) => source !== undefined);
}

function configuration(folder: string): string {
  return `Dir::State "${folder}/state";
Dir::State::status "${folder}/status";
Dir::Cache "${folder}/cache";
Dir::Etc::sourcelist "/dev/null";
Dir::Etc::sourceparts "${folder}/sources";
Dir::Etc::preferencesparts "/dev/null";
APT::Architectures { "${process.arch === "arm64" ? "arm64" : "amd64"}"; "arm64"; };
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
`;
}

function readText(path: string): string {
  return existsSync(path) ? readFileSync(path, "utf8") : "";
}
