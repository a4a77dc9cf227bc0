// The search for faces: YuNet's input and answers, as Felicity's faces.detectors.yunet has them.

import { scaled } from "./picture.js";

const STRIDES = [8, 16, 32];
const MULTIPLE = 32;
const SMALLEST = 64;
const LONGEST = 1280; // pixels; longer pictures are searched smaller
const COARSE = 320; // long side of a second search, for large faces
const LARGE = 320;
const [HINT, HINT_SIDE] = [0.15, 160];
const LEAST_SCORE = 0.6;
const OVERLAP = 0.3;

/** Return the faces of a picture in colours, the surest first: { box, eyes, score } in its pixels. */
export async function faces(picture, run) {
  const scale = Math.min(1, LONGEST / Math.max(picture.width, picture.height));
  const { picture: image, fx, fy } = scaled(picture, scale);
  const all = await search(image, HINT, run);
  let found = once(all.filter((face) => face.score > LEAST_SCORE));
  const longest = Math.max(image.width, image.height);
  if (longest > 2 * COARSE && all.some((face) => longer(face) > HINT_SIDE)) {
    const small = scaled(image, COARSE / longest);
    const coarse = once(await search(small.picture, LEAST_SCORE, run)).map((face) => enlarged(face, small.fx, small.fy));
    found = once([
      ...found.filter((face) => longer(face) < 1.25 * LARGE),
      ...coarse.filter((face) => longer(face) > LARGE / 1.25),
    ]);
  }
  return found.map((face) => enlarged(face, fx, fy));
}

const longer = ({ box }) => Math.max(box[2] - box[0], box[3] - box[1]);

function enlarged({ box, eyes, score }, fx, fy) {
  const [left, top, right, bottom] = box;
  return { box: [left / fx, top / fy, right / fx, bottom / fy], eyes: eyes.map(([x, y]) => [x / fx, y / fy]), score };
}

/** Return every place that scores above `least`; a face has many. */
async function search(image, least, run) {
  const { pixels, width, height } = planes(image);
  const answers = await run(pixels, [1, 3, height, width]);
  return STRIDES.flatMap((stride) => {
    const [faceness, there, boxes, points] = ["cls", "obj", "bbox", "kps"].map((name) => answers[`${name}_${stride}`].data);
    const columns = width / stride;
    const found = [];
    for (let at = 0; at < faceness.length; at++) {
      const product = Math.fround(Math.min(Math.max(faceness[at], 0), 1) * Math.min(Math.max(there[at], 0), 1));
      if (product > least ** 2) found.push(face(at % columns, Math.floor(at / columns), stride, product));
    }
    return found;

    function face(column, row, stride, product) {
      const at = row * columns + column;
      const [x, y] = [(column + boxes[4 * at]) * stride, (row + boxes[4 * at + 1]) * stride];
      const [width, height] = [Math.exp(boxes[4 * at + 2]) * stride, Math.exp(boxes[4 * at + 3]) * stride];
      const eyes = [0, 2].map((i) => [(column + points[10 * at + i]) * stride, (row + points[10 * at + i + 1]) * stride]);
      const box = [x - width / 2, y - height / 2, x + width / 2, y + height / 2];
      return { box, eyes: eyes.sort(([ax], [bx]) => ax - bx), score: Math.sqrt(product) };
    }
  });
}

/** Return the network's input: blue, green, red from 0 to 255; small pictures go on with their edge, then with black. */
function planes({ data, width, height, channels }) {
  const [inner, deep] = [Math.max(width, SMALLEST), Math.max(height, SMALLEST)];
  const [across, down] = [inner, deep].map((side) => Math.ceil(side / MULTIPLE) * MULTIPLE);
  const pixels = new Float32Array(3 * across * down);
  const size = across * down;
  for (let y = 0; y < deep; y++) {
    const row = Math.min(y, height - 1) * width;
    for (let x = 0; x < inner; x++) {
      const from = (row + Math.min(x, width - 1)) * channels;
      const to = y * across + x;
      pixels[to] = data[from + 2];
      pixels[size + to] = data[from + 1];
      pixels[2 * size + to] = data[from];
    }
  }
  return { pixels, width: across, height: down };
}

/** Return the best of boxes that overlap, the best first. */
function once(found) {
  const kept = [];
  for (const face of [...found].sort((one, other) => other.score - one.score)) {
    if (kept.every((other) => overlap(face.box, other.box) <= OVERLAP)) kept.push(face);
  }
  return kept;
}

function overlap([ax, ay, bx, by], [cx, cy, dx, dy]) {
  const both = Math.max(0, Math.min(bx, dx) - Math.max(ax, cx)) * Math.max(0, Math.min(by, dy) - Math.max(ay, cy));
  return both / ((bx - ax) * (by - ay) + (dx - cx) * (dy - cy) - both);
}
