/**
 * Patterns of file names: `*`, `**`, `?`, `[…]` and `{…}`, the same in every runtime and system.
 *
 * @module
 */
import path from "node:path";
import picomatch from "picomatch";

/** Tells whether a path inside a folder, with `/` between its parts, matches. */
export type Matcher = (path: string) => boolean;

/** A pattern taken apart for a walk. */
export interface Glob {
  /** The folder to begin in; empty for the current one. */
  readonly base: string;
  /** How many folders below it a match can lie. */
  readonly depth: number;
  /** Whether names that begin with a dot can match. */
  readonly hidden: boolean;
  /** For paths inside of `base`. */
  readonly matches: Matcher;
}

const isWindows = path.sep === "\\";

/** Windows does not tell `A` from `a` in file names. */
const OPTIONS = { nocase: isWindows } as const;

/** Whether `argument` is a pattern. */
export function isGlob(argument: string): boolean {
  return picomatch.scan(slashes(argument)).isGlob;
}

/** Takes the pattern `argument` apart. A leading dot is matched by a dot only, as in shells. */
export function readGlob(argument: string): Glob {
  const pattern = slashes(argument);
  const { base, glob } = picomatch.scan(pattern);
  const isAnyDepth = glob.includes("**") || /[{(][^})]*\//.test(glob);
  return {
    base,
    depth: isAnyDepth ? Infinity : glob.split("/").length - 1,
    hidden: /(?:^|[/{,(])\\?\./.test(glob),
    matches: picomatch(glob, OPTIONS),
  };
}

/**
 * What matches any of `patterns`: one without a slash is compared with names, any other with whole
 * paths. A slash at the beginning or end makes no difference but that.
 */
export function anyOf(patterns: readonly string[]): Matcher {
  const matchers = patterns.map((pattern) => {
    const given = slashes(pattern);
    const bare = given.replace(/^\.?\/|\/$/g, "");
    const basename = !given.replace(/\/$/, "").includes("/");
    return picomatch(bare, { ...OPTIONS, dot: true, basename });
  });
  return (path) => matchers.some((matches) => matches(path));
}

/** On Windows a backslash is what stands between folders, and elsewhere it escapes. */
function slashes(pattern: string): string {
  return isWindows ? pattern.replaceAll("\\", "/") : pattern;
}
