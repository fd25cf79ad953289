/**
 * The version from `package.json`, by an import, which needs no permission to read.
 *
 * @module
 */
import manifest from "../package.json" with { type: "json" };

/** The version of sluice. */
export const version: string = manifest.version;
