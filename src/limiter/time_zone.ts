/**
 * Tables of the UTC offsets of time zones. The library has no tables of its own: it gets those of the runtime.
 *
 * @module
 */
import { checkString } from "../arguments.ts";
import { show } from "../errors.ts";
import { native, unwrap } from "../ffi/load.ts";
import { ZONE_CHANGE, ZONE_CHANGE_OFFSET, ZONE_CHANGE_SINCE } from "../ffi/symbols.gen.ts";
import { textBuffer } from "../text_buffer.ts";

/** The time span of the tables. */
const FROM_MS = Date.UTC(1970, 0);
const UNTIL_MS = Date.UTC(2100, 0);

/** The part of `Temporal` that is used. All runtimes have it, and TypeScript 5 has no types of it. */
interface Zoned {
  readonly epochMilliseconds: number;
  readonly offsetNanoseconds: number;
  getTimeZoneTransition(direction: "next"): Zoned | null;
}
interface TemporalLike {
  readonly Instant: {
    fromEpochMilliseconds(ms: number): { toZonedDateTimeISO(timeZone: string): Zoned };
  };
}

/** The numbers of the time zones that this isolate has used. */
const numbers = new Map<string, number>();

/**
 * Refuses a time zone that the runtime does not know.
 *
 * @throws {TypeError} It is not a string.
 * @throws {RangeError} It is unknown.
 */
export function checkTimeZone(name: string, timeZone: unknown): string {
  checkString(name, timeZone);
  if (!numbers.has(timeZone)) startOf(name, timeZone);
  return timeZone;
}

/**
 * Returns the number by which the library knows a time zone. The first call for a zone in a process passes its
 * table to the library, which takes some milliseconds.
 */
export function zoneNumber(timeZone: string): number {
  const known = numbers.get(timeZone);
  if (known !== undefined) return known;
  const { sluice_zone_find, sluice_zone_add } = native();
  const length = textBuffer.write(timeZone);
  let number = unwrap(sluice_zone_find(textBuffer.bytes, length));
  if (number === 0) {
    const offsets = offsetsOf(startOf("timeZone", timeZone));
    number = unwrap(sluice_zone_add(textBuffer.bytes, length, offsets, offsets.length));
  }
  numbers.set(timeZone, number);
  return number;
}

function startOf(name: string, timeZone: string): Zoned {
  const { Temporal } = globalThis as unknown as { Temporal: TemporalLike };
  try {
    return Temporal.Instant.fromEpochMilliseconds(FROM_MS).toZonedDateTimeISO(timeZone);
  } catch (error) {
    throw new RangeError(
      `${name} must be a time zone such as "Europe/Berlin", not ${show(timeZone)}`,
      { cause: error },
    );
  }
}

/** Returns the first offset, and then the time and the offset of each change, in seconds. */
function offsetsOf(start: Zoned): Float64Array<ArrayBuffer> {
  const offsets = [start.offsetNanoseconds / 1e9];
  let at = start.getTimeZoneTransition("next");
  while (at !== null && at.epochMilliseconds < UNTIL_MS) {
    const change = new Array<number>(ZONE_CHANGE);
    change[ZONE_CHANGE_SINCE] = at.epochMilliseconds / 1000;
    change[ZONE_CHANGE_OFFSET] = at.offsetNanoseconds / 1e9;
    offsets.push(...change);
    at = at.getTimeZoneTransition("next");
  }
  return Float64Array.from(offsets);
}
