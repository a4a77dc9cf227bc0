// The wall renews itself on news and each minute, says so when it cannot reach the server, and loads itself again once a day.

import { fresh, gathered, renew } from "./fresh.js";
import { listen } from "./news.js";

const MINUTE = 60_000;
const begun = Date.now();
const lost = document.querySelector(".lost");
let last = new Date();

async function again() {
  try {
    await renew();
    last = new Date();
    lost.hidden = true;
    if (Date.now() - begun > 1440 * MINUTE) location.reload(); // what a browser gathers in a day is gone
  } catch {
    lost.querySelector("time").textContent = last.toTimeString().slice(0, 5);
    lost.hidden = false;
  }
}

listen(gathered(again, fresh + 500), (alive) => alive && lost.hidden === false && again());
setInterval(again, MINUTE);
addEventListener("online", again);
