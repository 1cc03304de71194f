// Loss per σ: the measurement goes on while its weight and the noise levels of training are changed on the page.
import { panelOf } from "../shared/chart.js";
import { element, putAt } from "../shared/dom.js";
import { clamp } from "../shared/numbers.js";
import OneChart from "./chart.js";
import { weighed } from "./weighed.js";

/** @typedef {import("../shared/types.d.ts").Figure} Figure */
/** @typedef {import("../shared/types.d.ts").Panel} Panel */
/** @typedef {import("../shared/messages.d.ts").Loss} Body */
/** @typedef {{ name: "P_mean" | "P_std", grip: number }} Held  grip: how far from the handle it was taken. */

const LIGHT = ["weight", "P_mean", "P_std"]; // knobs that need no new measurement
const EDGES = [0.01, 0.1, 1, 10];
/** @type {Record<string, string>} */
const TITLES = { raw: "E‖D − y‖² / d", own: "own λ · loss" }; // of others, their weight's

/** @extends {OneChart<Body>} */
export default class Loss extends OneChart {
  /** @type {Figure | null} */
  #drawn = null;
  /** @type {Held | null} */
  #held = null;
  #repainting = 0;
  #zooming = false; // what the chart says of zooming is heard

  /** @param {ConstructorParameters<typeof OneChart>} parts */
  constructor(...parts) {
    super(...parts);
    this.handles = ["std", "mean", "std"].map((part) => element("i", { class: part }));
    const title = "Drag the peak for P_mean, a shoulder for P_std";
    this.pad = element("div", { class: "pdrag", "aria-hidden": "true", title }, ...this.handles);
    this.stage.append(this.pad);
    this.pad.addEventListener("pointerdown", (event) => this.#grab(event));
    this.pad.addEventListener("pointermove", (event) => this.#drag(event));
    for (const name of ["pointerup", "pointercancel"])
      this.pad.addEventListener(name, () => {
        this.#held = null;
      });
    this.chart.onDrawn = () => {
      if (!this.#zooming) this.chart.onZoomed(() => this.#place());
      this.#zooming = true;
      this.#place();
    };
  }

  /**
   * @override
   * @param {string[]} names
   */
  changed(names) {
    const { P_mean, P_std } = this.values;
    const drawable = Number.isFinite(P_mean) && P_std > 0;
    if (!names.every((name) => LIGHT.includes(name)) || !drawable) {
      super.changed(names);
      return;
    }
    this.ofLink = null;
    this.say(null);
    this.#repainting ||= requestAnimationFrame(() => {
      this.#repainting = 0;
      if (this.body) this.show(this.body);
      this.summarize();
    });
  }

  /**
   * The server's losses are raw; here they are weighed, and p_train is that of the knobs as they are now.
   * @override
   * @param {Body} body
   */
  show({ figure }) {
    if (!figure) return undefined;
    const { weight, P_mean, P_std } = this.values;
    const [loss, training] = figure.panels;
    const shown = weighed(loss, weight);
    const { choices, titles } = this.declared.knobs.weight;
    const title = TITLES[weight] ?? `λ · loss, λ: ${titles?.[choices?.indexOf(weight) ?? -1]}`;
    const titled = { ...shown, y: { ...shown.y, title } };
    this.#drawn = { ...figure, key: weight, panels: [titled, density(training, P_mean, P_std)] };
    return this.chart.show(this.#drawn, this.colors);
  }

  /**
   * @override
   * @param {Body} body
   */
  sentence({ summary, summaries }) {
    return summaries[this.values.weight] ?? summary;
  }

  /** @override */
  get figure() {
    return this.#drawn;
  }

  /** @override */
  get python() {
    const { P_mean, P_std } = this.values;
    return super.python.replace(/P_mean=[^,]+, P_std=[^)]+/, `P_mean=${P_mean}, P_std=${P_std}`);
  }

  /** The handles, over the lower panel. */
  #place() {
    const panel = panelOf(this.chart, 1);
    if (!panel || !this.body) return;
    putAt(this.pad, panel);
    const { P_mean, P_std } = this.values;
    this.handles.forEach((handle, i) => {
      const k = i - 1;
      const x = panel.across(Math.exp(P_mean + k * P_std));
      handle.hidden = !(x > 0 && x < panel.width);
      putAt(handle, { left: x, top: panel.down(Math.exp(k === 0 ? 0 : -0.5) / (P_std * Math.sqrt(2 * Math.PI))) });
    });
  }

  /**
   * ln σ under a pointer.
   * @param {PointerEvent} event
   */
  #at(event) {
    const panel = panelOf(this.chart, 1);
    return Math.log(panel?.valueAt(event.clientX - this.pad.getBoundingClientRect().left) ?? Number.NaN);
  }

  /** @param {PointerEvent} event */
  #grab(event) {
    if (event.button) return;
    this.pad.setPointerCapture(event.pointerId);
    const { P_mean, P_std } = this.values;
    const from = this.#at(event) - P_mean;
    const away = Math.abs(from);
    const wide = away > Math.abs(away - P_std);
    this.#held = wide ? { name: "P_std", grip: away - P_std } : { name: "P_mean", grip: from };
    event.preventDefault();
  }

  /** @param {PointerEvent} event */
  #drag(event) {
    if (!this.#held) return;
    const { name, grip } = this.#held;
    const [low, high] = this.declared.knobs[name].slider ?? [-10, 10];
    const at = name === "P_mean" ? this.#at(event) : Math.abs(this.#at(event) - this.values.P_mean);
    this.set({ [name]: Number(clamp(at - grip, low, high).toFixed(2)) });
  }
}

/**
 * The panel with p_train as a normal density of ln σ, and the share of training in each decade.
 * @param {Panel} panel
 * @param {number} mean
 * @param {number} std
 * @returns {Panel}
 */
function density(panel, mean, std) {
  const [curve, shares, ...others] = panel.lines ?? [];
  const y = curve.x.map((sigma) => {
    const z = (Math.log(sigma ?? Number.NaN) - mean) / std;
    return Math.exp(-0.5 * z ** 2) / (std * Math.sqrt(2 * Math.PI));
  });
  const most = 1.3 * Math.max(...y, ...others.flatMap((line) => line.y.map((value) => value ?? 0)));
  const below = [0, ...EDGES.map((edge) => normal((Math.log(edge) - mean) / std)), 1];
  const text = below.slice(1).map((value, i) => `${Math.round(100 * (value - below[i]))} %`);
  const lines = [...others, { ...curve, y }, { ...shares, y: shares.x.map(() => 0.91 * most), text }];
  return { ...panel, y: { ...panel.y, range: [0, most] }, lines };
}

/**
 * The normal distribution function, to 7 digits (Abramowitz and Stegun 7.1.26).
 * @param {number} z
 */
function normal(z) {
  const t = 1 / (1 + (0.3275911 * Math.abs(z)) / Math.SQRT2);
  const tail = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t;
  const half = 0.5 * tail * Math.exp((-z * z) / 2);
  return z > 0 ? 1 - half : half;
}
