/**
 * The option `--limits`: the name of known limits, or a file with limits.
 *
 * @module
 */
import fs from "node:fs";
import type { Command } from "commander";
import { readLimits } from "../corpus/split/limit_file.ts";
import { KNOWN_LIMITS, type LimitSet } from "../corpus/split/limits.ts";
import { reason } from "../files/reason.ts";
import { UsageError } from "./report.ts";

/** The value of the option. */
export interface LimitsOption {
  readonly limits?: readonly string[];
}

const NAMES = KNOWN_LIMITS.map(({ name }) => name).join(", ");

/** Adds the option, which can be given several times. */
export function addLimits(command: Command): Command {
  return command.option(
    "--limits <name>",
    `limits to keep: ${NAMES}, or a file of JSON`,
    (name: string, names: readonly string[] = []) => [...names, name],
  );
}

/** The limits that the option names; undefined without it. */
export function limitsOf({ limits }: LimitsOption): readonly LimitSet[] | undefined {
  return limits?.map((name) => KNOWN_LIMITS.find((set) => set.name === name) ?? read(name));
}

function read(file: string): LimitSet {
  let text: string;
  try {
    text = fs.readFileSync(file, "utf8");
  } catch (error) {
    const why = reason(error);
    throw new UsageError(`--limits ${file}: ${why}; known limits are ${NAMES}`, { cause: error });
  }
  try {
    return readLimits(text, file);
  } catch (error) {
    throw new UsageError(`--limits ${file}: ${(error as Error).message}`, { cause: error });
  }
}
