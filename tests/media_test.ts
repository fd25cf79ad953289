import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { countRequest } from "../mod.ts";
import { imageSize, mediumCost } from "../src/tokenizer/request/media.ts";

const bytes = (...parts: (number[] | string)[]): string =>
  btoa(
    parts.map((part) => typeof part === "string" ? part : String.fromCharCode(...part)).join(""),
  );

const two = (n: number) => [n >> 8 & 255, n & 255];
const four = (n: number) => [...two(n >>> 16), ...two(n)];
const reversed = (numbers: number[]) => [...numbers].reverse();

/** Image headers according to the specifications of the formats. */
const IMAGES: Record<string, (width: number, height: number) => string> = {
  png: (w, h) =>
    bytes([0x89], "PNG\r\n", [0x1a, 10, 0, 0, 0, 13], "IHDR", four(w), four(h), [8, 6, 0, 0, 0]),
  gif: (w, h) => bytes("GIF89a", reversed(two(w)), reversed(two(h)), [0, 0, 0]),
  // With a profile of 60 kB before the frame.
  jpeg: (w, h) =>
    bytes(
      [0xff, 0xd8, 0xff, 0xe1],
      two(60_002),
      "x".repeat(60_000),
      [0xff, 0xc0, 0, 17, 8],
      two(h),
      two(w),
      [3, 1, 0x22, 0, 2, 0x11, 1],
    ),
  webp: (w, h) =>
    bytes(
      "RIFF",
      [60, 0, 0, 0],
      "WEBPVP8X",
      [10, 0, 0, 0, 0, 0, 0, 0],
      reversed(four(w - 1)).slice(0, 3),
      reversed(four(h - 1)).slice(0, 3),
      [0, 0, 0, 0],
    ),
};

describe("imageSize", () => {
  for (const [format, image] of Object.entries(IMAGES)) {
    it(`reads the header of a ${format}, in base64 and as a data: URL`, () => {
      const data = image(1234, 567);
      for (const it of [data, `data:image/${format};base64,${data}`, data.replace(/=+$/, "")]) {
        const { width, height } = imageSize(it)!;
        assert.deepEqual([width, height], [1234, 567]);
      }
    });

    it(`knows no size of half a header of a ${format}`, () => {
      const data = image(1234, 567);
      for (let length = 0; length < 24; length++) imageSize(data.slice(0, length));
      assert.equal(imageSize(data.slice(0, 8)), undefined);
    });
  }

  it("has no size for what is not an image", () => {
    const others = ["", "data:", "data:text/plain,hello", "https://example.com/a.png", "%%%", "é"];
    for (const data of [...others, undefined, 5, {}, "A".repeat(4_000_000)]) {
      assert.equal(imageSize(data), undefined);
    }
    assert.equal(imageSize(IMAGES["png"]!(0, 10)), undefined);
  });
});

describe("the cost of an image", () => {
  const cost = (model: string, width: number, height: number, detail?: string) => {
    const data = IMAGES["png"]!(width, height);
    return mediumCost({ type: "image", isImage: true, data, detail }, model)?.tokens;
  };

  // The examples of OpenAI's page.
  it("equals OpenAI's examples, in tiles and in patches", () => {
    assert.equal(cost("gpt-4o", 1024, 1024, "high"), 765);
    assert.equal(cost("gpt-4o", 2048, 4096, "high"), 1105);
    assert.equal(cost("gpt-4o", 4096, 8192, "low"), 85);
    assert.equal(cost("gpt-4o-mini", 10, 10, "low"), 2833);
    assert.equal(cost("gpt-5", 1024, 1024), 70 + 4 * 140);
    assert.equal(cost("o3", 512, 512), 75 + 150);
    assert.equal(cost("gpt-4.1-mini", 1024, 1024), Math.ceil(1024 * 1.62));
    assert.equal(cost("o4-mini", 1800, 2400), Math.ceil(1452 * 1.72));
    assert.equal(cost("gpt-5-nano", 100_000, 32), Math.ceil(1536 * 2.46));
  });

  it("equals Anthropic's and Google's rules", () => {
    assert.equal(cost("claude-sonnet-4-5", 200, 200), 64);
    assert.equal(cost("claude-sonnet-4-5", 8000, 8000), 1568);
    assert.equal(cost("claude-opus-4-7", 8000, 8000), 4784);
    assert.equal(cost("gemini-2.5-pro", 384, 384), 258);
    assert.equal(cost("gemini-2.5-pro", 960, 540), 6 * 258);
    assert.equal(cost("gemini-3-pro", 5, 5), 1120);
    assert.equal(cost("gemini-3-pro", 5, 5, "MEDIA_RESOLUTION_LOW"), 280);
  });

  it("is not known for models without a published rule", () => {
    for (const model of ["gpt-5.4", "gpt-6", "llama-4", "", "gpt-4"]) {
      assert.equal(cost(model, 64, 64), undefined, model);
    }
  });

  it("is an extra with its source, or reported, and never exact", () => {
    const body = (url: string, detail: string) => ({
      model: "gpt-4o",
      messages: [
        {
          role: "user",
          content: [{ type: "image_url", image_url: { url, detail } }, {
            type: "text",
            text: "Hi",
          }],
        },
      ],
    });
    const text =
      countRequest({ model: "gpt-4o", messages: [{ role: "user", content: "Hi" }] }).tokens;
    const inline = countRequest(
      body(`data:image/png;base64,${IMAGES["png"]!(1024, 1024)}`, "high"),
    );
    assert.deepEqual([inline.tokens, inline.extras[0]!.tokens], [text + 765, 765]);
    assert.match(inline.extras[0]!.source!, /^https:/);
    assert.deepEqual([inline.exact, inline.estimated], [false, ["extras"]]);
    const low = countRequest(body("https://example.com/a.png", "low"));
    assert.deepEqual([low.tokens, low.uncounted], [text + 85, []]);
    const remote = countRequest(body("https://example.com/a.png", "high"));
    assert.deepEqual([remote.tokens, remote.exact], [text, false]);
    assert.deepEqual(remote.uncounted, [{ path: "messages[0].content[0]", type: "image_url" }]);
  });
});
