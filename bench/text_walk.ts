/**
 * Texts of any length and class that do not repeat: a walk along a corpus.
 *
 * Benches on one repeated paragraph measure caches. A walk returns every character of its corpus once. After that its lines
 * are shuffled, so that lines repeat but texts do not: after 0.2 million characters of Chinese and Japanese or of
 * Russian, 1.3 million of the European languages, and 6 million and more of the rest.
 *
 * @module
 */
import { compiler, declarations, emailBodies, type Language, messages, prose } from "./corpora.ts";
import { base64Blocks, chatRequests, emojiMessages } from "./made_texts.ts";
import { Random } from "./random.ts";

/** The classes of text, with their titles. */
export const CLASS_TITLES = {
  english: "English prose",
  code: "source code",
  european: "European Latin",
  cjk: "Chinese, Japanese",
  russian: "Russian",
  emoji: "emoji",
  base64: "base64",
  chat: "JSON chat logs",
} as const;

/** A class of text. */
export type TextClass = keyof typeof CLASS_TITLES;

/** All classes. */
export const TEXT_CLASSES: readonly TextClass[] = Object.keys(CLASS_TITLES) as TextClass[];

/** A walk along the corpus of one class. */
export class TextWalk {
  readonly #lines: Iterator<string>;
  #rest = "";

  /** Equal walks return equal texts, in both runtimes. */
  constructor(textClass: TextClass) {
    this.#lines = lines(textClass);
  }

  /**
   * The next text of `characters` UTF-16 units, or of one less if the last would be half of a surrogate pair.
   * O(characters).
   */
  next(characters: number): string {
    const parts: string[] = [];
    let missing = characters;
    while (missing > 0) {
      if (this.#rest === "") this.#rest = this.#lines.next().value as string;
      const cut = wholeCharacters(this.#rest, missing);
      if (cut === 0) break;
      parts.push(this.#rest.slice(0, cut));
      this.#rest = this.#rest.slice(cut);
      missing -= cut;
    }
    return flat(parts.join(""));
  }

  /** The next `count` texts. */
  take(count: number, characters: number): string[] {
    return Array.from({ length: count }, () => this.next(characters));
  }
}

/** The largest cut that is at most `limit` and not within a surrogate pair. */
function wholeCharacters(text: string, limit: number): number {
  if (limit >= text.length) return text.length;
  const before = text.charCodeAt(limit - 1);
  return before >= 0xd800 && before < 0xdc00 ? limit - 1 : limit;
}

/** The text as a flat string, as parsed JSON has it. Slices and joins are trees, which the first reader flattens. */
function flat(text: string): string {
  return JSON.parse(JSON.stringify(text)) as string;
}

function lines(textClass: TextClass): Iterator<string> {
  switch (textClass) {
    case "english":
      return shuffling([...splitLines(prose().slice(1)), ...splitLines(emailBodies(2500))]);
    case "code":
      return shuffling(
        interleave([compiler(), ...declarations()].map((file) => splitLines([file]))),
      );
    case "european":
      return shuffling(translated("cs", "de", "es", "fr", "it", "pl", "pt-br", "tr"));
    case "cjk":
      return shuffling(translated("ja", "zh-cn", "zh-tw"));
    case "russian":
      return shuffling(translated("ru"));
    case "emoji":
      return emojiMessages(1);
    case "base64":
      return base64Blocks(2);
    case "chat":
      return chatLines();
  }
}

function* shuffling(lines: readonly string[]): Generator<string> {
  const random = new Random(3);
  yield* lines;
  while (true) yield* random.shuffled(lines);
}

function splitLines(documents: readonly string[]): string[] {
  return documents.flatMap((document) => document.match(/[^\n]*\n|[^\n]+$/g) ?? []);
}

/** 60 lines of each file in turn, so that a text is of several kinds. */
function interleave(files: readonly string[][]): string[] {
  const block = 60;
  const mixed: string[] = [];
  const longest = Math.max(...files.map((file) => file.length));
  for (let at = 0; at < longest; at += block) {
    for (const file of files) mixed.push(...file.slice(at, at + block));
  }
  return mixed;
}

/** The messages in all `languages`, message by message. */
function translated(...languages: Language[]): string[] {
  const columns = languages.map((language) => messages(language));
  return columns[0]!.flatMap((_, i) => columns.map((column) => `${column[i]}\n`));
}

function* chatLines(): Generator<string> {
  const english = new TextWalk("english");
  const code = new TextWalk("code");
  for (const request of chatRequests(4, (n) => english.next(n), (n) => code.next(n))) {
    yield `${JSON.stringify(request)}\n`;
  }
}
