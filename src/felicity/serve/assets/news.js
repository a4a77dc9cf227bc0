// News from the server: which figures are new. One stream a page, none while nobody looks, and again after any failure.

const KINDS = ["windows", "release", "reset"];
const LONGEST_WAIT = 60_000;

/** Call `changed` on each news, and `alive(true | false)` as the stream comes and goes, for as long as the page is open. */
export function listen(changed, alive = () => {}) {
  let source = null;
  let timer = 0;
  let wait = 1000;

  function open() {
    source = new EventSource("/api/v1/events");
    source.onopen = () => {
      wait = 1000;
      alive(true);
    };
    source.onerror = () => {
      alive(false);
      if (source.readyState !== EventSource.CLOSED) return; // the browser goes on after the last event by itself
      timer = setTimeout(() => {
        open();
        changed();
      }, wait);
      wait = Math.min(2 * wait, LONGEST_WAIT);
    };
    for (const kind of KINDS) source.addEventListener(kind, changed);
  }

  function look() {
    clearTimeout(timer);
    source?.close();
    source = null;
    if (document.hidden) return;
    open();
  }

  document.addEventListener("visibilitychange", () => {
    look();
    if (!document.hidden) changed();
  });
  look();
}
