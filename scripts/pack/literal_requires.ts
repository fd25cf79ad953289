/**
 * A plugin of rolldown that leaves the `require` calls of `src/ffi/embedded.ts` as they are.
 *
 * Rolldown turns `require` into a function of its own, and Bun embeds a library only where it sees a literal
 * `require("@sluice/…")`. So the calls have another name while rolldown works on them.
 *
 * @module
 */
import type { Plugin } from "rolldown";

const STAND_IN = "__literal_require__";

/** The plugin. Fails if a chunk lost a call. */
export function literalRequires(): Plugin {
  let [hidden, shown] = [0, 0];
  return {
    name: "literal-requires",
    transform(code, id) {
      if (!/[/\\]src[/\\]ffi[/\\]embedded\.ts$/.test(id)) return null;
      return code.replace(/\brequire\((?="@sluice\/)/g, () => (hidden++, `${STAND_IN}(`));
    },
    renderChunk(code) {
      if (!code.includes(STAND_IN)) return null;
      return code.replaceAll(STAND_IN, () => (shown++, "require"));
    },
    generateBundle() {
      if (hidden === 0 || hidden !== shown) throw new Error(`${shown} of ${hidden} calls are left`);
    },
  };
}
