/**
 * Made texts beside the held-out corpora, for what those have little of: runs of one alphabet, long pieces, words that
 * come alone.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { base64Blocks, emojiMessages } from "../made_texts.ts";
import { Random } from "../random.ts";

const UNITS = 1_000_000;

/** Makes the texts, each of about a million UTF-16 units, from fixed seeds. */
export function makeClasses(): { name: string; text: string }[] {
  const random = new Random(0xab1a);
  const integer = (below: number) => random.integer(0, below);
  const letters = (count: number, first: number, alphabet: number) =>
    String.fromCharCode(...Array.from({ length: count }, () => first + integer(alphabet)));
  const hex = () => Buffer.from(letters(32, 0, 128), "latin1").toString("hex");
  return [
    { name: "base64", text: until(base64Blocks(0xb64)) },
    { name: "emoji", text: until(emojiMessages(0xe0)) },
    { name: "hashes, hex", text: repeat(() => `${hex()}\n`) },
    { name: "letters without order", text: repeat(() => `${letters(6 + integer(30), 97, 26)} `) },
    {
      name: "marks",
      text: repeat(() => `${letters(1, 97, 26)}${letters(1 + integer(60), 0x300, 112)} `),
    },
    {
      name: "Russian without spaces",
      text: repeat(() => `${letters(200 + integer(300), 0x430, 32)} `),
    },
    {
      name: "lines",
      text: repeat(() =>
        `${letters(4, 97, 26)}\n${"-=_*~ "[integer(6)]!.repeat(40 + 8 * integer(20))}\n`
      ),
    },
    { name: "single words", text: repeat(() => `${letters(3 + integer(12), 97, 26)} `) },
  ];
}

function until(parts: Generator<string>): string {
  return repeat(() => parts.next().value as string);
}

function repeat(make: () => string): string {
  let text = "";
  while (text.length < UNITS) text += make();
  return text;
}
