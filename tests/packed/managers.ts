/**
 * How each package manager adds a package to a project.
 *
 * @module
 */
import type { Machine, Manager } from "./machine.ts";
import { expectOk, hasFfi } from "./machine.ts";

const ADD: Readonly<Record<Manager, readonly string[]>> = {
  npm: ["install"],
  bun: ["add"],
  // Every package sees only what it depends on.
  pnpm: ["add", "--config.node-linker=isolated"],
  // The first Yarn, whose node_modules all runtimes read.
  yarn: ["add", "--non-interactive"],
  deno: ["add"],
};

/** All package managers. */
export const MANAGERS = Object.keys(ADD) as readonly Manager[];

/** Adds packages to the project in `folder`, and returns how long that took, in milliseconds. */
export async function add(
  machine: Machine,
  manager: Manager,
  folder: string,
  packages: readonly string[],
  options: readonly string[] = [],
  path?: string,
): Promise<number> {
  const names = manager === "deno" ? packages.map((name) => `npm:${name}`) : packages;
  const program = machine.manager(manager)!;
  // Yarn refuses packages that its own Node.js could not run, though another runtime will run them. Others warn.
  const lenient = manager === "yarn" && !hasFfi(program[0]!) ? ["--ignore-engines"] : [];
  const command = [
    ...program,
    ...ADD[manager],
    ...lenient,
    ...options,
    ...names,
  ];
  const ended = await machine.run(
    command,
    folder,
    path === undefined ? {} : { path },
  );
  return expectOk(
    ended,
    `${manager} ${ADD[manager].join(" ")} ${names.join(" ")}`,
  ).ms;
}
