/**
 * Derives the package source of a Debian release's backports from the sources of the machine, in both formats of
 * apt: deb822 stanzas (`*.sources`) and one line a source (`*.list`).
 *
 * @module
 */

/** The stanza of a deb822 file or the line of a list that has `suite`, with `derived` in its place. */
export function deriveSource(text: string, suite: string, derived: string): string | undefined {
  return deriveStanza(text, suite, derived) ?? deriveLine(text, suite, derived);
}

function deriveStanza(text: string, suite: string, derived: string): string | undefined {
  for (const stanza of text.split(/\n\s*\n/)) {
    const suites = /^Suites:(.*)$/im.exec(stanza);
    if (suites === null || !isBinary(stanza) || !words(suites[1]!).includes(suite)) continue;
    const lines = stanza.split("\n").filter((line) => !line.startsWith("#"));
    const changed = lines.map((line) => /^Suites:/i.test(line) ? `Suites: ${derived}` : line);
    return changed.join("\n").trim() + "\n";
  }
  return undefined;
}

function isBinary(stanza: string): boolean {
  const types = /^Types:(.*)$/im.exec(stanza);
  return types !== null && words(types[1]!).includes("deb") && !/^Enabled:\s*no\s*$/im.test(stanza);
}

/** A line is `deb [options] address suite component ...`. */
function deriveLine(text: string, suite: string, derived: string): string | undefined {
  for (const line of text.split("\n")) {
    const parts = /^\s*deb\s+((?:\[[^\]]*\]\s+)?\S+)\s+(\S+)(\s.*)$/.exec(line);
    if (parts?.[2] === suite) return `deb ${parts[1]} ${derived}${parts[3]}\n`;
  }
  return undefined;
}

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== "");
}
