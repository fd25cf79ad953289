/**
 * The corpora of the demo, cut to sizes that keep it under a minute: tiktoken's WASM build does
 * 0.2–10 MB/s, and here it reads all of this four times.
 *
 * @module
 */
import {
  compiler,
  declarations,
  emails,
  type Language,
  LANGUAGES,
  messageFile,
  prose,
} from "../bench/corpora.ts";
import { TextWalk } from "../bench/text_walk.ts";

/** Texts of one kind. */
export interface DemoCorpus {
  readonly name: string;
  readonly texts: readonly string[];
}

const LANGUAGE_NAMES: Readonly<Record<Language, string>> = {
  "cs": "Czech",
  "de": "German",
  "es": "Spanish",
  "fr": "French",
  "it": "Italian",
  "ja": "Japanese",
  "ko": "Korean",
  "pl": "Polish",
  "pt-br": "Portuguese",
  "ru": "Russian",
  "tr": "Turkish",
  "zh-cn": "Chinese, simplified",
  "zh-tw": "Chinese, traditional",
};

/** All corpora of the demo, whole documents where a corpus has documents. */
export function demoCorpora(): DemoCorpus[] {
  return [
    // All 138 chapters: 1.2 MB.
    { name: "prose: Moby-Dick", texts: prose() },
    // The first 1,000 of 6,000 and some, with headers and attachments: 4 MB.
    { name: "e-mail: SpamAssassin", texts: emails(1000) },
    // Whole: 3.2 MB.
    { name: "code: TypeScript", texts: declarations() },
    // 2 of 6 MB.
    { name: "code: JavaScript", texts: [lines(compiler(), 2_000_000)] },
    // The whole files, 290 to 440 kB each: JSON with English keys.
    ...LANGUAGES.map((language) => ({
      name: `messages: ${LANGUAGE_NAMES[language]}`,
      texts: [messageFile(language)],
    })),
    // Made by fixed seed, because no package has them.
    { name: "chat requests, made", texts: new TextWalk("chat").take(40, 10_000) },
    { name: "emoji, made", texts: new TextWalk("emoji").take(100, 1000) },
    { name: "base64, made", texts: new TextWalk("base64").take(100, 1000) },
  ];
}

/** The lines that fit in the first `characters` of a file. */
function lines(file: string, characters: number): string {
  return file.slice(0, file.lastIndexOf("\n", characters) + 1);
}
