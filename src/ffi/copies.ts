/**
 * A registry, in `globalThis`, of the copies of this package that were evaluated in one global scope.
 *
 * `bun --hot` evaluates every module again in the same thread and global scope, and earlier instances finish what they
 * have begun. `deno run --watch` and both test runners create a new global scope in a thread that had another one. The
 * thread does not end in either case, so nothing that it holds would be released. So the first use of the library in a
 * program tells the library what the program before may keep.
 *
 * @module
 */
import { THREAD_ALL, THREAD_NOTHING, THREAD_SHARES } from "./symbols.gen.ts";

/** A library in memory. Two files are two images, and share no state. */
interface Image {
  readonly path: string;
  /** The URLs of the modules that use it. */
  readonly users: Set<string>;
}

/** The format of the registry, which all versions of this package share. */
interface Registry {
  /** How many times the module of a URL was evaluated. */
  readonly evaluations: Map<string, number>;
  readonly images: Map<number, Image>;
  hasWarned: boolean;
}

const KEY = Symbol.for("sluice.copies");

/** One evaluation of a module of this package. */
export class Copy {
  readonly #url: string;
  /** Undefined in a frozen scope. Other copies are unknown then, and nothing is released. */
  readonly #registry: Registry | undefined;
  readonly #evaluation: number = 0;

  /** Must be called when the module of that URL is evaluated, because the library may be used much later. */
  constructor(url: string, scope: object = globalThis) {
    this.#url = url;
    const registry = registryOf(scope);
    this.#registry = registry;
    if (registry === undefined) return;
    this.#evaluation = (registry.evaluations.get(url) ?? 0) + 1;
    registry.evaluations.set(url, this.#evaluation);
  }

  /**
   * Registers that this copy uses the library at `path`, and releases what an earlier program left in this thread.
   *
   * @param enter The library's `sluice_thread_enter`.
   */
  enter(path: string, enter: (what: number) => number): void {
    const registry = this.#registry;
    if (registry === undefined) return;
    const { images, evaluations } = registry;
    // This is an earlier instance, so the state of this thread belongs to a later one.
    if (evaluations.get(this.#url) !== this.#evaluation) return;
    const id = enter(images.size === 0 ? THREAD_ALL : THREAD_NOTHING);
    const image = images.get(id);
    if (image === undefined) {
      if (images.size > 0) enter(THREAD_ALL);
      images.set(id, { path, users: new Set([this.#url]) });
    } else if (image.users.has(this.#url)) {
      enter(THREAD_SHARES);
      // Other copies are evaluated again with this one.
      image.users.clear();
      image.users.add(this.#url);
    } else {
      image.users.add(this.#url);
    }
    if (images.size < 2 || registry.hasWarned) return;
    registry.hasWarned = true;
    warn([...images.values()]);
  }
}

function warn(images: readonly Image[]): void {
  const copies = images.map(({ path, users }) => `  ${[...users].join(", ")}, with ${path}`);
  process.emitWarning(
    `${copies.length} copies of sluice are in use, each with a library of its own:\n` +
      `${copies.join("\n")}\n` +
      "They share nothing: limits count apart, and pools of one name are two. " +
      "Let all packages of the program depend on the same version of sluice, and install it once.",
    { type: "SluiceWarning", code: "SLUICE_TWO_COPIES" },
  );
}

function registryOf(scope: object): Registry | undefined {
  const known = (scope as { [KEY]?: Registry })[KEY];
  if (known !== undefined) return known;
  const registry: Registry = { evaluations: new Map(), images: new Map(), hasWarned: false };
  return Reflect.defineProperty(scope, KEY, { value: registry }) ? registry : undefined;
}
