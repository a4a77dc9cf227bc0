// A closer look: drag over a course, and the page shows the days between, as the form below it does without a script.

const SHORTEST = 2 * 86_400;
const LEAST_PIXELS = 12;
let drag = null;

function secondsAt(chart, x) {
  const box = chart.getBoundingClientRect();
  const { first, last, left, right } = chart.dataset;
  const along = ((x - box.left) / box.width) * chart.viewBox.baseVal.width;
  const share = Math.min(Math.max((along - left) / (right - left), 0), 1);
  return Number(first) + share * (last - first);
}

const day = (seconds) => new Date(1000 * seconds).toISOString().slice(0, 10); // seconds in the time zone of the place

function look(chart, one, other) {
  let [from, to] = [secondsAt(chart, Math.min(one, other)), secondsAt(chart, Math.max(one, other))];
  if (to - from < SHORTEST) [from, to] = [(from + to - SHORTEST) / 2, (from + to + SHORTEST) / 2];
  const there = new URL(location.href);
  there.searchParams.delete("period");
  there.searchParams.set("from", day(from));
  there.searchParams.set("to", day(to + 86_400)); // the day that is not included any more
  location.assign(there);
}

document.addEventListener("pointerdown", (event) => {
  const chart = event.target.closest("svg.plot[data-first]");
  if (!chart || event.button !== 0 || !document.querySelector("form.days")) return;
  const field = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  field.setAttribute("class", "chosen");
  field.setAttribute("height", chart.viewBox.baseVal.height);
  chart.append(field);
  drag = { chart, field, from: event.clientX };
});

document.addEventListener("pointermove", (event) => {
  if (!drag) return;
  const box = drag.chart.getBoundingClientRect();
  const scale = drag.chart.viewBox.baseVal.width / box.width;
  const ends = [drag.from, event.clientX].map((x) => Math.min(Math.max((x - box.left) * scale, 0), box.width * scale));
  drag.field.setAttribute("x", Math.min(...ends));
  drag.field.setAttribute("width", Math.abs(ends[1] - ends[0]));
});

function end(event) {
  if (!drag) return;
  const { chart, field, from } = drag;
  drag = null;
  field.remove();
  if (event.type === "pointerup" && Math.abs(event.clientX - from) >= LEAST_PIXELS) look(chart, from, event.clientX);
}

document.addEventListener("pointerup", end);
document.addEventListener("pointercancel", end);
document.addEventListener("keydown", (event) => event.key === "Escape" && end(event));
