// Tips: what a mark says appears beside it, for a pointer, a finger and the arrow keys alike.

const tip = document.createElement("div");
tip.className = "tip";
tip.role = "status";
tip.hidden = true;
document.body.append(tip);
let marked = null;

/** Take the browser's own tooltip away, which would appear beside ours, and return what it said. */
function textOf(mark) {
  const title = mark.querySelector(":scope > title");
  const text = title?.textContent ?? mark.getAttribute("title");
  if (text) {
    mark.dataset.tip = text;
    title?.remove();
    mark.removeAttribute("title");
  }
  return mark.dataset.tip;
}

function show(mark) {
  const text = mark && textOf(mark);
  if (!text) return hide();
  if (marked === mark) return;
  hide();
  marked = mark;
  mark.classList.add("on");
  tip.textContent = text;
  tip.hidden = false;
  const box = (mark.querySelector(".point, circle, path") ?? mark).getBoundingClientRect();
  const wide = tip.offsetWidth;
  const left = Math.min(Math.max(box.left + box.width / 2 - wide / 2, 6), document.documentElement.clientWidth - wide - 6);
  const above = box.top - tip.offsetHeight - 8;
  tip.style.left = `${left + scrollX}px`;
  tip.style.top = `${(above < 0 ? box.bottom + 8 : above) + scrollY}px`;
}

function hide() {
  marked?.classList.remove("on");
  marked = null;
  tip.hidden = true;
}

const marks = (chart) => [...chart.querySelectorAll(".dot, .none")];
const middle = (mark) => {
  const box = mark.getBoundingClientRect();
  return box.left + box.width / 2;
};

function nearest(chart, x) {
  return marks(chart).reduce((best, mark) => (Math.abs(middle(mark) - x) < Math.abs(middle(best) - x) ? mark : best));
}

function at(event) {
  const chart = event.target.closest("svg.plot[role=img]");
  if (chart && marks(chart).length) return show(nearest(chart, event.clientX));
  const mark = event.target.closest(".ranking .track, svg.page-map a");
  return mark ? show(mark) : hide();
}

document.addEventListener("pointermove", at, { passive: true });
document.addEventListener("pointerdown", at, { passive: true });
document.addEventListener("focusin", (event) => show(event.target.closest("svg.page-map a")));
document.addEventListener("renewed", hide);
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") return hide();
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (!step || !event.target.matches("svg.plot[role=img]")) return;
  const all = marks(event.target);
  const next = all[Math.min(Math.max(all.indexOf(marked) + step, 0), all.length - 1)];
  if (next) show(next);
  event.preventDefault();
});

/** Let the keyboard reach charts: their marks are stepped through with the arrow keys. */
function reachable() {
  for (const chart of document.querySelectorAll("svg.plot[role=img]")) chart.setAttribute("tabindex", "0");
}

document.addEventListener("renewed", reachable);
reachable();
