/**
 * The registry of sources: by the kind of a file, its parts and the reader of a part.
 *
 * @module
 */
import { jsonlParts, readJsonl } from "./jsonl.ts";
import { kindOf, unknownKind } from "./kinds.ts";
import { statInput, STDIN } from "./open_file.ts";
import { parquetParts, readParquet } from "./parquet/parquet.ts";
import { isWhole } from "./streams.ts";
import { readText, wholePart } from "./text.ts";
import {
  type Batch,
  type FileKind,
  type InputFile,
  type Part,
  type ReadOptions,
  type SizedPart,
  SourceError,
} from "./source.ts";

/**
 * Describes a file as it is now.
 *
 * @param kind How to read it. By default its suffix decides.
 * @throws {SourceError} If there is no such file, or it is of no known kind.
 */
export async function inputFile(path: string, kind?: FileKind): Promise<InputFile> {
  const found = kind ?? kindOf(path);
  if (found === undefined) throw unknownKind(path);
  if (found === "parquet" && path === STDIN) {
    throw new SourceError(
      "-: Parquet is read from its end, which standard input does not have yet",
    );
  }
  return await statInput(path, found);
}

/**
 * The parts into which a file is cut. They depend on nothing but the file, `unitBytes` and the options.
 *
 * @param index The index of the file in the plan.
 */
export function partsOf(
  file: InputFile,
  index: number,
  unitBytes: number,
  options: Pick<ReadOptions, "field" | "idField">,
): Promise<readonly SizedPart[]> {
  if (file.kind === "parquet") return parquetParts(file, index, unitBytes, options);
  const isSplittable = file.kind === "jsonl" && !isWhole(file);
  return Promise.resolve(
    isSplittable ? jsonlParts(file, index, unitBytes) : [wholePart(file, index)],
  );
}

/** Reads a part of a file. The file is closed when the part ends or is left early. */
export function openPart(
  file: InputFile,
  part: Part,
  options: ReadOptions,
): AsyncGenerator<Batch> {
  if (file.kind === "parquet") return readParquet(file, part, options);
  return file.kind.startsWith("jsonl")
    ? readJsonl(file, part, options)
    : readText(file, part, options);
}
