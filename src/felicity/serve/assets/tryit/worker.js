// Beside the page: a picture in, its faces and the shares of their expressions out. Nothing leaves the browser.

import { faces } from "./faces.js";
import { cropped, lifted } from "./picture.js";

let opened;

/** Load runtime, detector and network, once. */
async function open(facts) {
  const runtime = await import(facts.runtime);
  Object.assign(runtime.env.wasm, { numThreads: 1, wasmPaths: { wasm: facts.program } });
  const [detector, network] = [
    await runtime.InferenceSession.create(facts.detector),
    await runtime.InferenceSession.create(facts.network),
  ];
  const runs = (session) => (values, shape) =>
    session.run({ [session.inputNames[0]]: new runtime.Tensor("float32", values, shape) });
  return { facts, find: runs(detector), classify: runs(network), answer: network.outputNames[0] };
}

/** Return the pixels of a bitmap, its transparent parts white. */
function pixels(bitmap) {
  const { width, height } = bitmap;
  const canvas = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  canvas.fillStyle = "white";
  canvas.fillRect(0, 0, width, height);
  canvas.drawImage(bitmap, 0, 0);
  bitmap.close();
  return { data: canvas.getImageData(0, 0, width, height).data, width, height, channels: 4 };
}

async function read(bitmap) {
  const { facts, find, classify, answer } = await opened;
  const begin = performance.now();
  const picture = pixels(bitmap);
  const found = await faces(picture, find);
  const searched = performance.now();
  if (found.length) {
    const { size, mean, std } = facts.input;
    const [factor, offset] = [Math.fround(1 / (255 * std)), Math.fround(mean / std)]; // rounded as the server rounds
    const input = new Float32Array(found.length * size * size);
    found.forEach((face, i) => {
      const crop = lifted(cropped(picture, face, size, facts.geometry));
      crop.forEach((value, at) => (input[i * size * size + at] = Math.fround(value * factor) - offset));
    });
    const logits = (await classify(input, [found.length, 1, size, size]))[answer].data;
    found.forEach((face, i) => (face.shares = shares([...logits.subarray(8 * i, 8 * i + 8)], facts)));
  }
  return { faces: found, search: searched - begin, classify: performance.now() - searched };
}

/** Return the share of each expression. */
function shares(logits, { temperature, shift }) {
  const scaled = logits.map((value, i) => value / temperature + shift[i]);
  const most = Math.max(...scaled);
  const powers = scaled.map((value) => Math.exp(value - most));
  const sum = powers.reduce((one, other) => one + other);
  return powers.map((value) => value / sum);
}

addEventListener("message", async ({ data: { id, facts, bitmap } }) => {
  try {
    if (facts) await (opened = open(facts));
    postMessage({ id, answer: bitmap && (await read(bitmap)) });
  } catch (error) {
    postMessage({ id, error: error.message ?? String(error) });
  }
});
