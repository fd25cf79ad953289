/**
 * Makes single executables out of the packages of a release on any system, by Bun, Deno and Node.js, and runs each in an
 * empty folder. (`tests/packed/single_executables.ts` has more cases, for Linux.)
 *
 *     bun scripts/release/executables.ts FOLDER [--runtimes bun,deno,node]    # the folder with the packages
 *
 * Deno downloads the runtime of an executable, and no package registry has it. Where that fails, this says so and
 * succeeds; in CI it fails. The last line is `N passed, N failed`.
 *
 * @module
 */
import { spawn } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { startRegistry } from "../../tests/packed/registry.ts";
import { type Target, TARGETS } from "./targets.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const PROGRAM = `import { Tokenizer } from "sluice/tokenizer";
console.log(new Tokenizer("o200k_base").count("Hello, world!"));
`;

const { positionals: [folder], values: { runtimes } } = parseArgs({
  allowPositionals: true,
  options: { runtimes: { type: "string", default: "bun,deno,node" } },
});
if (folder === undefined) throw new TypeError("executables.ts needs the folder with the packages");
const isWindows = process.platform === "win32";
const app = isWindows ? "app.exe" : "app";
const scratch = mkdtempSync(join(tmpdir(), "sluice-executables-"));
const [project, empty] = [join(scratch, "project"), join(scratch, "empty")];

/** Runs a command in the project. Not synchronously, because the registry is in this process. */
function run(
  program: string,
  args: readonly string[],
  cwd: string = project,
): Promise<{ code: number; output: string }> {
  return new Promise((resolve, reject) => {
    const { SLUICE_LIB: _, ...env } = process.env;
    // What npm installs on Windows are scripts of its shell.
    const child = spawn(program, args, { cwd, env, shell: isWindows });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => output += text);
    }
    child.on("error", reject);
    child.on("close", (code) => resolve({ code: code ?? 1, output }));
  });
}

/** The command of a package in `node_modules`, or else that of the system. */
function commandOf(name: string): string {
  const installed = join(ROOT, "node_modules/.bin", isWindows ? `${name}.cmd` : name);
  return existsSync(installed) ? installed : name;
}

/** The target whose package npm has installed here. */
function installedTarget(): Target {
  const names = readdirSync(join(project, "node_modules/@sluice"));
  return TARGETS.find(({ name }) => names.includes(name))!;
}

/** The commands that make `app` out of `main.js`, by runtime. */
const makers: Readonly<Record<string, () => readonly (readonly string[])[]>> = {
  bun: () => [["bun", "build", "--compile", "main.js", "--outfile", app]],
  deno: () => [["deno", "compile", "--allow-ffi", "--output", app, "main.js"]],
  node: () => {
    const { name, file } = installedTarget();
    const assets = { [`sluice/${file}`]: `node_modules/@sluice/${name}/${file}` };
    const options = { main: "main.cjs", output: app, disableExperimentalSEAWarning: true, assets };
    writeFileSync(join(project, "sea.json"), JSON.stringify(options));
    const format = ["--platform", "node", "--format", "cjs", "--file", "main.cjs"];
    return [
      ["rolldown", "main.js", ...format],
      ["node", "--build-sea", "sea.json"],
      // macOS runs no program whose signature is not that of its bytes.
      ...(process.platform === "darwin" ? [["codesign", "--force", "--sign", "-", app]] : []),
    ];
  },
};

/** Makes an executable and runs it. Returns what went wrong, if anything did. */
async function attempt(runtime: string): Promise<string | undefined> {
  for (const [name, ...args] of makers[runtime]!()) {
    const { code, output } = await run(commandOf(name!), args);
    if (code !== 0) return `${name} ${args.join(" ")}: ${output}`;
  }
  renameSync(join(project, app), join(empty, app));
  const modules = join(project, "node_modules");
  // Where the packages were is no help to it.
  renameSync(modules, `${modules}-away`);
  const { output } = await run(join(empty, app), [], empty);
  renameSync(`${modules}-away`, modules);
  return /^4$/m.test(output) ? undefined : `the executable said ${output}`;
}

const total = { passed: 0, failed: 0 };
const registry = await startRegistry(folder);
try {
  for (const made of [project, empty]) mkdirSync(made);
  writeFileSync(join(project, "package.json"), '{ "type": "module" }\n');
  writeFileSync(join(project, "main.js"), PROGRAM);
  const install = ["install", "--no-audit", "--no-fund", `--registry=${registry.url}`, "sluice"];
  const { code, output } = await run("npm", install);
  if (code !== 0) throw new Error(output);
  for (const runtime of runtimes.split(",")) {
    const fault = await attempt(runtime);
    const isSkipped = fault?.includes("error sending request") && process.env["CI"] !== "true";
    if (fault === undefined) total.passed++;
    else if (!isSkipped) total.failed++;
    console.log(`${fault === undefined ? "ok" : isSkipped ? "skipped" : "FAILED"}  ${runtime}`);
    if (fault !== undefined && !isSkipped) console.error(fault);
    if (isSkipped) console.log("  Deno cannot download the runtime of an executable here");
  }
} finally {
  await registry.close();
  // Windows may keep the file of a program a moment after it has ended.
  rmSync(scratch, { recursive: true, force: true, maxRetries: 5 });
}
console.log(`\n${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1;
