// @ts-nocheck
// The switches of a stage: what of it is shown, and how.
import { button, element } from "../dom.js";

// For each kind of stage, its switches: [name in the view, its choices as value -> title, what it does].
const VIEWS = {
  Plane: [
    [
      "coordinates",
      { "": "follow σ", data: "data" },
      "The window: in units of √(σ² + σ_data²), where noise and data are both in view, or on the data",
    ],
    ["field", { "": "no arrows", on: "arrows" }, "Where the flow moves points at this noise level"],
  ],
  Line: [
    ["zoom", { all: "all", "": "σ ≤ 25", near: "σ ≤ 1" }, "The part of the time axis that is shown"],
    ["axis", { "": "time t", sigma: "σ" }, "The horizontal axis"],
  ],
  Images: [
    [
      "show",
      { "": "x", denoised: "D(x; σ)" },
      "The noisy state at constant contrast, or what the denoiser makes of it. Click an image for its film strip",
    ],
  ],
};

// Whether an address may ask for this.
export function isView(name, value) {
  if (name === "selected") return /^\d{1,4}$/.test(value);
  return Object.values(VIEWS).some((switches) =>
    switches.some(([known, choices]) => known === name && value && Object.hasOwn(choices, value)),
  );
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
  const groups = VIEWS[kind]
    .filter(([name]) => !without.includes(name))
    .map(([name, choices, title]) => {
      const buttons = Object.entries(choices).map(([value, text]) => {
        const node = button(
          { role: "radio", "aria-checked": String((view[name] ?? "") === value), "data-view": `${name}:${value}` },
          text,
        );
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
