/**
 * The footer of a Parquet file: its row groups, and the columns of text in them.
 *
 * @module
 */
import {
  type AsyncBuffer,
  type FileMetaData,
  parquetMetadataAsync,
  parquetSchema,
  type SchemaTree,
} from "hyparquet";
import { getMaxRepetitionLevel, getTreePath } from "hyparquet/src/schema.js";
import type { OpenFile } from "../open_file.ts";
import { SourceError } from "../source.ts";

type SchemaElement = SchemaTree["element"];
type ColumnChunk = FileMetaData["row_groups"][number]["columns"][number];

/** What the footer says of a column in a row group. */
export type ColumnMetaData = NonNullable<ColumnChunk["meta_data"]>;

/** A column of a file. */
export interface Column {
  /** As it was asked for. */
  readonly name: string;
  readonly path: readonly string[];
  /** From the root of the schema to the column. */
  readonly schemaPath: SchemaTree[];
  readonly element: SchemaElement;
}

/** The bytes of a column in a row group. */
export interface Chunk {
  readonly column: Column;
  readonly meta: ColumnMetaData;
  readonly from: number;
  readonly to: number;
}

/** Logical types of bytes that are text. Others, such as decimal numbers, are not. */
const TEXT_TYPES: ReadonlySet<string | undefined> = new Set([
  undefined,
  "UTF8",
  "STRING",
  "JSON",
  "ENUM",
]);

/** Physical types of identifiers besides text. */
const NUMBER_TYPES: ReadonlySet<string | undefined> = new Set(["INT32", "INT64"]);

/** Logical types of numbers that are nothing but numbers. */
const INTEGER_TYPES: ReadonlySet<string | undefined> = new Set([undefined, "INTEGER"]);

/** A Parquet file whose footer was read. */
export class Footer {
  readonly #path: string;
  readonly #metadata: FileMetaData;

  private constructor(path: string, metadata: FileMetaData) {
    this.#path = path;
    this.#metadata = metadata;
  }

  /** @throws {SourceError} If the file is no Parquet file. */
  static async read(opened: OpenFile): Promise<Footer> {
    const { path, size } = opened.file;
    const file: AsyncBuffer = {
      byteLength: size,
      slice: async (start, end = size) => (await opened.readRange(start, end)).buffer,
    };
    let metadata: FileMetaData;
    try {
      metadata = await parquetMetadataAsync(file, { geoparquet: false });
    } catch (error) {
      if (error instanceof SourceError) throw error;
      const { message } = error as Error;
      throw SourceError.of(path, `is not a whole Parquet file: ${message}`, error);
    }
    const rows = metadata.row_groups.reduce((sum, group) => sum + group.num_rows, 0n);
    if (rows !== metadata.num_rows) {
      throw SourceError.of(path, `is damaged: ${rows} of ${metadata.num_rows} rows are in it`);
    }
    return new Footer(path, metadata);
  }

  /** The numbers of rows of the row groups. */
  get groupRows(): readonly number[] {
    return this.#metadata.row_groups.map((group) => Number(group.num_rows));
  }

  /**
   * A column of text: the one of this name or, if there is none, the one at the names between the dots.
   *
   * @throws {SourceError} If there is none, or it is not of text.
   */
  textColumn(name: string): Column {
    const column = this.#column(name);
    if (isText(column.element)) return column;
    throw this.#error(`column ${name} is ${typeOf(column.element)}, and not text`);
  }

  /** A column of identifiers, which are texts or whole numbers. */
  idColumn(name: string): Column {
    const column = this.#column(name);
    const { type, converted_type: converted, logical_type: logical } = column.element;
    const isNumber = NUMBER_TYPES.has(type) && INTEGER_TYPES.has(logical?.type) &&
      (converted === undefined || /^U?INT_/.test(converted));
    if (isNumber || isText(column.element)) return column;
    throw this.#error(
      `column ${name} is ${typeOf(column.element)}, and neither text nor whole numbers`,
    );
  }

  /** Where the column is in a row group. */
  chunk(group: number, column: Column): Chunk {
    const { columns } = this.#metadata.row_groups[group]!;
    const path = column.path.join("\0");
    const found = columns.find(({ meta_data }) => meta_data?.path_in_schema.join("\0") === path);
    const meta = found?.meta_data;
    if (meta === undefined || isElsewhere(found!)) {
      const why = meta === undefined ? "has no data, or is encrypted" : "is in another file";
      throw this.#error(`column ${column.name} of row group ${group} ${why}`);
    }
    const [data, dictionary] = [meta.data_page_offset, meta.dictionary_page_offset ?? 0n];
    // Some writers leave out where the dictionary is, and some write 0.
    const from = Number(dictionary > 0n && dictionary < data ? dictionary : data);
    return { column, meta, from, to: from + Number(meta.total_compressed_size) };
  }

  #column(name: string): Column {
    const root = parquetSchema(this.#metadata);
    const paths = [[name], name.split(".")];
    for (const path of paths) {
      let schemaPath: SchemaTree[];
      try {
        schemaPath = getTreePath(root, path);
      } catch {
        continue;
      }
      const { element, children } = schemaPath.at(-1)!;
      if (children.length > 0) {
        const inner = `${name}.${children[0]!.element.name}`;
        throw this.#error(
          element.converted_type === "LIST" || element.converted_type === "MAP"
            ? `column ${name} is a list, and not text`
            : `column ${name} has columns in it: name one, such as ${inner}`,
        );
      }
      if (getMaxRepetitionLevel(schemaPath) > 0) {
        throw this.#error(`column ${name} is in a list, which has several texts a row`);
      }
      return { name, path, schemaPath, element };
    }
    const names = root.children.map(({ element }) => element.name).join(", ");
    throw this.#error(`has no column ${name}, but ${names || "none at all"}`);
  }

  #error(message: string): SourceError {
    return SourceError.of(this.#path, message);
  }
}

function isText(
  { type, converted_type: converted, logical_type: logical }: SchemaElement,
): boolean {
  return type === "BYTE_ARRAY" && TEXT_TYPES.has(converted) && TEXT_TYPES.has(logical?.type);
}

function typeOf({ type, converted_type: converted, logical_type: logical }: SchemaElement): string {
  return logical?.type ?? converted ?? type ?? "of no type";
}

function isElsewhere({ file_path: path }: ColumnChunk): boolean {
  return path !== undefined && path !== "";
}
