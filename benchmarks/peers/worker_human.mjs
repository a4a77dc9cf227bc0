// @vladmandic/human as a rival: its emotion network and its own detector, on the WebAssembly backend of TensorFlow.js.
//
// Started by run.py: node worker_human.mjs FOLDER-WITH-NODE_MODULES
//
// TensorFlow.js has no threads for WebAssembly in Node.js, so it runs on one; its native backend is a download.
// Crops are prepared as human prepares a face: 0..1, bilinear to the network's size, weighted to grey, to -1..1.

import fs from 'node:fs';
import path from 'node:path';

import { asRgb, greatest, modules, require, serve, version } from './protocol.mjs';

const CHUNK = 64;
const NAMES = { angry: 'anger' };
const ORDER = ['anger', 'disgust', 'fear', 'happy', 'sad', 'surprise', 'neutral']; // of the network's outputs
const GREY = [0.2989, 0.587, 0.114];

const package_ = path.join(modules, '@vladmandic', 'human');

serve(async () => {
  globalThis.fetch = async (url) => new Response(fs.readFileSync(path.join(package_, 'models', path.basename(String(url)))));
  const { Human } = require(path.join(package_, 'dist', 'human.node-wasm.js'));
  const human = new Human({
    backend: 'wasm',
    wasmPath: `${path.join(modules, '@tensorflow', 'tfjs-backend-wasm', 'dist')}/`,
    modelBasePath: 'http://in-the-package/',
    cacheSensitivity: 0, // every picture again
    filter: { enabled: false },
    gesture: { enabled: false },
    body: { enabled: false },
    hand: { enabled: false },
    face: { iris: { enabled: false }, description: { enabled: false } }, // of no use to an expression
  });
  await human.load();
  const { tf } = human;
  const network = human.models.models.emotion;
  const side = network.inputs[0].shape[2];
  if (tf.getBackend() !== 'wasm' || network.inputs[0].shape[3] !== 1) throw new Error('another network or backend than expected');

  const run = (input) => {
    const output = network.execute(input);
    const values = output.dataSync();
    output.dispose();
    input.dispose();
    return values;
  };

  return {
    tf,
    greeting: {
      threads: 1,
      versions: { human: version('@vladmandic/human'), tfjs: version('@tensorflow/tfjs-core') },
      detector: 'BlazeFace and face mesh',
      way: 'the network on float32 faces, WebAssembly with SIMD',
    },
    answer(faces) {
      const answers = [];
      for (let i = 0; i < faces.length; i += CHUNK) {
        const input = tf.tidy(() => {
          const small = tf.image.resizeBilinear(tf.div(asRgb(tf, faces.slice(i, i + CHUNK)), 255), [side, side], false);
          const grey = tf.sum(tf.mul(small, tf.tensor1d(GREY)), 3, true);
          return tf.mul(tf.sub(grey, 0.5), 2);
        });
        answers.push(...greatest(run(input), ORDER));
      }
      return answers;
    },
    work(batch) {
      const values = Float32Array.from({ length: batch * side * side }, () => Math.random() * 2 - 1);
      return () => run(tf.tensor4d(values, [batch, side, side, 1]));
    },
    async read(picture) {
      const result = await human.detect(picture);
      return result.face.map((face) => {
        const best = face.emotion?.[0]?.emotion;
        return { area: face.box[2] * face.box[3], expression: NAMES[best] ?? best ?? 'none' };
      });
    },
  };
});
