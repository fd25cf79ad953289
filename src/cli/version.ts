/**
 * The version, from the one place that has it. An import needs no permission to read.
 *
 * @module
 */
import manifest from "../../package.json" with { type: "json" };

/** The version of sluice. */
export const version: string = manifest.version;
