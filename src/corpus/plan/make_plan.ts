/**
 * The plan of a corpus: its input files, cut into parts, which are joined to units.
 *
 * It depends on the inputs and the options alone, so that every machine that makes it makes the same.
 *
 * @module
 */
import { version } from "../../version.ts";
import { partsOf } from "../sources/mod.ts";
import type { InputFile, Part, SizedPart } from "../sources/source.ts";
import type { Plan, PlanOptions, Unit } from "./plan_types.ts";

/** Names of shards have five digits. */
const MOST_UNITS = 99_999;

/**
 * The plan for these files.
 *
 * @param files In the order of their paths, each once.
 * @throws {SourceError} If a file cannot be read.
 * @throws {TypeError | RangeError} If an option is wrong.
 */
export async function makePlan(
  files: readonly InputFile[],
  options: PlanOptions,
): Promise<Plan> {
  const { unitBytes, field, idField } = options;
  const columns = { field, idField: idField ?? undefined };
  const joiner = new Joiner(unitBytes);
  for (const [index, file] of files.entries()) {
    // Of the kinds that are cut at bytes there could be more parts than fit in memory.
    if (file.kind === "jsonl" && file.size / unitBytes > MOST_UNITS) throw tooMany(unitBytes);
    for (const part of await partsOf(file, index, unitBytes, columns)) joiner.add(part);
  }
  return { version: 1, sluice: version, options, files, units: joiner.finish() };
}

function tooMany(unitBytes: number): RangeError {
  return new RangeError(
    `unitBytes ${unitBytes} makes more than ${MOST_UNITS} shards of this corpus: use larger units`,
  );
}

/** Whether the corpus is read from a pipe, which cannot be read twice. */
export function isStreamed({ files }: Plan): boolean {
  return files.some(({ path }) => path === "-");
}

/** Joins parts that follow each other, up to the bytes of a unit. */
class Joiner {
  readonly #most: number;
  readonly #units: Unit[] = [];
  #parts: Part[] = [];
  #bytes = 0;

  constructor(most: number) {
    this.#most = most;
  }

  add({ part, bytes }: SizedPart): void {
    if (this.#parts.length > 0 && this.#bytes + bytes > this.#most) this.#close();
    this.#parts.push(part);
    this.#bytes += bytes;
  }

  finish(): readonly Unit[] {
    if (this.#parts.length > 0) this.#close();
    if (this.#units.length > MOST_UNITS) throw tooMany(this.#most);
    return this.#units;
  }

  #close(): void {
    this.#units.push({ parts: this.#parts, bytes: this.#bytes });
    this.#parts = [];
    this.#bytes = 0;
  }
}
