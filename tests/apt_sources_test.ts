import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { deriveSource } from "../scripts/apt_sources.ts";

const STANZAS = `Types: deb
# a comment
URIs: http://mirror.invalid/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.invalid/debian-security
Suites: bookworm-security
Components: main
`;

describe("the source of backports", () => {
  it("is derived from the stanza of the release", () => {
    assert.equal(
      deriveSource(STANZAS, "bookworm", "bookworm-backports"),
      `Types: deb
URIs: http://mirror.invalid/debian
Suites: bookworm-backports
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
`,
    );
  });

  it("is derived from the line of the release, with its options", () => {
    const lines = `# deb http://mirror.invalid/old bookworm main
deb http://mirror.invalid/debian-security bookworm-security main
deb-src http://mirror.invalid/debian bookworm main
deb [signed-by=/a.gpg] http://mirror.invalid/debian bookworm main contrib
`;
    assert.equal(
      deriveSource(lines, "bookworm", "bookworm-backports"),
      "deb [signed-by=/a.gpg] http://mirror.invalid/debian bookworm-backports main contrib\n",
    );
  });

  it("is nothing if there is only a source of another release, sources only, or a disabled one", () => {
    assert.equal(deriveSource(STANZAS, "trixie", "trixie-backports"), undefined);
    for (const line of ["Types: deb-src", "Types: deb\nEnabled: no"]) {
      const stanza = STANZAS.replaceAll("Types: deb", line);
      assert.equal(deriveSource(stanza, "bookworm", "bookworm-backports"), undefined);
    }
  });
});
