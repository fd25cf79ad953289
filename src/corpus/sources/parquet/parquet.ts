/**
 * A columnar reader of Parquet: a part is a range of row groups, and rows come as Arrow lays out texts.
 *
 * @module
 */
import { lineLimit } from "../line_batches.ts";
import { OpenFile } from "../open_file.ts";
import {
  type ColumnBatch,
  type InputFile,
  type Part,
  type ReadOptions,
  type SizedPart,
  SourceError,
} from "../source.ts";
import { Footer } from "./footer.ts";
import { Pages, type Value, type Window } from "./pages.ts";
import { RowBuffer } from "./row_buffer.ts";

const decoder = new TextDecoder();

/** The parts of a file: as many row groups as have `unitBytes` of the column, and at least one. */
export async function parquetParts(
  file: InputFile,
  index: number,
  unitBytes: number,
  { field, idField }: Pick<ReadOptions, "field" | "idField">,
): Promise<SizedPart[]> {
  const opened = await OpenFile.open(file);
  try {
    const footer = await Footer.read(opened);
    const column = footer.textColumn(field);
    if (idField !== undefined) footer.idColumn(idField);
    const parts: SizedPart[] = [];
    let [from, bytes] = [0, 0];
    const rows = footer.groupRows;
    const groups = rows.length;
    for (let group = 0; group < groups; group++) {
      const chunk = footer.chunk(group, column);
      // A group without rows has no pages, and nothing is where they should be.
      const more = rows[group] === 0 ? 0 : chunk.to - chunk.from;
      if (group > from && bytes + more > unitBytes) {
        parts.push({ part: { file: index, from, to: group }, bytes });
        [from, bytes] = [group, 0];
      }
      bytes += more;
    }
    parts.push({ part: { file: index, from, to: groups }, bytes });
    return parts;
  } finally {
    opened.close();
  }
}

/** The rows of a part. */
export async function* readParquet(
  file: InputFile,
  part: Part,
  options: ReadOptions,
): AsyncGenerator<ColumnBatch> {
  const opened = await OpenFile.open(file);
  try {
    const footer = await Footer.read(opened);
    const rows = footer.groupRows;
    const buffers = new Buffers();
    let firstRow = rows.slice(0, part.from).reduce((sum, count) => sum + count, 0);
    for (let group = part.from; group < part.to; group++) {
      const count = rows[group];
      if (count === undefined) throw SourceError.of(file.path, `has no row group ${group}`);
      if (count > 0) yield* readGroup(opened, footer, { group, firstRow, count, buffers }, options);
      firstRow += count;
    }
    opened.checkUnchanged();
  } finally {
    opened.close();
  }
}

/** What is used again for each row group. */
class Buffers {
  readonly rows = new RowBuffer();
  readonly texts: Window = { bytes: new Uint8Array(0) };
  readonly ids: Window = { bytes: new Uint8Array(0) };
}

interface Group {
  readonly buffers: Buffers;
  readonly group: number;
  readonly firstRow: number;
  readonly count: number;
}

async function* readGroup(
  opened: OpenFile,
  footer: Footer,
  { group, firstRow, count, buffers }: Group,
  { field, idField, memory, onRead }: ReadOptions,
): AsyncGenerator<ColumnBatch> {
  const limit = lineLimit(memory);
  const textChunk = footer.chunk(group, footer.textColumn(field));
  const texts = await Pages.open(opened, textChunk, {
    group,
    limit,
    onRead,
    window: buffers.texts,
  });
  let ids: Identifiers | undefined;
  if (idField !== undefined) {
    const idChunk = footer.chunk(group, footer.idColumn(idField));
    const pages = await Pages.open(opened, idChunk, { group, limit, window: buffers.ids });
    ids = new Identifiers(pages);
  }
  const { rows } = buffers;
  let row = 0;
  const batch = async (): Promise<ColumnBatch> => {
    const start = row - rows.count;
    const names = await ids?.take(rows.count);
    const column = { kind: "column", firstRow: firstRow + start, ...rows.take() } as const;
    return names === undefined ? column : { ...column, ids: names };
  };
  for (let page = await texts.next(); page !== undefined; page = await texts.next()) {
    for (const value of page as (Uint8Array | null | undefined)[]) {
      if (!rows.hasRoom(value?.length ?? 0)) yield await batch();
      rows.add(value);
      row++;
    }
  }
  if (rows.count > 0) yield await batch();
  if (row !== count) {
    throw SourceError.of(
      opened.file.path,
      `row group ${group} has ${row} values in column ${field}, not ${count}`,
    );
  }
}

/** The identifiers of rows, as text. */
class Identifiers {
  readonly #pages: Pages;
  #page: Value[] = [];
  #at = 0;

  constructor(pages: Pages) {
    this.#pages = pages;
  }

  /** The next ones. Null and what is missing are undefined. */
  async take(count: number): Promise<(string | undefined)[]> {
    const ids: (string | undefined)[] = [];
    while (ids.length < count) {
      if (this.#at === this.#page.length) {
        const page = await this.#pages.next();
        if (page === undefined) return [...ids, ...new Array(count - ids.length).fill(undefined)];
        this.#page = page;
        this.#at = 0;
      }
      const value = this.#page[this.#at++];
      ids.push(value instanceof Uint8Array ? decoder.decode(value) : value?.toString());
    }
    return ids;
  }
}
