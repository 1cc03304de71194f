// The frame of the page, and of the Sampler tab: panel, stages, time slider, noise levels, numbers. No behaviour.
import { element } from "./lib.js";

const button = (attributes, ...content) => element("button", { type: "button", ...attributes }, ...content);

// The header, and an empty box for each tab: [name, title] pairs.
export function frame(root, tabs) {
  const figures = button({ class: "plain", title: "The paper's figures, live, in one click" }, "Figures");
  const link = button({ class: "plain", title: "Link, Python and command line of what you see" }, "Share");
  const csv = button({ class: "plain", title: "Download the numbers of the figure", hidden: true }, "CSV");
  const png = button({ class: "plain", title: "Download the picture; its settings travel inside" }, "PNG");
  const theme = button({ class: "plain", "aria-label": "Light or dark", title: "Light or dark" }, "◐");
  const links = Object.fromEntries(tabs.map(([name, title]) => [name, element("a", { href: `?tab=${name}`, "data-tab": name }, title)]));
  const boxes = Object.fromEntries(tabs.map(([name]) => [name, element("div", { class: "tab", "data-tab": name, hidden: true })]));
  const header = element(
    "header",
    {},
    element("h1", { html: "EDM <i>Explorer</i>" }),
    element("nav", {}, ...Object.values(links)),
    element("div", { class: "right" }, figures, link, csv, png, theme),
  );
  const share = element("dialog", { class: "share" });
  const gallery = element("dialog", { class: "gallery" });
  root.replaceChildren(header, ...Object.values(boxes), share, gallery);
  return { links, boxes, figures, link, csv, png, theme, share, gallery };
}

export function skeleton(root) {
  const panel = element("aside", { "aria-label": "Settings" });
  const lanes = ["main", "pin"].map((lane) => {
    const canvas = element("canvas", { tabindex: 0, "aria-label": "The picture; a summary follows below", "data-lane": lane });
    const caption = element("span", { class: "caption" });
    return { lane, canvas, caption, box: element("div", { class: `lane ${lane}` }, canvas, caption) };
  });
  const views = element("div", { class: "views" });
  const notice = element("p", { class: "notice", role: "alert", hidden: true });
  const stages = element("div", { class: "stages" }, ...lanes.map(({ box }) => box), views, notice);
  const play = button({ class: "play", "aria-label": "Play" });
  const time = element("input", { type: "range", min: 0, max: 1000, step: 1, value: 0, "aria-label": "Time: from noise to data" });
  const sigmaNow = element("output", {});
  const ladder = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  ladder.setAttribute("class", "ladder");
  ladder.setAttribute("aria-label", "Noise levels: drag one, or walk with ← → and push with ↑ ↓");
  ladder.setAttribute("role", "group");
  const metrics = { main: element("div", { class: "metrics" }), pin: element("div", { class: "metrics", hidden: true }) };
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
  const canvases = Object.fromEntries(lanes.map(({ lane, canvas }) => [lane, canvas]));
  const caption = Object.fromEntries(lanes.map((lane) => [lane.lane, lane.caption]));
  return { panel, canvases, caption, stages, views, notice, play, time, sigmaNow, ladder, metrics, pin, summary };
}

// For each kind of stage, its switches: [name in the view, its choices as value -> title, what it does].
const VIEWS = {
  Plane: [
    ["coordinates", { "": "follow σ", data: "data" }, "The window: in units of √(σ² + σ_data²), where noise and data are both in view, or on the data"],
    ["field", { "": "no arrows", on: "arrows" }, "Where the flow moves points at this noise level"],
  ],
  Line: [
    ["zoom", { all: "all", "": "σ ≤ 25", near: "σ ≤ 1" }, "The part of the time axis that is shown"],
    ["axis", { "": "time t", sigma: "σ" }, "The horizontal axis"],
  ],
  Images: [["show", { "": "x", denoised: "D(x; σ)" }, "The noisy state at constant contrast, or what the denoiser makes of it. Click an image for its film strip"]],
};

// Whether an address may ask for this.
export function isView(name, value) {
  if (name === "selected") return /^\d{1,4}$/.test(value);
  return Object.values(VIEWS).some((switches) => switches.some(([known, choices]) => known === name && value && Object.hasOwn(choices, value)));
}

// without: switches that the stage does not offer here.
export function viewControls(box, kind, view, change, without = []) {
  if (view.drawing) {
    const done = button({ class: "done" }, "Done");
    done.addEventListener("click", () => change({ drawing: "off" }));
    box.dataset.key = "";
    box.replaceChildren(done);
    return;
  }
  const groups = VIEWS[kind].filter(([name]) => !without.includes(name)).map(([name, choices, title]) => {
    const buttons = Object.entries(choices).map(([value, text]) => {
      const node = button({ role: "radio", "aria-checked": String((view[name] ?? "") === value), "data-view": `${name}:${value}` }, text);
      node.addEventListener("click", () => change({ [name]: value || null }));
      return node;
    });
    return element("div", { class: "seg", role: "radiogroup", "aria-label": title, title }, ...buttons);
  });
  const key = JSON.stringify([kind, view]);
  if (box.dataset.key === key && box.children.length === groups.length) return;
  box.dataset.key = key;
  box.replaceChildren(...groups);
}
