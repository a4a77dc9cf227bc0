// A worker's side of the conversation in Node.js; protocol.py says what is said.

import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import readline from 'node:readline';

export const SEVEN = ['anger', 'disgust', 'fear', 'happy', 'sad', 'surprise', 'neutral'];
export const SIDE = 48;

console.log = console.error; // standard output is for answers alone
globalThis.fetch = (url) => Promise.reject(new Error(`${url}: nothing is fetched, all files are in the packages`));

/** The folder with node_modules that was named on the command line, and a require that finds its packages. */
export const modules = path.join(path.resolve(process.argv[2]), 'node_modules');
export const require = createRequire(path.join(modules, 'index.js'));
export const version = (name) => JSON.parse(fs.readFileSync(path.join(modules, name, 'package.json'))).version;

/** N grey crops of a file, as one Uint8Array each. */
export function crops(file) {
  const bytes = new Uint8Array(fs.readFileSync(file));
  const size = SIDE * SIDE;
  return Array.from({ length: bytes.length / size }, (_, i) => bytes.subarray(i * size, (i + 1) * size));
}

/** Each of the pictures as tensor (height, width, 3), int32; the next one is decoded meanwhile. */
export async function* pictures(files, tf) {
  const sharp = require('sharp');
  const decode = (file) => sharp(file).removeAlpha().toColourspace('srgb').raw().toBuffer({ resolveWithObject: true });
  let coming = decode(files[0]);
  for (let i = 0; i < files.length; i += 1) {
    const { data, info } = await coming;
    if (i + 1 < files.length) coming = decode(files[i + 1]);
    const picture = tf.tensor3d(Int32Array.from(data), [info.height, info.width, info.channels], 'int32');
    yield picture;
    picture.dispose();
  }
}

/** Grey crops as tensor (N, 48, 48, 3), float32 from 0 to 255. */
export function asRgb(tf, faces) {
  const values = new Float32Array(faces.length * SIDE * SIDE);
  faces.forEach((face, i) => values.set(face, i * SIDE * SIDE));
  return tf.tidy(() => tf.tile(tf.tensor4d(values, [faces.length, SIDE, SIDE, 1]), [1, 1, 1, 3]));
}

/** Number of the greatest of each seven values. */
export function greatest(values, order) {
  const answers = [];
  for (let i = 0; i < values.length; i += order.length) {
    const row = Array.from(values.subarray(i, i + order.length));
    answers.push(SEVEN.indexOf(order[row.indexOf(Math.max(...row))]));
  }
  return answers;
}

async function rate(work, batch, seconds) {
  await work();
  const began = performance.now();
  for (let calls = 1; ; calls += 1) {
    await work();
    const taken = (performance.now() - began) / 1000;
    if (taken >= seconds) return (batch * calls) / taken;
  }
}

async function obey(worker, command) {
  if (command.do === 'answer') return { answers: await worker.answer(crops(command.crops)) };
  if (command.do === 'time') {
    return { faces_per_second: await rate(worker.work(command.batch), command.batch, command.seconds) };
  }
  const began = performance.now();
  const faces = [];
  for await (const picture of pictures(command.files, worker.tf)) faces.push(await worker.read(picture));
  return { seconds: (performance.now() - began) / 1000, faces };
}

/** Load a rival and answer until the input ends. */
export async function serve(load) {
  const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
  const told = (error) => ({ error: String(error?.message ?? error).replace(/\s+/g, ' ').slice(0, 300) });
  let worker;
  try {
    worker = await load();
  } catch (error) {
    say(told(error));
    process.exitCode = 1;
    return;
  }
  say(worker.greeting);
  for await (const line of readline.createInterface({ input: process.stdin })) {
    try {
      say(await obey(worker, JSON.parse(line)));
    } catch (error) {
      say(told(error));
    }
  }
}
