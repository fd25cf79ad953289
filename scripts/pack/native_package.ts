/**
 * The package `@sluice/native`: one function that resolves specifiers from inside `node_modules`, and the packages of all
 * platforms as optional dependencies.
 *
 * A module of JSR has an `https:` URL, from which `import.meta.resolve` finds no npm package. It imports this package, and
 * asks it.
 *
 * @module
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { checkout, commonFields, type Manifest, type Strings, writePackage } from "./manifest.ts";

const CODE = `/** Resolves a specifier from inside \`node_modules\`. */
export const urlOf = (specifier) => import.meta.resolve(specifier);
`;

const TYPES = `/**
 * The URL to which a specifier resolves from inside \`node_modules\`.
 *
 * @throws If the specifier names no installed package.
 */
export declare const urlOf: (specifier: string) => string;
`;

/** The name of the package. */
export const NATIVE = "@sluice/native";

/** Writes the package into `folder`. */
export function writeNativePackage(folder: string, platforms: Strings): void {
  mkdirSync(folder, { recursive: true });
  const description =
    `Finds the native library of ${checkout.name} for modules outside node_modules`;
  const { engines } = checkout;
  const manifest: Manifest = {
    name: NATIVE,
    description,
    ...commonFields(),
    engines,
    sideEffects: false,
    exports: {
      ".": { types: "./index.d.ts", default: "./index.js" },
      "./package.json": "./package.json",
    },
    files: ["index.js", "index.d.ts"],
    optionalDependencies: platforms,
  };
  writeFileSync(join(folder, "index.js"), CODE);
  writeFileSync(join(folder, "index.d.ts"), TYPES);
  writeFileSync(
    join(folder, "README.md"),
    `# ${NATIVE}\n\n${description}. The package of ${checkout.name} on JSR depends on it.\n`,
  );
  writePackage(folder, manifest, ["LICENSE"]);
}
