// A map that is moved and brought nearer: by dragging, by two fingers, by keys and by buttons. Names keep their size.

const NEAREST = 16;
const STEP = 1.6;
const pointers = new Map();
let view = null; // { x, y, scale } of the part that is shown; x and y are its middle
let moved = 0;

const map = () => document.querySelector("svg.page-map");

/** The size of the whole map, which its drawing says. */
function whole() {
  const box = map();
  box.dataset.whole ??= `${box.viewBox.baseVal.width} ${box.viewBox.baseVal.height}`;
  const [width, height] = box.dataset.whole.split(" ").map(Number);
  return { width, height };
}

function draw() {
  const box = map();
  if (!box) return;
  const { width, height } = whole();
  view ??= { x: width / 2, y: height / 2, scale: 1 };
  view.scale = Math.min(Math.max(view.scale, 1), NEAREST);
  const [w, h] = [width / view.scale, height / view.scale];
  view.x = Math.min(Math.max(view.x, w / 2), width - w / 2);
  view.y = Math.min(Math.max(view.y, h / 2), height - h / 2);
  box.setAttribute("viewBox", `${view.x - w / 2} ${view.y - h / 2} ${w} ${h}`);
  box.classList.toggle("near", view.scale > 1);
  for (const part of box.querySelectorAll("circle, text")) {
    const [x, y] = ["x", "y"].map((name) => part.getAttribute(part.tagName === "circle" ? `c${name}` : name));
    part.setAttribute("transform", `translate(${x} ${y}) scale(${1 / view.scale}) translate(${-x} ${-y})`);
  }
  for (const part of box.querySelectorAll(".scale, .scale + text")) part.style.display = view.scale > 1 ? "none" : "";
}

/** Bring the map nearer by `factor`, so that what lies under the pointer stays there. */
function nearer(factor, clientX, clientY) {
  const box = map().getBoundingClientRect();
  const { width, height } = whole();
  const [fx, fy] = clientX === undefined ? [0, 0] : [(clientX - box.left) / box.width - 0.5, (clientY - box.top) / box.height - 0.5];
  const before = view.scale;
  view.scale = Math.min(Math.max(view.scale * factor, 1), NEAREST);
  view.x += fx * width * (1 / before - 1 / view.scale);
  view.y += fy * height * (1 / before - 1 / view.scale);
  draw();
}

function shift(pixelsX, pixelsY) {
  const box = map().getBoundingClientRect();
  const { width, height } = whole();
  view.x -= (pixelsX / box.width) * (width / view.scale);
  view.y -= (pixelsY / box.height) * (height / view.scale);
  draw();
}

const apart = ([a, b]) => Math.hypot(a.x - b.x, a.y - b.y);

document.addEventListener("pointerdown", (event) => {
  if (!event.target.closest("svg.page-map")) return;
  pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
  moved = 0;
});

document.addEventListener("pointermove", (event) => {
  const last = pointers.get(event.pointerId);
  if (!last) return;
  const before = pointers.size === 2 ? apart([...pointers.values()]) : 0;
  pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
  moved += Math.hypot(event.clientX - last.x, event.clientY - last.y);
  if (before) {
    const [a, b] = pointers.values();
    nearer(apart([a, b]) / before, (a.x + b.x) / 2, (a.y + b.y) / 2);
  } else if (view.scale > 1) shift(event.clientX - last.x, event.clientY - last.y);
});

for (const kind of ["pointerup", "pointercancel"]) document.addEventListener(kind, (event) => pointers.delete(event.pointerId));
document.addEventListener("dragstart", (event) => event.target.closest("svg.page-map") && event.preventDefault());
document.addEventListener("click", (event) => moved > 5 && event.target.closest("svg.page-map a") && event.preventDefault(), true);

function wheel(event) {
  if (!event.ctrlKey || !event.target.closest("svg.page-map")) return; // without it the page scrolls; pinching has it
  event.preventDefault();
  nearer(Math.exp(-event.deltaY / 200), event.clientX, event.clientY);
}

function button(name, text, work) {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = text;
  made.ariaLabel = name;
  made.addEventListener("click", work);
  return made;
}

function begin() {
  const box = map();
  if (!box || box.parentElement.querySelector(".map-keys")) return;
  draw();
  const names = document.getElementById("news").dataset;
  const keys = document.createElement("p");
  keys.className = "map-keys";
  keys.append(
    button(names.nearer, "+", () => nearer(STEP)),
    button(names.farther, "\u2212", () => nearer(1 / STEP)),
    button(names.whole, "\u25a1", () => nearer(0)),
  );
  keys.addEventListener("keydown", (event) => {
    const [x, y] = { ArrowLeft: [40, 0], ArrowRight: [-40, 0], ArrowUp: [0, 40], ArrowDown: [0, -40] }[event.key] ?? [];
    if (x === undefined) return;
    event.preventDefault();
    shift(x, y);
  });
  box.before(keys);
  box.addEventListener("wheel", wheel, { passive: false });
}

document.addEventListener("renewed", begin);
begin();
