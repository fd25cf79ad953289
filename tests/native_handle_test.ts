/** The base of native handles: closed once, by its owner, by `using`, or by the garbage collector. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { cancelFinalizer, closeWhenCollected, NativeHandle } from "../src/ffi/native_handle.ts";
import { collectUntil } from "./fixtures/garbage.ts";

/** A native object that is closed after as many calls as it has uses. */
class Closed {
  uses: number;
  readonly handles: number[] = [];
  readonly close = (handle: number): number => {
    this.handles.push(handle);
    return this.uses--;
  };

  constructor(uses = 0) {
    this.uses = uses;
  }
}

describe("NativeHandle", () => {
  it("is closed once, and refuses every use after that", () => {
    const { handles, close } = new Closed();
    const handle = new NativeHandle(7, "This thing", close);
    assert.deepEqual([handle.handle, handle.openHandle, handle.unwrap(3)], [7, 7, 3]);
    handle.checkOpen();
    handle.close();
    handle.close();
    handle[Symbol.dispose]();
    assert.deepEqual(handles, [7]);
    assert.equal(handle.handle, 0);
    const error = { name: "SluiceError", code: "SLUICE_DISPOSED", message: "This thing is closed" };
    for (
      const use of [() => handle.openHandle, () => handle.checkOpen(), () => handle.unwrap(-3)]
    ) {
      assert.throws(use, error);
    }
  });

  it("is closed at the end of using", () => {
    const { handles, close } = new Closed();
    {
      using _ = new NativeHandle(8, "This thing", close);
    }
    assert.deepEqual(handles, [8]);
  });

  it("stays open while other uses keep it open", () => {
    const { handles, close } = new Closed(2);
    const handle = new NativeHandle(9, "This thing", close);
    handle.close();
    handle.close();
    assert.equal(handle.openHandle, 9);
    handle.close();
    assert.equal(handle.handle, 0);
    handle.close();
    assert.deepEqual(handles, [9, 9, 9]);
  });

  it("is abandoned when it is collected, unless it was closed", async () => {
    const [closed, abandoned] = [new Closed(), new Closed()];
    const forget = () => {
      for (let i = 1; i <= 20; i++) {
        const handle = new NativeHandle(i, "This thing", closed.close, abandoned.close);
        if (i % 2 === 0) handle.close();
      }
    };
    forget();
    // The latest may still be on the stack.
    assert.ok(await collectUntil(() => abandoned.handles.length >= 8));
    assert.ok(abandoned.handles.every((handle) => handle % 2 === 1), String(abandoned.handles));
    assert.deepEqual(closed.handles, [2, 4, 6, 8, 10, 12, 14, 16, 18, 20]);
  });

  it("runs the finalizer of an owner, unless it is cancelled", async () => {
    let ran = 0;
    const forget = () => {
      for (let i = 0; i < 20; i++) {
        const owner = {};
        closeWhenCollected(owner, () => ran++);
        if (i < 10) cancelFinalizer(owner);
      }
    };
    forget();
    assert.ok(await collectUntil(() => ran >= 8));
    assert.ok(ran <= 10, `${ran} of 10`);
  });
});
