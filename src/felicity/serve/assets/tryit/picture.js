// Pictures as Felicity itself sees them: made smaller, grey, turned and cut with the same numbers, pixel for pixel.
// A picture is { data, width, height, channels }, its bytes row by row.

// Values are rounded to 32 bits wherever OpenCV has so many: a network of eight bits answers otherwise if a single pixel
// differs by one.

const { floor, fround } = Math;
const HALF_TO_EVEN = 2 ** 52 + 2 ** 51; // what is added and taken away again leaves a whole number

const rounded = (value) => value + HALF_TO_EVEN - HALF_TO_EVEN;
const between = (value, low, high) => Math.min(Math.max(value, low), high);

/** Return which pixels of a line go into each pixel of a shorter one: pixel `to` takes the parts from starts[to] on. */
function parts(from, to) {
  const scale = from / to;
  const [places, shares, starts] = [[], [], [0]];
  const add = (place, share) => (places.push(place), shares.push(Math.fround(share)));
  for (let at = 0; at < to; at++) {
    const begin = at * scale;
    const end = begin + scale;
    const cell = Math.min(scale, from - begin);
    const last = Math.min(Math.floor(end), from - 1);
    const first = Math.min(Math.ceil(begin), last);
    if (first - begin > 1e-3) add(first - 1, (first - begin) / cell);
    for (let i = first; i < last; i++) add(i, 1 / cell);
    if (end - last > 1e-3) add(last, Math.min(end - last, 1, cell) / cell);
    starts.push(places.length);
  }
  return { places: Int32Array.from(places), shares: Float64Array.from(shares), starts: Int32Array.from(starts) };
}

/** Return the picture in a smaller size, each pixel the mean of the area below it. */
export function shrunk(picture, width, height) {
  const { data, channels } = picture;
  const across = parts(picture.width, width);
  const down = parts(picture.height, height);
  const round = picture.width === 2 * width && picture.height === 2 * height ? Math.round : rounded;
  const length = width * channels;
  const made = new Uint8Array(length * height);
  const [sum, line] = [new Float32Array(length), new Float32Array(length)];
  let known = -1;
  for (let y = 0; y < height; y++) {
    sum.fill(0);
    for (let part = down.starts[y]; part < down.starts[y + 1]; part++) {
      const [row, share] = [down.places[part], down.shares[part]];
      if (row !== known) shrinkLine(line, data, row * picture.width * channels, across, channels);
      known = row;
      for (let i = 0; i < length; i++) sum[i] += fround(share * line[i]);
    }
    for (let i = 0; i < length; i++) made[y * length + i] = round(sum[i]);
  }
  return { data: made, width, height, channels };
}

function shrinkLine(line, data, start, { places, shares, starts }, channels) {
  for (let channel = 0; channel < Math.min(channels, 3); channel++) { // never the opacity
    const from = start + channel;
    for (let to = 0, part = 0; to < starts.length - 1; to++) {
      let value = 0;
      for (; part < starts[to + 1]; part++) value = fround(value + fround(shares[part] * data[from + places[part] * channels]));
      line[to * channels + channel] = value;
    }
  }
}

/** Return the picture `scale` times as large, at most as large as it is, and the exact factors of width and height. */
export function scaled(picture, scale) {
  const width = Math.max(1, rounded(picture.width * scale));
  const height = Math.max(1, rounded(picture.height * scale));
  if (width === picture.width && height === picture.height) return { picture, fx: 1, fy: 1 };
  return { picture: shrunk(picture, width, height), fx: width / picture.width, fy: height / picture.height };
}

/** Return a part of a picture in colours, as grey. */
function grey(picture, left, top, right, bottom) {
  const { data, channels } = picture;
  const [width, height] = [right - left, bottom - top];
  const made = new Uint8Array(width * height);
  for (let y = 0, to = 0; y < height; y++) {
    let from = ((top + y) * picture.width + left) * channels;
    for (let x = 0; x < width; x++, from += channels) {
      made[to++] = (9798 * data[from] + 19235 * data[from + 1] + 3735 * data[from + 2] + 16384) >> 15;
    }
  }
  return { data: made, width, height, channels: 1 };
}

/** Return the square of `size` pixels that lies in a grey picture from `origin` on, along `right` and `down`. */
function warped({ data, width, height }, origin, right, down, size) {
  // OpenCV counts from the centres of pixels, the places here from their corners.
  const [x0, y0] = [0, 1].map((i) => fround(origin[i] + right[i] / 2 + down[i] / 2 - 0.5));
  const [xRight, yRight, xDown, yDown] = [...right, ...down].map(fround);
  const made = new Uint8Array(size * size);
  for (let y = 0, to = 0; y < size; y++) {
    const [xRow, yRow] = [fround(fround(xDown * y) + x0), fround(fround(yDown * y) + y0)];
    for (let x = 0; x < size; x++) {
      const [px, py] = [fround(xRight * x + xRow), fround(yRight * x + yRow)];
      const [left, top] = [floor(px), floor(py)];
      const [across, below] = [fround(px - left), fround(py - top)];
      const first = between(left, 0, width - 1);
      const second = between(left + 1, 0, width - 1);
      const upper = between(top, 0, height - 1) * width;
      const lower = between(top + 1, 0, height - 1) * width;
      const one = fround(across * (data[upper + second] - data[upper + first]) + data[upper + first]);
      const other = fround(across * (data[lower + second] - data[lower + first]) + data[lower + first]);
      made[to++] = rounded(fround(below * fround(other - one) + one));
    }
  }
  return { data: made, width: size, height: size, channels: 1 };
}

/** Return the grey square around a face, levelled by its eyes, `size` pixels wide: Felicity's faces.crop.crop_face. */
export function cropped(picture, face, size, geometry) {
  const [left, top, right, bottom] = face.box;
  const longer = Math.max(right - left, bottom - top);
  const side = longer * geometry.scale;
  const [[ax, ay], [bx, by]] = face.eyes;
  const apart = Math.hypot(bx - ax, by - ay);
  const [cos, sin] = apart > 0 ? [(bx - ax) / apart, (by - ay) / apart] : [1, 0];
  const over = 2 * size; // warped at twice the size and averaged, so that nothing is left to alias
  const scale = side / over;
  const inPicture = (x, y) => {
    const along = scale * (x - over / 2) + longer * geometry.right;
    const below = scale * (y - over / 2) + longer * geometry.down;
    return [(left + right) / 2 + cos * along - sin * below, (top + bottom) / 2 + sin * along + cos * below];
  };
  const corners = [inPicture(0, 0), inPicture(over, 0), inPicture(0, over), inPicture(over, over)];
  const [x0, x1] = under(corners.map(([x]) => x), picture.width);
  const [y0, y1] = under(corners.map(([, y]) => y), picture.height);
  const { picture: patch, fx, fy } = scaled(grey(picture, x0, y0, x1, y1), Math.min(1, over / side));
  const origin = [(corners[0][0] - x0) * fx, (corners[0][1] - y0) * fy];
  const square = warped(patch, origin, [fx * scale * cos, fy * scale * sin], [-fx * scale * sin, fy * scale * cos], over);
  return shrunk(square, size, size).data;
}

/** Return the first pixel below a crop and the first one after it, at least one within the picture. */
function under(ends, length) {
  const first = between(Math.floor(Math.min(...ends)) - 2, 0, length - 1);
  return [first, between(Math.ceil(Math.max(...ends)) + 2, first + 1, length)];
}

const LIT = 30; // standard deviation of the grey levels of a well-lit face

/** Return a crop with the contrast of a well-lit face, where it has less: Felicity's faces.crop.lifted. */
export function lifted(crop) {
  const mean = crop.reduce((sum, value) => sum + value, 0) / crop.length;
  const contrast = Math.sqrt(crop.reduce((sum, value) => sum + (value - mean) ** 2, 0) / crop.length);
  if (contrast >= LIT || contrast < 1) return crop;
  const middle = mean + (128 - mean) * (1 - contrast / LIT);
  return crop.map((value) => rounded(between((value - mean) * (LIT / contrast) + middle, 0, 255)));
}
