// The stage of a 2-D model: density, trajectories, arrows, moving particles, a particle to drag.
import { contextOf, fit } from "../canvas.js";
import { element } from "../dom.js";
import { bracket, sigmaAt } from "../levels.js";
import { clamp, lerp } from "../numbers.js";
import { arrowsOf, float32, mixture } from "../packed.js";
import { paintArrows } from "./arrows.js";
import { entriesOf, paintKey } from "./legend.js";
import { arrowKey } from "./pad.js";
import { behind, DENSITY, densityName, Shade } from "./shade.js";
import { FOLLOW_WINDOW, WINDOW } from "./window.js";

/** @typedef {import("../types.d.ts").Colors} Colors */
/** @typedef {import("../types.d.ts").Result} Result */
/** @typedef {[number, number]} Point */
/** @typedef {ReturnType<typeof bracket>} Place */
/** @typedef {CanvasRenderingContext2D} Context */

export class Plane {
  /** What it shows is told there. */
  static sheet = "plane";
  /** @type {import("../types.d.ts").Switch[]} */
  static switches = [
    [
      "coordinates",
      { "": "follow σ", data: "data" },
      "The window: in units of √(σ² + σ_data²), where noise and data are both in view, or on the data",
    ],
    DENSITY,
    ["field", { "": "no arrows", on: "arrows" }, "Where the flow moves points at this noise level"],
  ];

  /** @type {Result | null} */
  result = null;
  /** @type {import("../messages.d.ts").Probe | null} The particle that was dragged. */
  probe = null;
  /** @type {import("./pad.js").Pad | null} While somebody draws, it has the canvas. */
  pad = null;
  x = new Float32Array();
  /** Where all states are on the canvas, as in `x`. */
  #places = new Float32Array();
  /** @type {import("../types.d.ts").Component[]} */
  components = [];
  /** @type {import("../types.d.ts").Field | null} */
  field = null;
  width = 0;
  height = 0;
  u = 0;
  /** @type {Point} Where the particle is that can be dragged. */
  ring = [0, 0];
  #pressed = false;
  // what the layers were painted for
  #placesKey = "";
  #layerKey = "";
  #layer = element("canvas");
  #shade = new Shade();

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {import("../types.d.ts").StageOptions} options
   */
  constructor(canvas, options) {
    this.canvas = canvas;
    this.options = options;
    canvas.addEventListener("pointerdown", (event) => this.#press(event));
    canvas.addEventListener("pointermove", (event) => this.#move(event));
    for (const name of ["pointerup", "pointercancel"])
      canvas.addEventListener(name, () => {
        this.#pressed = false;
      });
    canvas.addEventListener("keydown", (event) => this.#key(event));
  }

  /** @param {Result} result */
  setResult(result) {
    if (result.components !== this.result?.components) {
      this.components = result.components ? mixture(result.components, 2) : [];
      this.#shade.forget();
    }
    this.result = result;
    this.x = float32(result.run.x);
    this.field = result.field ? arrowsOf(result.field) : null;
    this.#placesKey = this.#layerKey = "";
  }

  get follow() {
    return this.options.view.coordinates !== "data";
  }

  /**
   * From data units to canvas pixels at noise level σ.
   * @param {{ sigmaData: number }} result
   * @param {number} sigma
   */
  scaleAt({ sigmaData }, sigma) {
    const unit = (this.options.contain ? Math.min(this.width, this.height) : this.height) / 2;
    return this.follow ? unit / FOLLOW_WINDOW / Math.hypot(sigma, sigmaData) : unit / WINDOW;
  }

  /**
   * @param {number} u
   * @param {Colors} colors
   */
  draw(u, colors) {
    if (this.pad) {
      this.pad.draw(colors);
      return;
    }
    const { context, width, height, ratio } = fit(this.canvas);
    [this.width, this.height, this.u] = [width, height, u];
    const { result } = this;
    if (!result) return;
    this.#locate(result);
    this.#drawDensity(context, result, sigmaAt(result.levels, u), colors);
    this.#drawPaths(context, result, ratio, colors);
    if (this.field) {
      const unit = height / 2 / (this.follow ? FOLLOW_WINDOW : WINDOW);
      paintArrows(context, this.field, bracket(result.run, u)[0], { width, height, unit }, colors);
    }
    this.#drawParticles(context, result, u, colors);
    this.#drawProbe(context, result, u, colors);
    if (this.options.contain) return;
    const sigma = this.follow ? sigmaAt(result.levels, u) : null;
    paintKey(context, this.legend(), { width, height, sigma, sigmaData: result.sigmaData }, colors);
  }

  /** What is what in the picture. */
  legend() {
    const name = densityName(this.#behind(), this.follow ? "; σ" : "");
    const density = this.components.length && (name === "density p(x)" ? "density of the data" : name);
    return entriesOf({ density, draggable: Boolean(this.options.onProbe), arrows: this.field });
  }

  #behind() {
    return behind(this.components, this.result?.density, this.options.view.density === "tilted");
  }

  /** @type {(result: Result) => void} */
  #locate({ id, run, sigmaData }) {
    const key = [id, this.width, this.height, this.follow].join();
    if (this.#placesKey === key) return;
    this.#placesKey = key;
    const { x, width, height } = this;
    const places = x.length === this.#places.length ? this.#places : new Float32Array(x.length);
    for (let j = 0, at = 0; j < run.index.length; j++) {
      const scale = this.scaleAt({ sigmaData }, run.sigma[j]);
      for (const end = at + 2 * run.count; at < end; at += 2) {
        places[at] = width / 2 + x[at] * scale;
        places[at + 1] = height / 2 - x[at + 1] * scale;
      }
    }
    this.#places = places;
  }

  /**
   * The data's density; where the window follows σ, that of the noisy data.
   * @type {(context: Context, result: Result, sigmaNow: number, colors: Colors) => void}
   */
  #drawDensity(context, result, sigmaNow, colors) {
    const sigma = this.follow ? sigmaNow : 0;
    const box = { width: this.width, height: this.height, scale: this.scaleAt(result, sigma) };
    this.#shade.draw(context, this.#behind(), sigma, box, colors);
  }

  /**
   * All trajectories, painted once for each result, view and size.
   * @type {(context: Context, result: Result, ratio: number, colors: Colors) => void}
   */
  #drawPaths(context, result, ratio, colors) {
    const { run } = result;
    const key = [result.id, this.width, this.height, this.follow, colors.noise].join();
    if (this.#layerKey !== key) {
      this.#layerKey = key;
      this.#layer.width = Math.round(this.width * ratio);
      this.#layer.height = Math.round(this.height * ratio);
      const layer = contextOf(this.#layer);
      layer.setTransform(ratio, 0, 0, ratio, 0, 0);
      layer.strokeStyle = colors.noise;
      layer.lineWidth = 0.8;
      layer.globalAlpha = clamp(70 / run.count, 0.1, 0.55);
      for (let k = 0; k < run.count; k++) {
        layer.beginPath();
        this.#trace(layer, run, k);
        layer.stroke();
      }
    }
    context.drawImage(this.#layer, 0, 0, this.width, this.height);
  }

  /** @type {(context: Context, run: Result["run"], k: number) => void} */
  #trace(context, run, k) {
    const places = this.#places;
    const stride = run.count * 2;
    for (let at = 2 * k; at < places.length; at += stride) context.lineTo(places[at], places[at + 1]);
  }

  /** @type {(point: Point, scale: number) => Point} */
  #pixel([x, y], scale) {
    return [this.width / 2 + x * scale, this.height / 2 - y * scale];
  }

  /**
   * In the picture that follows σ, positions between states move on straight lines of the picture.
   * @type {(run: Result["run"], k: number, place: Place) => Point}
   */
  #between({ count }, k, [j, next, f]) {
    const places = this.#places;
    const [a, b] = [2 * (j * count + k), 2 * (next * count + k)];
    return [lerp(places[a], places[b], f), lerp(places[a + 1], places[b + 1], f)];
  }

  /** @type {(context: Context, result: Result, u: number, colors: Colors) => void} */
  #drawParticles(context, { run }, u, colors) {
    const place = bracket(run, u);
    context.fillStyle = colors.noise;
    context.globalAlpha = 0.95;
    const radius = run.count > 1000 ? 1.4 : 2.2;
    context.beginPath();
    for (let k = 0; k < run.count; k++) {
      const [x, y] = this.#between(run, k, place);
      context.moveTo(x + radius, y);
      context.arc(x, y, radius, 0, 7);
    }
    context.fill();
    context.globalAlpha = 1;
  }

  /**
   * The particle one can drag: its path in bold, a ring where it is now.
   * @type {(context: Context, result: Result, u: number, colors: Colors) => void}
   */
  #drawProbe(context, result, u, colors) {
    context.strokeStyle = colors.ink;
    context.lineWidth = 2;
    context.lineJoin = "round";
    context.beginPath();
    if (this.probe) {
      const { level, sigma, path } = this.probe;
      const pixels = path.map(([x, y], i) => this.#pixel([x, y], this.scaleAt(result, sigma[i] ?? 0)));
      for (const [x, y] of pixels) context.lineTo(x, y);
      const at = clamp(u - level, 0, path.length - 1);
      const i = Math.min(Math.floor(at), path.length - 2);
      const [from, to] = [pixels[i], pixels[i + 1]];
      this.ring = [lerp(from[0], to[0], at - i), lerp(from[1], to[1], at - i)];
    } else {
      this.#trace(context, result.run, 0);
      this.ring = this.#between(result.run, 0, bracket(result.run, u));
    }
    context.stroke();
    context.fillStyle = colors.noise;
    context.beginPath();
    context.arc(...this.ring, 6.5, 0, 7);
    context.fill();
    context.lineWidth = 2.5;
    context.stroke();
  }

  /** @param {Result} result */
  #scaleNow(result) {
    return this.scaleAt(result, sigmaAt(result.levels, Math.floor(this.u)));
  }

  /** @type {(result: Result, event: PointerEvent) => Point} */
  #place(result, event) {
    const box = this.canvas.getBoundingClientRect();
    const scale = this.#scaleNow(result);
    return [(event.clientX - box.left - this.width / 2) / scale, (this.height / 2 - event.clientY + box.top) / scale];
  }

  /** @param {PointerEvent} event */
  #press(event) {
    if (!this.result || this.pad || event.button) return;
    this.#pressed = true;
    this.canvas.setPointerCapture(event.pointerId);
    this.options.onProbe?.(this.#place(this.result, event));
  }

  /** @param {PointerEvent} event */
  #move(event) {
    if (this.#pressed && this.result) this.options.onProbe?.(this.#place(this.result, event));
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (this.pad) return;
    if (event.key === "Escape") this.options.onProbe?.(null);
    const step = arrowKey(event);
    if (!step || !this.result) return;
    event.preventDefault();
    const scale = this.#scaleNow(this.result);
    const [x, y] = [(this.ring[0] - this.width / 2) / scale, (this.height / 2 - this.ring[1]) / scale];
    this.options.onProbe?.([x + (step[0] * 8) / scale, y + (step[1] * 8) / scale]);
  }
}
