// @ts-nocheck
// The frame of the Sampler tab: panel, stages, time slider, noise levels, numbers. No behaviour.
import { button, element } from "../shared/dom.js";

export function skeleton(root) {
  const panel = element("aside", { "aria-label": "Settings" });
  const pictures = ["main", "pin"].map((name) => {
    const canvas = element("canvas", {
      tabindex: 0,
      "aria-label": "The picture; a summary follows below",
      "data-lane": name,
    });
    const caption = element("span", { class: "caption" });
    return { name, canvas, caption, box: element("div", { class: `lane ${name}` }, canvas, caption) };
  });
  const views = element("div", { class: "views" });
  const notice = element("p", { class: "notice", role: "alert", hidden: true });
  const stages = element("div", { class: "stages" }, ...pictures.map(({ box }) => box), views, notice);
  const play = button({ class: "play", "aria-label": "Play" });
  const time = element("input", {
    type: "range",
    min: 0,
    max: 1000,
    step: 1,
    value: 0,
    "aria-label": "Time: from noise to data",
  });
  const sigmaNow = element("output", {});
  const ladder = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  ladder.setAttribute("class", "ladder");
  ladder.setAttribute("aria-label", "Noise levels: drag one, or walk with ← → and push with ↑ ↓");
  ladder.setAttribute("role", "group");
  const metrics = {
    main: element("div", { class: "metrics" }),
    pin: element("div", { class: "metrics", hidden: true }),
  };
  const pin = button({ class: "pin" }, "Pin for comparison");
  const summary = element("p", { class: "summary", "aria-live": "polite" });
  const main = element(
    "section",
    {},
    stages,
    element("div", { class: "time" }, play, time, sigmaNow),
    element("div", { class: "levels" }, element("span", { class: "hint" }, "noise levels σᵢ, drag to move"), ladder),
    element("div", { class: "numbers" }, element("div", {}, metrics.main, metrics.pin), pin),
    summary,
  );
  root.replaceChildren(element("main", {}, panel, main));
  const canvases = Object.fromEntries(pictures.map(({ name, canvas }) => [name, canvas]));
  const caption = Object.fromEntries(pictures.map(({ name, caption }) => [name, caption]));
  return { panel, canvases, caption, stages, views, notice, play, time, sigmaNow, ladder, metrics, pin, summary };
}
