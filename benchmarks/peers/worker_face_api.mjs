// @vladmandic/face-api as a rival: its expression network and SSD MobileNet detector, on WebAssembly.
//
// Started by run.py: node worker_face_api.mjs FOLDER-WITH-NODE_MODULES
//
// One thread, as for human. Its network takes RGB pictures and prepares them itself: resized to 112x112, means off.

import path from 'node:path';

import { asRgb, greatest, modules, require, serve, version } from './protocol.mjs';

const CHUNK = 16;
const NAMES = { angry: 'anger', fearful: 'fear', disgusted: 'disgust', surprised: 'surprise' };
const ORDER = ['neutral', 'happy', 'sad', 'anger', 'fear', 'disgust', 'surprise']; // of the network's outputs
const SIDE = 112;

const package_ = path.join(modules, '@vladmandic', 'face-api');

serve(async () => {
  const { setWasmPaths } = require('@tensorflow/tfjs-backend-wasm');
  const faceapi = require(path.join(package_, 'dist', 'face-api.node-wasm.js'));
  const { tf } = faceapi;
  setWasmPaths(`${path.join(modules, '@tensorflow', 'tfjs-backend-wasm', 'dist')}/`);
  if (!(await tf.setBackend('wasm'))) throw new Error('TensorFlow.js cannot set up its WebAssembly backend');
  await tf.ready();
  tf.enableProdMode();
  const network = faceapi.nets.faceExpressionNet;
  await network.loadFromDisk(path.join(package_, 'model'));
  await faceapi.nets.ssdMobilenetv1.loadFromDisk(path.join(package_, 'model'));

  const run = async (faces) => {
    const output = await network.forward(faces); // a list of tensors (height, width, 3), 0 to 255
    const values = output.dataSync();
    tf.dispose([output, faces]);
    return values;
  };

  return {
    tf,
    greeting: {
      threads: 1,
      versions: { 'face-api': version('@vladmandic/face-api'), tfjs: version('@tensorflow/tfjs-core') },
      detector: 'SSD MobileNet v1',
      way: 'the network on float32 faces, WebAssembly with SIMD',
    },
    async answer(faces) {
      const answers = [];
      for (let i = 0; i < faces.length; i += CHUNK) {
        const some = tf.tidy(() => tf.unstack(asRgb(tf, faces.slice(i, i + CHUNK))));
        answers.push(...greatest(await run(some), ORDER));
      }
      return answers;
    },
    work(batch) {
      const face = () => Float32Array.from({ length: SIDE * SIDE * 3 }, () => Math.random() * 255);
      const faces = Array.from({ length: batch }, face);
      return () => run(faces.map((values) => tf.tensor3d(values, [SIDE, SIDE, 3])));
    },
    async read(picture) {
      const found = await faceapi.detectAllFaces(picture, new faceapi.SsdMobilenetv1Options()).withFaceExpressions();
      return found.map(({ detection, expressions }) => {
        const best = expressions.asSortedArray()[0].expression;
        return { area: detection.box.area, expression: NAMES[best] ?? best };
      });
    },
  };
});
