// Does what export/browser/page.py asks: opens the model, answers, times itself.
//
// One request carries the last answer there and the next job back, until there is nobody to ask.

import { pack, unpack } from "./messages.js";
import { timeCalls } from "./timing.js";

let workers = 0;
const PlainWorker = globalThis.Worker;
// onnxruntime-web says nothing of the threads that it started, but each one is a worker.
globalThis.Worker = class extends PlainWorker {
  constructor(...given) {
    super(...given);
    workers += 1;
  }
};

let ort = null;
let session = null;

const jobs = { about, open, ask, time };

async function about() {
  const named = await navigator.userAgentData?.getHighEntropyValues(["fullVersionList"]);
  return {
    content: {
      userAgent: navigator.userAgent,
      versions: named?.fullVersionList ?? [],
      crossOriginIsolated: globalThis.crossOriginIsolated,
      gpu: await gpu(),
    },
  };
}

// The GPU that WebGPU would use; null where there is none, or only one emulated on the CPU.
async function gpu() {
  const adapter = await navigator.gpu?.requestAdapter();
  const info = adapter?.info;
  if (!info) return null;
  const isEmulated = info.isFallbackAdapter || /swiftshader|llvmpipe/i.test(
    `${info.vendor} ${info.architecture} ${info.device} ${info.description}`,
  );
  return isEmulated ? null : `${info.vendor} ${info.architecture}`.trim();
}

async function open({ module, backend, threads, timed }, tensors) {
  const model = new Uint8Array(await (await fetched("model")).arrayBuffer());
  const options = { executionProviders: [backend], logSeverityLevel: 3 };
  const create = () => ort.InferenceSession.create(model, options);
  const began = performance.now();
  ort = await import(`./ort/${module}`);
  ort.env.logLevel = "error";
  ort.env.wasm.numThreads = threads;
  session = await create();
  const found = {
    workers,
    version: ort.env.versions.web,
    inputs: described(),
    coldStartMs: null,
    loadMs: null,
  };
  if (timed) {
    await session.run(feedsOf(tensors));
    found.coldStartMs = performance.now() - began;
    await session.release();
    const again = performance.now();
    session = await create();
    found.loadMs = performance.now() - again;
  }
  return { content: found };
}

const described = () => session.inputMetadata.map(({ name, type }) => ({ name, type }));

const feedsOf = (tensors) =>
  Object.fromEntries(
    Object.entries(tensors).map(([name, { type, data, dims }]) => [
      name,
      new ort.Tensor(type, data, dims),
    ]),
  );

async function ask(_, tensors) {
  const answers = await session.run(feedsOf(tensors));
  return { content: null, tensors: answers };
}

// Row `index` of `[N, L]` arrays as a batch of one, without the padding on its right.
function row(tensors, lengths, index) {
  const cut = Object.entries(tensors).map(([name, { type, dims, data }]) => {
    const width = dims.slice(1).reduce((product, size) => product * size, 1);
    const kept = lengths ? lengths[index] : width;
    const shape = lengths ? [1, kept] : [1, ...dims.slice(1)];
    return [name, { type, dims: shape, data: data.subarray(index * width, index * width + kept) }];
  });
  return feedsOf(Object.fromEntries(cut));
}

async function time(settings, { "row lengths": lengths, ...tensors }) {
  const count = Object.values(tensors)[0].dims[0];
  const rows = Array.from({ length: count }, (_, index) => row(tensors, lengths?.data, index));
  const { about, latenciesMs } = await timeCalls(
    (index) => session.run(rows[index]), count, settings,
  );
  const dims = [latenciesMs.length];
  return { content: about, tensors: { latencies: { type: "float64", dims, data: latenciesMs } } };
}

async function fetched(path, options) {
  const response = await fetch(path, options);
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response;
}

async function answerOf({ content, tensors }) {
  try {
    const found = await jobs[content.job](content.settings, tensors);
    return pack({ id: content.id, found: found.content }, found.tensors);
  } catch (error) {
    return pack({ id: content.id, error: String(error?.message ?? error) });
  }
}

async function main() {
  let answer = new Uint8Array(0);
  for (;;) {
    const response = await fetched("exchange", { method: "POST", body: answer });
    answer = new Uint8Array(0);
    if (response.status === 200) answer = await answerOf(unpack(await response.arrayBuffer()));
  }
}

main().finally(() => globalThis.close()); // Nobody to work for: the browser ends with its page.
