/**
 * Calls of Node.js through the call block (`rust/abi/src/seam/call.rs`): a call writes its arguments into memory of the
 * library and then calls a function that has none.
 *
 * `node:ffi` checks and converts the arguments of all functions in JavaScript that they share, so V8 cannot specialise it.
 * A function without arguments is called directly, in 3 ns (`bench/record`, crossing).
 *
 * @module
 */
import type { NativeBuffer, ParameterType } from "./native.ts";
import { addressOf } from "./own_memory.ts";
import { CALL_BLOCK, symbols } from "./symbols.gen.ts";

/** What calls need of the library and of `node:ffi`. */
export interface CallSource {
  readonly sluice_call_block: () => number;
  readonly sluice_call_run: () => number;
  /** The memory at an address. */
  toArrayBuffer(address: bigint, bytes: number, copy: false): ArrayBuffer;
  /** The address of a buffer. Throws if it is none. */
  getRawPointer(buffer: NativeBuffer): bigint;
}

/** A function of the library. Arguments beyond its parameters are ignored. */
type Call = (...args: (number | NativeBuffer)[]) => number;

/** Makes a function of the library by its name and the types of its parameters. */
export type MakeCall = (name: string, args: readonly ParameterType[]) => Call;

/** How functions with parameters are made, for the library of this thread. */
export function callsThrough(source: CallSource): MakeCall {
  const { sluice_call_run: run, toArrayBuffer, getRawPointer } = source;
  const block = new Float64Array(
    toArrayBuffer(BigInt(source.sluice_call_block()), 8 * CALL_BLOCK, false),
  );
  const numbers = new Map(Object.keys(symbols).map((name, number) => [name, number]));
  const find = (buffer: NativeBuffer): number => Number(getRawPointer(buffer));

  // The buffers of a call, at most three. Nothing else may refer to them, and the library has not read them yet.
  const held: { first?: unknown; second?: unknown; third?: unknown } = {};
  const address = (argument: number | NativeBuffer): number => {
    const buffer = argument as NativeBuffer;
    held.third = held.second;
    held.second = held.first;
    held.first = buffer;
    return addressOf(buffer, find);
  };

  return (name, args) => {
    const number = numbers.get(name)!;
    const [is0, is1, is2, is3, is4, is5] = args.map((type) => type === "buffer");
    const hasBuffers = args.includes("buffer");
    // A missing argument is stored as NaN, which no function reads.
    return (a0, a1, a2, a3, a4, a5) => {
      block[0] = number;
      block[1] = is0 ? address(a0!) : a0 as number;
      block[2] = is1 ? address(a1!) : a1 as number;
      block[3] = is2 ? address(a2!) : a2 as number;
      block[4] = is3 ? address(a3!) : a3 as number;
      block[5] = is4 ? address(a4!) : a4 as number;
      block[6] = is5 ? address(a5!) : a5 as number;
      const result = run();
      if (hasBuffers) held.first = held.second = held.third = undefined;
      return result;
    };
  };
}
