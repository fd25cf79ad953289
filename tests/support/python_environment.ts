/**
 * Where the Python environment of the tests is, and whether it is complete.
 *
 * @module
 */
// cspell:ignore PYTHONDONTWRITEBYTECODE PYTHONNOUSERSITE
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** What the environment has. */
export const REQUIREMENTS: string = join(ROOT, "python/requirements.txt");

/** Where the environment is. */
export const FOLDER: string = join(ROOT, ".build/python");

/** The interpreter of the environment. */
export const PYTHON: string = join(FOLDER, "bin/python");

/** A copy of the requirements, written when everything is installed. */
export const STAMP: string = join(FOLDER, "requirements.txt");

/** The variables of every call: the vocabularies of tiktoken are files here, and no state of the user counts. */
export const STATE: {
  readonly TIKTOKEN_CACHE_DIR: string;
  readonly PYTHONDONTWRITEBYTECODE: string;
  readonly PYTHONNOUSERSITE: string;
} = {
  TIKTOKEN_CACHE_DIR: join(FOLDER, "vocabularies"),
  PYTHONDONTWRITEBYTECODE: "1",
  PYTHONNOUSERSITE: "1",
};

/** Whether the environment is there, with exactly these requirements. */
export function isReady(): boolean {
  try {
    return readFileSync(STAMP, "utf8") === readFileSync(REQUIREMENTS, "utf8");
  } catch {
    return false;
  }
}
