/**
 * Times as people read them.
 *
 * @module
 */

/** "3.1 ns", "45 µs", "1.2 ms". */
export function duration(nanoseconds: number): string {
  const [value, unit] = nanoseconds < 1e3
    ? [nanoseconds, "ns"]
    : nanoseconds < 1e6
    ? [nanoseconds / 1e3, "µs"]
    : [nanoseconds / 1e6, "ms"];
  return `${value < 10 ? value.toPrecision(2) : value.toFixed(0)} ${unit}`;
}
