// The page as the server gives it now: parts that differ are put in place of those shown, and nothing else moves.

const FOCUSABLE = "a[href], summary, input, select, .wide"; // what the server gave, before scripts add to it
const shown = new Map(parts(document).map((part) => [part.id, part.outerHTML]));

/** Milliseconds for which the server gives the same answer again. */
export const fresh = 1000 * Number(document.querySelector("script[data-fresh]")?.dataset.fresh ?? 5);

function parts(page) {
  return [...page.querySelectorAll("[data-live]")];
}

/** Ask for this page, or for `address`, and show what is new of it. Throws where there is no answer. */
export async function renew(address = location.href) {
  const answer = await fetch(address, { headers: { Accept: "text/html" }, cache: "no-cache" });
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const there = new Set();
  for (const part of parts(page)) {
    there.add(part.id);
    const old = document.getElementById(part.id);
    if (!old || shown.get(part.id) === part.outerHTML) continue;
    shown.set(part.id, part.outerHTML);
    replace(old, document.adoptNode(part));
  }
  if (parts(document).some((part) => !there.has(part.id))) location.reload(); // the page has another shape by now
  document.dispatchEvent(new Event("renewed"));
}

function replace(old, part) {
  const at = [...old.querySelectorAll(FOCUSABLE)].indexOf(document.activeElement);
  const open = [...old.querySelectorAll("details")].map((one) => one.open);
  part.querySelectorAll("details").forEach((one, i) => (one.open = open[i] ?? one.open));
  old.replaceWith(part);
  if (at >= 0) part.querySelectorAll(FOCUSABLE)[at]?.focus({ preventScroll: true });
}

/** Return a function that calls `work` after `wait` ms, once for all calls until then. */
export function gathered(work, wait) {
  let timer = 0;
  return () => {
    if (timer) return;
    timer = setTimeout(() => {
      timer = 0;
      work();
    }, wait);
  };
}
