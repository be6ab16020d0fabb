/* Reading a .safetensors file without trusting it (https://github.com/huggingface/safetensors): eight bytes with the
   length of the header, the header (JSON), the numbers. Nothing in it can run. */

const MAX_FILE = 64 << 20, MAX_HEADER = 1 << 20; // bytes; a shipped instrument has 0.2 MB and 6 kB
const SIZES = { BOOL: 1, U8: 1, I8: 1, F8_E4M3: 1, F8_E5M2: 1, I16: 2, U16: 2, F16: 2, BF16: 2, I32: 4, U32: 4, F32: 4,
  I64: 8, U64: 8, F64: 8 };

/** What a user can cure; the message says what is wrong. */
export class FileError extends Error {}

/** Metadata (strings by name) and tensors ({ dtype, shape, bytes } by name) of an ArrayBuffer. Throws FileError. */
export function readSafetensors(buffer) {
  const size = buffer.byteLength;
  if (size < 10) throw new FileError("it is too short");
  if (size > MAX_FILE) throw new FileError("it is larger than 64 MB");
  const length = Number(new DataView(buffer).getBigUint64(0, true));
  if (length > Math.min(size - 8, MAX_HEADER)) throw new FileError("its header is longer than the file");
  const header = parse(new Uint8Array(buffer, 8, length));
  const tensors = new Map(), spans = [];
  let metadata = new Map();
  for (const [name, entry] of Object.entries(header)) {
    if (name === "__metadata__") {
      metadata = readMetadata(entry);
      continue;
    }
    const [from, to] = check(name, entry);
    spans.push([from, to]);
    tensors.set(name, { dtype: entry.dtype, shape: entry.shape, from: 8 + length + from, to: 8 + length + to });
  }
  let end = 0;
  for (const [from, to] of spans.sort(([a, b], [c, d]) => a - c || b - d)) {
    if (from !== end) throw new FileError("its tensors overlap or leave gaps");
    end = to;
  }
  if (8 + length + end !== size) throw new FileError("it is cut short, or longer than its header says");
  for (const tensor of tensors.values()) tensor.bytes = buffer.slice(tensor.from, tensor.to);
  return { metadata, tensors };
}

function parse(bytes) {
  let header;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new FileError("its header cannot be read");
  }
  if (!isObject(header)) throw new FileError("its header cannot be read");
  return header;
}

function readMetadata(entry) {
  if (!isObject(entry) || !Object.values(entry).every((value) => typeof value === "string")) {
    throw new FileError("its metadata cannot be read");
  }
  return new Map(Object.entries(entry));
}

/** Where a tensor begins and ends; throws where its shape, type and place do not agree. */
function check(name, entry) {
  const whole = (list) => Array.isArray(list) && list.every((n) => Number.isSafeInteger(n) && n >= 0);
  const { dtype, shape, data_offsets: offsets } = isObject(entry) ? entry : {};
  if (!Object.hasOwn(SIZES, dtype) || !whole(shape) || !whole(offsets) || offsets.length !== 2) {
    throw new FileError(`its tensor ${name} is not described`);
  }
  const bytes = shape.reduce((product, n) => product * n, SIZES[dtype]);
  if (offsets[1] - offsets[0] !== bytes) throw new FileError(`its tensor ${name} does not have the size of its shape`);
  return offsets;
}

function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
