/**
 * Glob patterns of file names, `*`, `**`, `?`, `[…]` and `{…}`, equal in every runtime and system.
 *
 * @module
 */
import path from "node:path";
import picomatch from "picomatch";

/** Whether a path inside a folder, with `/` as separator, matches. */
export type Matcher = (path: string) => boolean;

/** A pattern, split for a walk. */
export interface Glob {
  /** The folder to start in; empty for the current one. */
  readonly base: string;
  /** The most folders between it and a match. */
  readonly depth: number;
  /** Whether names that begin with a dot can match. */
  readonly hidden: boolean;
  /** Matches paths inside `base`. */
  readonly matches: Matcher;
}

const isWindows = path.sep === "\\";

/** File names on Windows are case-insensitive. */
const OPTIONS = { nocase: isWindows } as const;

/** Whether `argument` is a pattern. */
export function isGlob(argument: string): boolean {
  return picomatch.scan(slashes(argument)).isGlob;
}

/** Splits the pattern `argument`. Only a dot matches a leading dot, as in shells. */
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
 * A matcher for any of `patterns`. A pattern without a slash is compared with names, any other with whole paths. A
 * slash at the start or end has no other effect.
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

/** On Windows a backslash is the path separator. Elsewhere it escapes. */
function slashes(pattern: string): string {
  return isWindows ? pattern.replaceAll("\\", "/") : pattern;
}
