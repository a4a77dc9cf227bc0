// Try it: a picture or the camera of the visitor, and what the worker beside this page finds in it.

const place = document.getElementById("try");
const [facts, words, expressions] = ["facts", "words", "expressions"].map((name) => JSON.parse(place.dataset[name]));
const [keys, stage, list] = [".keys", ".stage", ".faces"].map((name) => place.querySelector(name));
const [canvas, video, marks] = ["canvas", "video", "svg"].map((name) => stage.querySelector(name));
const [said, spent, key] = ["said", "spent", "camera"].map((name) => document.getElementById(name));
const input = place.querySelector("input");
const MOST_PIXELS = 50_000_000;
const PAUSE = 120; // ms between two looks of the camera
const SILENCE = 2500; // ms between two sentences on what the camera sees

const waiting = new Map(); // questions that the worker has not answered yet
let opening; // the worker, once it is ready
let asked = 0;
let wish = 0; // what the visitor wanted last; answers to earlier wishes are of no interest
let camera = null;
let spoke = 0;

const tell = (text, values = {}) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
const percent = (share) => `${Math.round(100 * share)}\u00a0%`;

/** Start the worker, and return it once it is ready. */
function open() {
  if (!opening) {
    say(words.loading);
    const worker = new Worker("/tryit/worker.js", { type: "module" });
    worker.onmessage = ({ data }) => settle(data);
    worker.onerror = ({ message }) => {
      for (const id of waiting.keys()) settle({ id, error: message ?? "worker" });
    };
    opening = ask(worker, { facts }).then(() => worker);
    opening.catch(() => (opening = undefined)); // the next click tries again
  }
  return opening;
}

function ask(worker, question, moved = []) {
  return new Promise((done, fail) => {
    waiting.set(++asked, { done, fail });
    worker.postMessage({ id: asked, ...question }, moved);
  });
}

function settle({ id, error, answer }) {
  const { done, fail } = waiting.get(id);
  waiting.delete(id);
  if (error) fail(new Error(error));
  else done(answer);
}

/** Ask the worker about a bitmap, which is gone from here afterwards. */
async function look(bitmap) {
  return ask(await open(), { bitmap }, [bitmap]);
}

function say(text) {
  if (said.textContent !== text) said.textContent = text;
  spoke = performance.now();
}

function made(name, parent, attributes = {}) {
  const element = document.createElementNS(parent.namespaceURI, name);
  for (const [attribute, value] of Object.entries(attributes)) element.setAttribute(attribute, value);
  parent.append(element);
  return element;
}

async function picture(file) {
  if (!file) return;
  stop();
  clear();
  const own = ++wish;
  let bitmap;
  try {
    const exactly = { imageOrientation: "from-image", colorSpaceConversion: "none", premultiplyAlpha: "none" };
    bitmap = await createImageBitmap(file, exactly);
  } catch {
    stage.hidden = true;
    return say(words.unreadable);
  }
  const { width, height } = bitmap;
  if (width * height > MOST_PIXELS) {
    stage.hidden = true;
    return say(words.large);
  }
  const scale = Math.min(1, 1280 / Math.max(width, height));
  [canvas.width, canvas.height] = [width, height].map((side) => Math.max(1, Math.round(side * scale)));
  canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  canvas.setAttribute("aria-label", words.working);
  show(canvas);
  try {
    if (opening) say(words.working);
    const found = await look(bitmap);
    if (own !== wish) return;
    const sentence = result(found, width, height);
    canvas.setAttribute("aria-label", sentence);
    say(sentence);
  } catch (error) {
    if (own === wish) say(tell(words.failed, { reason: error.message }));
  }
}

/** Show picture or camera, and nothing of what was there before. */
function show(element) {
  stage.hidden = false;
  canvas.hidden = element !== canvas;
  video.hidden = element !== video;
  clear();
}

function clear() {
  marks.replaceChildren();
  list.replaceChildren();
  spent.textContent = said.textContent = "";
  spoke = -Infinity;
}

/** Show the faces that were found, from left to right, and return a sentence. */
function result({ faces, search, classify }, width, height) {
  const mirrored = stage.classList.contains("mirror");
  faces.sort((one, other) => (mirrored ? other.box[2] - one.box[2] : one.box[0] - other.box[0]));
  const best = faces.map(({ shares }) => shares.indexOf(Math.max(...shares)));
  mark(faces, best, width, height, mirrored);
  while (list.children.length > faces.length) list.lastChild.remove();
  faces.forEach((face, i) => fill(list.children[i] ?? card(), face, best[i], i + 1));
  spent.textContent = tell(words.spent, { time: Math.round(search + classify) });
  Object.assign(spent.dataset, { search, classify });
  if (!faces.length) return words.none;
  if (faces.length === 1) {
    return tell(words.one, { expression: expressions[best[0]].word, share: percent(faces[0].shares[best[0]]) });
  }
  const happy = best.filter((at) => expressions[at].name === "happy").length;
  return tell(words.several, { number: faces.length, happy });
}

function mark(faces, best, width, height, mirrored) {
  marks.setAttribute("viewBox", `0 0 ${width} ${height}`);
  marks.replaceChildren();
  const unit = width / (marks.getBoundingClientRect().width || width); // picture pixels of a pixel of the screen
  faces.forEach(({ box: [left, top, right, bottom] }, i) => {
    const x = mirrored ? width - right : left;
    const frame = { x, y: top, width: right - left, height: bottom - top, rx: 4 * unit };
    made("rect", marks, { ...frame, class: "under" });
    made("rect", marks, frame).style.stroke = `var(--${expressions[best[i]].name})`;
    const text = { x: x + 5 * unit, y: top + 19 * unit, "font-size": 16 * unit, "stroke-width": 3 * unit };
    made("text", marks, text).textContent = i + 1;
  });
}

function card() {
  const table = made("table", made("li", list));
  made("caption", table);
  const rows = made("tbody", table);
  for (const { name, word } of expressions) {
    const row = made("tr", rows);
    made("th", row, { scope: "row" }).textContent = word;
    made("div", made("div", made("td", row, { class: "bar", "aria-hidden": "true" }))).style.background = `var(--${name})`;
    made("td", row);
  }
  return table.parentElement;
}

function fill(item, { box, eyes, shares }, best, number) {
  Object.assign(item.dataset, { box: box.join(" "), eyes: eyes.flat().join(" ") });
  item.querySelector("caption").textContent = tell(words.face, { number, expression: expressions[best].word });
  shares.forEach((share, i) => {
    const row = item.querySelectorAll("tr")[i];
    row.className = i === best ? "most" : "";
    row.dataset.share = share;
    row.querySelector(":scope div div").style.width = `${100 * share}%`;
    row.lastChild.textContent = percent(share);
  });
}

async function start() {
  if (!navigator.mediaDevices) return say(words.insecure);
  const own = ++wish;
  let stream;
  try {
    const size = { width: { ideal: 640 }, height: { ideal: 480 }, facingMode: "user" };
    stream = await navigator.mediaDevices.getUserMedia({ video: size, audio: false });
  } catch (error) {
    return say({ NotAllowedError: words.refused, NotFoundError: words.absent }[error.name] ?? words.busy);
  }
  if (own !== wish) return stream.getTracks().forEach((track) => track.stop());
  camera = stream;
  const [track] = stream.getVideoTracks();
  track.addEventListener("ended", () => camera === stream && (stop(), say(words.absent)));
  key.textContent = words.stop;
  stage.classList.toggle("mirror", track.getSettings().facingMode !== "environment");
  video.srcObject = stream;
  show(video);
  try {
    await video.play();
    await open();
    while (camera === stream) await glance(stream);
  } catch (error) {
    if (camera !== stream) return; // it was stopped meanwhile
    stop();
    say(tell(words.failed, { reason: error.message }));
  }
}

/** Look at the present picture of the camera. */
async function glance(stream) {
  const bitmap = await createImageBitmap(video);
  const { width, height } = bitmap;
  const found = await look(bitmap);
  if (camera !== stream) return;
  const sentence = result(found, width, height);
  if (said.textContent === words.loading || performance.now() - spoke > SILENCE) say(sentence);
  await new Promise((done) => setTimeout(done, PAUSE));
}

/** Stop the camera; nothing of it stays on the page. */
function stop() {
  wish++;
  if (!camera) return;
  camera.getTracks().forEach((track) => track.stop());
  camera = video.srcObject = null;
  key.textContent = words.camera;
  stage.classList.remove("mirror");
  show(null);
  stage.hidden = true;
}

input.addEventListener("change", () => picture(input.files[0]).finally(() => (input.value = "")));
key.addEventListener("click", () => (camera ? stop() : start()));
document.addEventListener("visibilitychange", () => document.hidden && stop());
for (const kind of ["dragover", "dragleave", "drop"]) {
  place.addEventListener(kind, (event) => {
    event.preventDefault();
    place.classList.toggle("over", kind === "dragover");
    if (kind === "drop") picture(event.dataTransfer.files[0]);
  });
}
document.getElementById("idle").remove();
keys.hidden = false;
