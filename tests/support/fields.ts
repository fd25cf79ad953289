/**
 * A reader of structured fields (RFC 9651).
 *
 * @module
 */
import { type Item, parseList } from "structured-headers";

/** The items of a field as plain objects, parsed by the library that serialized them. */
export function readField(
  headers: Headers,
  field: string,
): Record<string, Record<string, unknown>> {
  const items = parseList(headers.get(field)!) as Item[];
  return Object.fromEntries(
    items.map(([name, parameters]) => [name as string, Object.fromEntries(parameters)]),
  );
}
