/**
 * Checks the identifiers of a batch file: each request has one, and no two the same.
 *
 * @module
 */
import type { IdsEstimate, LinePlace } from "./estimate_types.ts";
import { First } from "./first.ts";
import { IdSet } from "./id_set.ts";

/** The longest part of an identifier that is shown. */
const SHOWN = 100;

/** Collects what is wrong with identifiers. They are unique in a file, and not among files. */
export class IdCheck {
  readonly #patterns: readonly RegExp[];
  readonly #missing = new First<LinePlace>();
  readonly #duplicates = new First<LinePlace & { id: string; first: number }>();
  readonly #refused = new First<LinePlace & { id: string }>();
  #ids = new IdSet();

  /** @param patterns What identifiers must match. */
  constructor(patterns: readonly RegExp[] = []) {
    this.#patterns = patterns;
  }

  /** Begins the next file. */
  startFile(): void {
    this.#ids = new IdSet();
  }

  /** @param id Undefined if there is none that is a text. */
  add(id: string | undefined, place: LinePlace): void {
    if (id === undefined || id === "") {
      this.#missing.add(place);
      return;
    }
    const shown = id.slice(0, SHOWN);
    if (this.#patterns.some((pattern) => !pattern.test(id))) {
      this.#refused.add({ ...place, id: shown });
    }
    const first = this.#ids.add(id, place.line);
    if (first !== undefined) this.#duplicates.add({ ...place, id: shown, first });
  }

  result(): IdsEstimate {
    return {
      missing: this.#missing.count,
      firstMissing: this.#missing.kept,
      duplicates: this.#duplicates.count,
      firstDuplicates: this.#duplicates.kept,
      refused: this.#refused.count,
      firstRefused: this.#refused.kept,
    };
  }
}
