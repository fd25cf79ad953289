/**
 * Sizes in bytes on the command line, such as `256MB`, and numbers for people.
 *
 * @module
 */
import { InvalidArgumentError } from "commander";

const UNITS: Readonly<Record<string, number>> = {
  "": 1,
  b: 1,
  k: 1e3,
  kb: 1e3,
  kib: 2 ** 10,
  m: 1e6,
  mb: 1e6,
  mib: 2 ** 20,
  g: 1e9,
  gb: 1e9,
  gib: 2 ** 30,
  t: 1e12,
  tb: 1e12,
  tib: 2 ** 40,
};

/** Reads a size. KB is 1000 bytes and KiB is 1024. */
export function parseSize(value: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(value) ?? [];
  const factor = unit === undefined ? undefined : UNITS[unit.toLowerCase()];
  const bytes = factor === undefined ? NaN : Math.floor(Number(number) * factor);
  if (Number.isSafeInteger(bytes) && bytes >= 1) return bytes;
  throw new InvalidArgumentError("It must be a size, such as 64KB, 256MB or 1GiB.");
}

/** A size for people. */
export function showSize(bytes: number): string {
  return `${scaled(bytes, sizeScale(bytes))} ${sizeScale(bytes).name}`;
}

/** How much of a whole, in the unit of the whole. */
export function showPart(bytes: number, whole: number): string {
  const scale = sizeScale(whole);
  return `${scaled(bytes, scale)}/${scaled(whole, scale)} ${scale.name}`;
}

/** A number with its thousands apart. */
export function showCount(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** A large number in thousands or millions. */
export function showRate(count: number): string {
  if (count >= 1e6) return `${(count / 1e6).toFixed(count >= 1e7 ? 0 : 1)} M`;
  return count >= 1e3 ? `${(count / 1e3).toFixed(0)} k` : count.toFixed(0);
}

/** Seconds, minutes or hours. */
export function showDuration(seconds: number): string {
  if (seconds < 100) return `${seconds < 10 ? seconds.toFixed(1) : seconds.toFixed(0)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 100 ? `${minutes} min` : `${(seconds / 3600).toFixed(1)} h`;
}

interface Scale {
  readonly factor: number;
  readonly name: string;
}

function sizeScale(bytes: number): Scale {
  if (bytes >= 1e9) return { factor: 1e9, name: "GB" };
  return bytes >= 1e6 ? { factor: 1e6, name: "MB" } : { factor: 1e3, name: "KB" };
}

function scaled(bytes: number, { factor }: Scale): string {
  const number = bytes / factor;
  return number.toFixed(number >= 100 ? 0 : 1);
}
