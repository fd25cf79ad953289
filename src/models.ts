/** placeholder replaced by helper */
import type { EncodingName } from "./encodings.ts";
export interface ResolvedModel {
  readonly model: string;
  readonly encoding: EncodingName;
  readonly exact: boolean;
}
export function resolveModel(model: string): ResolvedModel {
  return { model, encoding: "o200k_base", exact: true };
}
