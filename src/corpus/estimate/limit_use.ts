/**
 * How much of the limits of a provider requests use, and how many files they take, by packing them as a split does.
 *
 * @module
 */
import { describeLimit, type Limit, type LimitSet, type LineSize, useOf } from "../split/limits.ts";
import { Packer } from "../split/packer.ts";
import type { LimitEstimate, LimitsEstimate, LinePlace } from "./estimate_types.ts";
import { First } from "./first.ts";

/** Files that are packed one by one, since no line of one goes to another. */
class Packing {
  readonly #limits: readonly Limit[];
  #packer: Packer;
  #before = 0;

  constructor(limits: readonly Limit[]) {
    this.#limits = limits;
    this.#packer = new Packer(limits);
  }

  get files(): number {
    return this.#before + this.#packer.files;
  }

  startFile(): void {
    this.#before += this.#packer.files;
    this.#packer = new Packer(this.#limits);
  }

  add(size: LineSize): Limit | undefined {
    return this.#packer.add(size).exceeded;
  }
}

/** Adds up the use of the limits of one provider. */
export class LimitUse {
  readonly #set: LimitSet;
  readonly #all: Packing;
  /** One for each limit. */
  readonly #alone: readonly Packing[];
  /** The use of the file, and the most that a file or a request uses. */
  readonly #inFile: number[];
  readonly #used: number[];
  readonly #tooLarge = new First<LinePlace & { limit: string }>();

  constructor(set: LimitSet) {
    this.#set = set;
    this.#all = new Packing(set.limits);
    this.#alone = set.limits.map((limit) => new Packing([limit]));
    this.#inFile = set.limits.map(() => 0);
    this.#used = set.limits.map(() => 0);
  }

  /** Begins the next file. */
  startFile(): void {
    this.#inFile.fill(0);
    for (const packing of [this.#all, ...this.#alone]) packing.startFile();
  }

  /** Adds a line. O(limits). */
  add(size: LineSize, place: LinePlace): void {
    const exceeded = this.#all.add(size);
    if (exceeded !== undefined) this.#tooLarge.add({ ...place, limit: describeLimit(exceeded) });
    for (const [i, limit] of this.#set.limits.entries()) {
      const use = useOf(limit, size);
      this.#inFile[i]! += use;
      this.#used[i] = Math.max(this.#used[i]!, isOfRequest(limit) ? use : this.#inFile[i]!);
      this.#alone[i]!.add(size);
    }
  }

  /** @param models The most models that the requests of a file name. */
  result(models: number): LimitsEstimate {
    const limits = this.#set.limits.map((limit, i): LimitEstimate => {
      const { unit, limit: most, of = "file", embeddings, source, date } = limit;
      const isPacked = unit !== "models" && !isOfRequest(limit);
      return {
        unit,
        of,
        ...embeddings === true ? { embeddings } : {},
        limit: most,
        used: unit === "models" ? models : this.#used[i]!,
        ...isPacked ? { files: this.#alone[i]!.files } : {},
        ...source === undefined ? {} : { source },
        ...date === undefined ? {} : { date },
      };
    });
    return {
      name: this.#set.name,
      limits,
      files: this.#all.files,
      tooLarge: this.#tooLarge.count,
      firstTooLarge: this.#tooLarge.kept,
      fits: limits.every(({ used, limit }) => used <= limit),
    };
  }
}

function isOfRequest({ of }: Limit): boolean {
  return of === "request";
}
