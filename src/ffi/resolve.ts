/**
 * The resolution of specifiers, from where this module is.
 *
 * JSR serves modules from `https:` URLs, from which no npm package is found. There, `scripts/pack/jsr.ts` puts that of
 * `@sluice/native` in the place of this module.
 *
 * @module
 */

/**
 * The URL to which a specifier resolves.
 *
 * @throws If the specifier names no installed package.
 */
export function urlOf(specifier: string): string {
  return import.meta.resolve(specifier);
}
