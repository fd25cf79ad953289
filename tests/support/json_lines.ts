/** Generators of lines that are JSON, nearly JSON or neither. */
import fc from "fast-check";

/** Texts that the reader may take for a field, a path or an escape. */
const NAMES = ["text", "a", "b", "a.b", "0", "1", "", ".", "length", "__proto__", "constructor"];

/** What a string may consist of, as it is written in JSON. */
const PIECES = [
  "x",
  " the word",
  "<|endoftext|>",
  "naïve 中文 🙂",
  "\u2028\u00a0\ufeff\u007f",
  String.raw`\n`,
  String.raw`\"`,
  String.raw`\\`,
  String.raw`\/`,
  String.raw`\u0041`,
  String.raw`\u0000`,
  String.raw`\ud83d\uDE42`,
  String.raw`\ud83d`,
  String.raw`\ude42`,
  String.raw`\u004`,
  String.raw`\x`,
  "\t",
  "\u0000",
];

/** Weights: what makes a line bad is rare, or no line is good. */
const piece = fc.oneof(
  { weight: 20, arbitrary: fc.constantFrom(...PIECES.slice(0, 12)) },
  { weight: 3, arbitrary: fc.constantFrom(...PIECES.slice(12, 14)) },
  { weight: 1, arbitrary: fc.constantFrom(...PIECES.slice(14)) },
  { weight: 6, arbitrary: fc.integer({ min: 1, max: 300 }).map((n) => "long word ".repeat(n)) },
);

const string = fc.array(piece, { maxLength: 6 }).map((pieces) => `"${pieces.join("")}"`);

const name = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...NAMES).map((name) => JSON.stringify(name)) },
  { weight: 1, arbitrary: fc.constant(String.raw`"te\u0078t"`) },
  { weight: 1, arbitrary: string },
);

const space = fc.constantFrom("", "", "", "", " ", "\t", "\r", "\v", "\u00a0");

const number = fc.constantFrom(
  ..."0 -0 12 -1.5e3 1E+2 0.1 1e999 01 1. .5 - +1 1e 0x1 NaN Infinity".split(" "),
);

const word = fc.constantFrom("true", "false", "null", "True", "nul", "undefined");

/** A value as it is written. */
const value: fc.Arbitrary<string> = fc.letrec<{ value: string }>((tie) => {
  const member = fc.tuple(name, space, tie("value"))
    .map(([name, space, value]) => `${name}${space}:${space}${value}`);
  return {
    value: fc.oneof(
      { depthSize: "small" },
      { weight: 6, arbitrary: string },
      { weight: 2, arbitrary: number },
      { weight: 1, arbitrary: word },
      {
        weight: 3,
        arbitrary: fc.array(member, { maxLength: 4 }).map((members) => `{${members.join(",")}}`),
      },
      {
        weight: 2,
        arbitrary: fc.array(tie("value"), { maxLength: 3 }).map((items) => `[${items.join(",")}]`),
      },
    ),
  };
}).value;

const object = fc.tuple(space, fc.array(fc.tuple(name, value), { maxLength: 4 }), space).map((
  [before, members, after],
) => `${before}{${members.map(([name, value]) => `${name}:${value}`).join(",")}}${after}`);

const mutated = fc.tuple(
  object,
  fc.nat(),
  fc.constantFrom('"', "\\", "{", "}", "[", "]", ",", ":", "0", "", "\ufeff", "\u0000", " x"),
  fc.boolean(),
).map(([line, at, insert, isTorn]) => {
  const cut = at % (line.length + 1);
  return line.slice(0, cut) + (isTorn ? "" : insert + line.slice(cut));
});

/** A line without its line feed. It may have a carriage return. */
export const jsonLine: fc.Arbitrary<string> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.tuple(string, fc.boolean()).map(([text, isLast]) =>
      isLast ? `{"id":1,"text":${text}}` : `{"text":${text},"id":1}`
    ),
  },
  { weight: 8, arbitrary: object },
  { weight: 3, arbitrary: mutated },
  { weight: 1, arbitrary: value },
  { weight: 1, arbitrary: space },
);

/** A chunk of lines as bytes: some are not UTF-8, and the last one may lack its line feed. */
export const jsonLines: fc.Arbitrary<Uint8Array<ArrayBuffer>> = fc.tuple(
  fc.array(jsonLine, { maxLength: 12 }),
  fc.constantFrom("\n", "\r\n"),
  fc.boolean(),
  fc.option(fc.tuple(fc.nat(), fc.constantFrom(0xff, 0x80, 0xc3, 0x22)), { freq: 6 }),
).map(([lines, end, isEnded, damage]) => {
  const text = lines.join(end) + (isEnded ? end : "");
  const bytes = new TextEncoder().encode(text);
  if (damage !== null && bytes.length > 0) bytes[damage[0] % bytes.length] = damage[1];
  return bytes;
});

/** Fields that some of the lines have. */
export const FIELDS: readonly string[] = [
  "text",
  "a",
  "a.b",
  "a.0",
  "a.1.text",
  "",
  ".",
  "a.length",
  "__proto__.a",
];
