// Messages to and from export/browser/messages.py: JSON and named arrays in one body.

const ALIGNMENT = 8;

const ARRAYS = {
  bool: Uint8Array,
  float32: Float32Array,
  float64: Float64Array,
  int32: Int32Array,
  int64: BigInt64Array,
  int8: Int8Array,
  uint8: Uint8Array,
};

const padded = (length) => Math.ceil(length / ALIGNMENT) * ALIGNMENT;

// Returns {content, tensors}: tensors by name, each {type, dims, data}.
export function unpack(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  const start = padded(4 + length);
  const tensors = {};
  for (const { name, type, dims, offset } of header.tensors) {
    const count = dims.reduce((product, size) => product * size, 1);
    tensors[name] = { type, dims, data: new ARRAYS[type](buffer, start + offset, count) };
  }
  return { content: header.content, tensors };
}

export function pack(content, tensors = {}) {
  const described = [];
  let offset = 0;
  for (const [name, { type, dims, data }] of Object.entries(tensors)) {
    if (!(type in ARRAYS)) throw new Error(`the output ${name} is of type ${type}`);
    described.push({ name, type, dims, offset });
    offset = padded(offset + data.byteLength);
  }
  const header = new TextEncoder().encode(JSON.stringify({ content, tensors: described }));
  const start = padded(4 + header.length);
  const body = new Uint8Array(start + offset);
  new DataView(body.buffer).setUint32(0, header.length, true);
  body.set(header, 4);
  Object.values(tensors).forEach(({ data }, number) => {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    body.set(bytes, start + described[number].offset);
  });
  return body;
}
