// What of the curves is shown: which measure, on which axes, how smooth.
import { button, element } from "../shared/dom.js";

/** @typedef {import("../shared/types.d.ts").View} View */

const SMOOTH = 0.3; // if nothing else is asked for
const SMOOTHEST = 0.98;
const ABOUT_COPIES =
  "Of the samples at each tick those whose nearest training sample is closer than a third of the second nearest";
const ABOUT_SAME =
  "Of the averaged weights on validation images, with EDM's λ and p_train for every design: only this compares designs";

export class Switches {
  /** @type {View} What is shown now. */
  #view = {};

  /** @param {(changes: import("../shared/types.d.ts").ViewChanges) => void} change */
  constructor(change) {
    this.change = change;
    this.measures = {
      train: this.#measure("train", "training loss", "The loss as it is trained, with the design's own weight λ(σ)"),
      same: this.#measure("same", "validation error", ABOUT_SAME),
      copies: this.#measure("copies", "copies %", ABOUT_COPIES),
    };
    this.flips = {
      logx: this.#flip("logx", "log x", "Logarithmic axis of images"),
      logy: this.#flip("logy", "log y", "Logarithmic axis of losses"),
    };
    this.smooth = element("input", {
      type: "range",
      min: 0,
      max: SMOOTHEST,
      step: 0.02,
      "aria-label": "Smoothing",
      title: "Smoothing: how much of the curve before counts",
    });
    this.smooth.addEventListener("input", () => change({ smooth: this.smooth.value }));
    this.node = element(
      "div",
      { class: "switches" },
      element("div", { class: "seg" }, ...Object.values(this.measures)),
      element("div", { class: "seg" }, ...Object.values(this.flips)),
      element("label", { class: "smooth" }, "smooth", this.smooth),
    );
  }

  /** @type {(value: string, title: string, help: string) => HTMLButtonElement} */
  #measure(value, title, help) {
    const node = button({ role: "radio", "data-view": `measure:${value}`, title: help }, title);
    node.addEventListener("click", () => this.change({ measure: value }));
    return node;
  }

  /** @type {(name: string, title: string, help: string) => HTMLButtonElement} */
  #flip(name, title, help) {
    const node = button({ class: "flip", "data-view": `${name}:on`, title: help }, title);
    node.addEventListener("click", () => this.change({ [name]: this.#view[name] ? null : "on" }));
    return node;
  }

  /**
   * @param {View} view
   * @param {string} measure
   * @param {boolean} copying  Whether any run says how much it copies.
   */
  refresh(view, measure, copying) {
    this.#view = view;
    this.measures.copies.hidden = !copying && measure !== "copies";
    for (const [value, node] of Object.entries(this.measures))
      node.setAttribute("aria-checked", String(value === measure));
    for (const [name, node] of Object.entries(this.flips))
      node.setAttribute("aria-pressed", String(view[name] === "on"));
    const smooth = smoothOf(view);
    if (document.activeElement !== this.smooth) this.smooth.value = String(smooth);
    this.smooth.style.setProperty("--fill", `${(100 * smooth) / SMOOTHEST}%`);
  }
}

/** @param {View} view */
export const smoothOf = (view) => Number(view.smooth ?? SMOOTH);
