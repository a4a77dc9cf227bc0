// What pages can do beyond what they show: figures that renew themselves, tips, a closer look at a course, a map that moves.

import { fresh, gathered, renew } from "./fresh.js";
import "./map.js";
import { listen } from "./news.js";
import "./tips.js";
import "./zoom.js";

const said = document.getElementById("news");

async function again() {
  try {
    await renew();
    const time = new Date().toTimeString().slice(0, 5);
    said.textContent = said.dataset.renewed.replace("TIME", time);
  } catch {
    said.textContent = said.dataset.lost;
  }
}

if (document.querySelector("[data-live]")) listen(gathered(again, fresh + 500));
