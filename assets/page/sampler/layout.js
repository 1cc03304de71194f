// The frame of the Sampler tab: panel, stages, time slider, noise levels, numbers. No behaviour.
import { button, element } from "../shared/dom.js";
import { looking } from "../shared/looking.js";
import { timeline } from "../shared/player.js";

/** @param {string} name */
function pictureBox(name) {
  const label = "The picture; a summary follows below";
  const canvas = element("canvas", { tabindex: 0, "aria-label": label, "data-lane": name });
  const caption = element("span", { class: "caption" });
  const numbers = element("div", { class: "metrics", hidden: name === "pin" });
  return { canvas, caption, numbers, box: element("div", { class: `lane ${name}` }, canvas, caption) };
}

/** @param {HTMLElement} root */
export function layout(root) {
  const panel = element("aside", { "aria-label": "Settings" });
  const [main, pin] = [pictureBox("main"), pictureBox("pin")];
  const views = element("div", { class: "views" });
  const notice = element("p", { class: "notice", role: "alert", hidden: true });
  const about = looking("plane");
  const stages = element("div", { class: "stages" }, main.box, pin.box, views, about, notice);
  const time = timeline("Time: from noise to data");
  const ladder = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  ladder.setAttribute("class", "ladder");
  ladder.setAttribute("aria-label", "Noise levels: drag one, or walk with ← → and push with ↑ ↓");
  ladder.setAttribute("role", "group");
  const strip = element("div", { class: "algorithm", role: "group", "aria-label": "What a step does" });
  const levels = element("span", {});
  const finding = element("div", { class: "hint" }, levels);
  const pinning = button({ class: "pin" }, "Pin for comparison");
  const summary = element("p", { class: "summary", "aria-live": "polite" });
  const section = element(
    "section",
    {},
    stages,
    time.node,
    strip,
    element("div", { class: "levels", role: "group", "aria-label": "Noise levels" }, ladder, finding),
    element("div", { class: "numbers" }, element("div", {}, main.numbers, pin.numbers), pinning),
    summary,
  );
  root.replaceChildren(element("div", { class: "room" }, panel, section));
  const parts = { notice, time, strip, ladder, levels, finding, pinning, summary, looking: about };
  return { panel, main, pin, stages, views, ...parts };
}
