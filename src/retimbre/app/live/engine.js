/* The engine from JavaScript: engine.wasm in a memory of its own, the functions of engine.h by name.

   It is compiled synchronously, because a worklet that wakes with its first block has no time to wait. */

export class Sandbox {
  /** @param {BufferSource} bytes of engine.wasm. Throws WebAssembly.CompileError where the browser refuses them. */
  constructor(bytes) {
    this.exports = new WebAssembly.Instance(new WebAssembly.Module(bytes), {}).exports;
  }

  /** Run a function that makes an object; throws RangeError where there is no memory for it. */
  make(name, ...values) {
    const pointer = this.exports[name](...values);
    if (!pointer) throw new RangeError(`the engine has no memory left for ${name}`);
    return pointer;
  }

  /** So many floats at a place of its memory; valid until more is allocated. */
  view(pointer, count) {
    return new Float32Array(this.exports.memory.buffer, pointer, count);
  }
}

let bytes = null;

/** engine.wasm, fetched once. Throws where it is not there. */
export function engineBytes() {
  bytes ??= fetch(new URL("engine.wasm", import.meta.url)).then((answer) => {
    if (!answer.ok) throw new Error(`engine.wasm is not there (${answer.status})`);
    return answer.arrayBuffer();
  });
  bytes.catch(() => (bytes = null)); // the next try may do better
  return bytes;
}
