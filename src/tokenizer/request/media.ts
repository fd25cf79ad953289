/**
 * Token costs of images, by the rules that providers publish.
 *
 * Most rules need the size of the image in pixels, which is known only if the request contains the image. An
 * image behind a URL has a cost only if the rule is independent of its size.
 *
 * @module
 */
import { imageDimensionsFromData } from "image-dimensions";

/** A medium in a request. */
export interface Medium {
  /** Its type in the API, such as `"image_url"`. */
  readonly type: string;
  /** Whether it is an image. The cost of no other medium can be computed from the request. */
  readonly isImage: boolean;
  /** Base64, a `data:` URL, another URL, or bytes. */
  readonly data: unknown;
  /** `"low"`, `"high"` or similar, if the request has it. */
  readonly detail?: unknown;
}

/** An estimate, and the URL of its rule. */
export interface MediumCost {
  readonly tokens: number;
  readonly source: string;
}

/** Width and height in pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

const OPENAI = "https://platform.openai.com/docs/guides/images-vision#calculating-costs";
const ANTHROPIC = "https://platform.claude.com/docs/en/build-with-claude/vision";
const GEMINI = "https://ai.google.dev/gemini-api/docs/image-understanding";
const GEMINI_3 = "https://ai.google.dev/gemini-api/docs/media-resolution";

/** How much base64 is decoded, in characters: a JPEG may start with a thumbnail and a colour profile. */
const HEADER = 1 << 19;

/** The cost of `medium` with `model`, or undefined if no published rule has it. */
export function mediumCost(medium: Medium, model: string): MediumCost | undefined {
  if (!medium.isImage) return undefined;
  const rule = RULES.find(([models]) => models.test(model))?.[1];
  return rule?.(medium);
}

/** The size of an image whose bytes are in the request. O(1), because only its header is decoded. */
export function imageSize(data: unknown): Size | undefined {
  try {
    const bytes = headerOf(data);
    const size = bytes === undefined ? undefined : imageDimensionsFromData(bytes);
    return size !== undefined && size.width > 0 && size.height > 0 ? size : undefined;
  } catch {
    // Not base64, or an unknown image header.
    return undefined;
  }
}

function headerOf(data: unknown): Uint8Array | undefined {
  if (data instanceof Uint8Array) return data.subarray(0, HEADER);
  if (typeof data !== "string") return undefined;
  let start = 0;
  if (data.startsWith("data:")) {
    const comma = data.slice(0, 256).indexOf(",");
    if (comma < 0 || !data.slice(0, comma).endsWith(";base64")) return undefined;
    start = comma + 1;
  } else if (/^[a-z][a-z0-9+.-]*:/i.test(data.slice(0, 32))) {
    return undefined;
  }
  const base64 = data.slice(start, start + HEADER).replaceAll("-", "+").replaceAll("_", "/");
  const whole = base64.slice(0, base64.length - base64.length % 4);
  return Uint8Array.from(atob(whole), (byte) => byte.charCodeAt(0));
}

type ImageRule = (medium: Medium) => MediumCost | undefined;

/**
 * Tiles of 512 pixels. The image is scaled to fit 2048 by 2048 and to a shorter side of 768 pixels, and costs
 * `base` and `tile` for each tile. With `detail: "low"` it costs `base`, whatever its size. `"auto"`, which
 * leaves the choice to the model, is taken for `"high"`.
 */
function tiles(base: number, tile: number): ImageRule {
  return ({ data, detail }) => {
    if (detail === "low") return { tokens: base, source: OPENAI };
    const size = imageSize(data);
    if (size === undefined) return undefined;
    const { width, height } = size;
    const fit = Math.min(1, 2048 / Math.max(width, height));
    const scale = fit * Math.min(1, 768 / (fit * Math.min(width, height)));
    const count = Math.ceil(rounded(width * scale) / 512) *
      Math.ceil(rounded(height * scale) / 512);
    return { tokens: base + tile * count, source: OPENAI };
  };
}

/** Patches of 32 pixels, at most 1,536, of `factor` tokens each. */
function patches(factor: number): ImageRule {
  return ({ data }) => {
    const size = imageSize(data);
    if (size === undefined) return undefined;
    return { tokens: Math.ceil(patchCount(size) * factor), source: OPENAI };
  };
}

const MOST_PATCHES = 1536;

function patchCount({ width, height }: Size): number {
  const count = Math.ceil(width / 32) * Math.ceil(height / 32);
  if (count <= MOST_PATCHES) return count;
  const shrink = Math.sqrt(32 * 32 * MOST_PATCHES / (width * height));
  const [across, down] = [width * shrink / 32, height * shrink / 32];
  const scale = Math.min(floor(across) / across, floor(down) / down);
  return Math.min(
    MOST_PATCHES,
    Math.ceil(rounded(across * scale)) * Math.ceil(rounded(down * scale)),
  );
}

/** Rounds down, to at least one patch. */
function floor(patches: number): number {
  return Math.max(1, Math.floor(patches));
}

/** Patches of 28 pixels, after the image was scaled to fit `edge` pixels; at most `most` tokens. */
function claude(edge: number, most: number): ImageRule {
  return ({ data }) => {
    const size = imageSize(data);
    if (size === undefined) return undefined;
    const fit = Math.min(1, edge / Math.max(size.width, size.height));
    const count = Math.ceil(rounded(size.width * fit / 28)) *
      Math.ceil(rounded(size.height * fit / 28));
    return { tokens: Math.min(most, count), source: ANTHROPIC };
  };
}

/** 258 tokens, or 258 per tile if a side has more than 384 pixels. */
const gemini: ImageRule = ({ data }) => {
  const size = imageSize(data);
  if (size === undefined) return undefined;
  const { width, height } = size;
  if (width <= 384 && height <= 384) return { tokens: 258, source: GEMINI };
  const unit = Math.min(768, Math.max(256, Math.floor(Math.min(width, height) / 1.5)));
  return { tokens: 258 * Math.ceil(width / unit) * Math.ceil(height / unit), source: GEMINI };
};

/** A fixed number for each resolution, independent of the size. */
const gemini3: ImageRule = ({ detail }) => {
  const level = typeof detail === "string" ? detail.replace(/^media_resolution_/i, "") : "";
  const tokens = { low: 280, medium: 560, high: 1120, ultra_high: 2240 }[level.toLowerCase()];
  return { tokens: tokens ?? 1120, source: GEMINI_3 };
};

/**
 * The rule of each model as of November 2026; the first match applies. The rules are from the pages above where
 * they could be read, otherwise from quotations of them. A bill may differ: gpt-5-mini was billed 1.2 per patch.
 */
const RULES: readonly (readonly [RegExp, ImageRule])[] = [
  [/^gpt-4\.1-mini|^gpt-5-mini/, patches(1.62)],
  [/^gpt-4\.1-nano|^gpt-5-nano/, patches(2.46)],
  [/^o4-mini/, patches(1.72)],
  [/^(?:ft:)?gpt-4o-mini/, tiles(2833, 5667)],
  [/^(?:ft:)?(?:chatgpt-4o|gpt-4o|gpt-4\.1|gpt-4\.5|gpt-4-turbo|gpt-4-vision)/, tiles(85, 170)],
  [/^gpt-5(?:-chat.*|-\d.*)?$/, tiles(70, 140)],
  [/^(?:o1|o1-pro|o3)(?:-\d.*)?$/, tiles(75, 150)],
  [/^computer-use-preview/, tiles(65, 129)],
  [/^claude-opus-4[-.](?:[7-9]|\d{2}(?!\d))/, claude(2576, 4784)],
  [/^claude/, claude(1568, 1568)],
  [/^gemini-(?:[3-9]|\d{2})/, gemini3],
  [/^gemini/, gemini],
];

/** A scaled length without the rounding error of its division. */
function rounded(length: number): number {
  return Math.round(length * 1e6) / 1e6;
}
