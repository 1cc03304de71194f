// @ts-nocheck
// Loss per σ: the measurement goes on while its weight and the noise levels of training are changed on the page.
import { panelOf } from "../shared/chart.js";
import { element } from "../shared/dom.js";
import { clamp } from "../shared/numbers.js";
import { Instrument } from "./instrument.js";
import { weighed } from "./weighed.js";

const LIGHT = ["weight", "P_mean", "P_std"]; // knobs that need no new measurement
const EDGES = [0.01, 0.1, 1, 10];
const TITLES = { raw: "E‖D − y‖² / d", own: "own λ · loss" };

export default class Loss extends Instrument {
  fill() {
    super.fill();
    this.handles = ["std", "mean", "std"].map((part) => element("i", { class: part }));
    this.pad = element(
      "div",
      { class: "pdrag", "aria-hidden": "true", title: "Drag the peak for P_mean, a shoulder for P_std" },
      ...this.handles,
    );
    this.stage.append(this.pad);
    this.pad.addEventListener("pointerdown", (event) => this.grab(event));
    this.pad.addEventListener("pointermove", (event) => this.drag(event));
    for (const name of ["pointerup", "pointercancel"]) this.pad.addEventListener(name, () => (this.held = null));
    this.chart.onDrawn = () => {
      if (!this.zooming) this.zooming = this.chart.node.on("plotly_relayout", () => this.place());
      this.place();
    };
  }

  changed(names) {
    const { P_mean, P_std } = this.values;
    const drawable = Number.isFinite(P_mean) && P_std > 0;
    if (!names.every((name) => LIGHT.includes(name)) || !drawable) return super.changed();
    this.ofLink = null;
    this.say(null);
    this.repainting ??= requestAnimationFrame(() => {
      this.repainting = null;
      if (this.body) this.show(this.body);
    });
  }

  // The server's losses are raw; here they are weighed, and p_train is that of the knobs as they are now.
  show(body) {
    const { weight, P_mean, P_std } = this.values;
    body.measured ??= body.figure;
    const [loss, training] = body.measured.panels;
    const shown = weighed(loss, weight);
    body.figure = {
      ...body.measured,
      key: weight,
      panels: [{ ...shown, y: { ...shown.y, title: TITLES[weight] ?? this.titleOf(weight) } }, density(training, P_mean, P_std)],
    };
    body.python = body.python.replace(/P_mean=[^,]+, P_std=[^)]+/, `P_mean=${P_mean}, P_std=${P_std}`);
    super.show(body);
  }

  titleOf(weight) {
    const { choices, titles } = this.declared.knobs.weight;
    return `λ · loss, λ: ${titles[choices.indexOf(weight)]}`;
  }

  get center() {
    return [-1, 0, 1].map((k) => Math.exp(this.values.P_mean + k * this.values.P_std));
  }

  // The handles, over the lower panel.
  place() {
    const panel = panelOf(this.chart, 1);
    if (!panel || !this.body) return;
    const { left, top, width, height } = panel;
    Object.assign(this.pad.style, { left: `${left}px`, top: `${top}px`, width: `${width}px`, height: `${height}px` });
    const { P_std } = this.values;
    this.center.forEach((sigma, k) => {
      const x = panel.across(sigma);
      const y = panel.down(Math.exp(k === 1 ? 0 : -0.5) / (P_std * Math.sqrt(2 * Math.PI)));
      this.handles[k].hidden = !(x > 0 && x < width);
      Object.assign(this.handles[k].style, { left: `${x}px`, top: `${y}px` });
    });
  }

  at(event) {
    const panel = panelOf(this.chart, 1);
    return Math.log(panel.valueAt(event.clientX - this.pad.getBoundingClientRect().left));
  }

  grab(event) {
    if (event.button) return;
    this.pad.setPointerCapture(event.pointerId);
    const { P_mean, P_std } = this.values;
    const away = Math.abs(this.at(event) - P_mean);
    this.held = away > Math.abs(away - P_std) ? "P_std" : "P_mean";
    this.grip = this.held === "P_mean" ? this.at(event) - P_mean : away - P_std;
    event.preventDefault();
  }

  drag(event) {
    if (!this.held) return;
    const { slider } = this.declared.knobs[this.held];
    const value =
      this.held === "P_mean" ? this.at(event) - this.grip : Math.abs(this.at(event) - this.values.P_mean) - this.grip;
    this.set({ [this.held]: Number(clamp(value, ...slider).toFixed(2)) });
  }
}

// The panel with p_train as a normal density of ln σ, and the share of training in each decade.
export function density(panel, mean, std) {
  const [curve, shares, ...others] = panel.lines;
  const y = curve.x.map(
    (sigma) => Math.exp(-0.5 * ((Math.log(sigma) - mean) / std) ** 2) / (std * Math.sqrt(2 * Math.PI)),
  );
  const most = 1.3 * Math.max(...[y, ...others.map((line) => line.y)].flat());
  const below = [0, ...EDGES.map((edge) => normal((Math.log(edge) - mean) / std)), 1];
  const text = below.slice(1).map((value, i) => `${Math.round(100 * (value - below[i]))} %`);
  const lines = [...others, { ...curve, y }, { ...shares, y: shares.x.map(() => 0.91 * most), text }];
  return { ...panel, y: { ...panel.y, range: [0, most] }, lines };
}

// The normal distribution function, to 7 digits (Abramowitz and Stegun 7.1.26).
function normal(z) {
  const t = 1 / (1 + (0.3275911 * Math.abs(z)) / Math.SQRT2);
  const tail = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t;
  const half = 0.5 * tail * Math.exp((-z * z) / 2);
  return z > 0 ? 1 - half : half;
}
