/**
 * Compares units of two plans by what they read: whether shards of the one are shards of the other.
 *
 * @module
 */
import type { Plan } from "./plan_types.ts";

/**
 * Whether the units `done` of a plan read the same parts of the same files in another plan, under the same options and
 * names. Then an input of which nothing is done, such as a torn file that was repaired, may be another one.
 */
export function keepsUnits(from: Plan, to: Plan, done: Iterable<number>): boolean {
  if (JSON.stringify(from.options) !== JSON.stringify(to.options)) return false;
  // Names have the number of units in them.
  if (from.units.length !== to.units.length) return false;
  for (const unit of done) if (read(from, unit) !== read(to, unit)) return false;
  return true;
}

/** What a unit reads, with the size and time of change of its files. */
function read({ files, units }: Plan, unit: number): string {
  return JSON.stringify(units[unit]!.parts.map((part) => ({ ...part, file: files[part.file] })));
}
