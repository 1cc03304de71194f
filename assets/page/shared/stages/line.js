// The stage of a 1-D model: the paper's Figure 3. The state x against time t (or σ), density behind. Noise is at the
// left and data at the right, mirrored against the paper: so run the time slider, the noise levels and film strips, and
// what is sampled is read from left to right.
import { fit } from "../canvas.js";
import { element } from "../dom.js";
import { bracket } from "../levels.js";
import { clamp, lerp, number } from "../numbers.js";
import { float32, mixture } from "../packed.js";
import { entriesOf, fontOf, paintLegend } from "./legend.js";
import { behind, DENSITY, densityName, paintShade, tilt } from "./shade.js";

/** @typedef {import("../types.d.ts").Colors} Colors */
/** @typedef {import("../types.d.ts").Result & { axis: import("../messages.d.ts").TimeAxis }} Result */
/** @typedef {CanvasRenderingContext2D} Context */

const COLUMNS = 220;
const ROWS = 150;
const MARGIN = { left: 58, right: 14, top: 44, bottom: 34 };
/** @type {Record<string, number>} */
const ZOOMS = { all: Number.POSITIVE_INFINITY, near: 1 };
const ZOOM = 25; // the largest σ that is shown, if nothing else is asked for

/**
 * The axes: times up to `end`, x up to `reach`, in a box of pixels.
 * @typedef {object} Frame
 * @property {number} left
 * @property {number} top
 * @property {number} width
 * @property {number} height
 * @property {number[]} times  Of the result's axis: t or σ.
 * @property {number} end
 * @property {number} reach
 * @property {boolean} byTime
 * @property {boolean} scaled  Whether the state is not x itself.
 */

export class Line {
  /** What it shows is told there. */
  static sheet = "line";
  /** @type {import("../types.d.ts").Switch[]} */
  static switches = [
    ["zoom", { all: "all", "": "σ ≤ 25", near: "σ ≤ 1" }, "The part of the time axis that is shown"],
    DENSITY,
    ["axis", { "": "time t", sigma: "σ" }, "The horizontal axis"],
  ];

  /** @type {Result | null} */
  result = null;
  x = new Float32Array();
  /** @type {import("../types.d.ts").Component[]} */
  components = [];
  #shade = element("canvas");
  #shadeKey = ""; // what it was painted for

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {import("../types.d.ts").StageOptions} options
   */
  constructor(canvas, options) {
    this.canvas = canvas;
    this.options = options;
  }

  /** @param {import("../types.d.ts").Result} result */
  setResult(result) {
    if (!result.axis) throw new Error("a result in one dimension has a time axis");
    this.result = { ...result, axis: result.axis };
    this.x = float32(result.run.x);
    this.components = result.components ? mixture(result.components, 1) : [];
  }

  /**
   * @param {number} u
   * @param {Colors} colors
   */
  draw(u, colors) {
    const { context, width, height } = fit(this.canvas);
    const { result } = this;
    if (!result) return;
    const limit = Math.min(ZOOMS[this.options.view.zoom] ?? ZOOM, result.levels[0]); // the largest σ in the picture
    const frame = this.#frame(result, limit, width, height, colors);
    this.#drawDensity(context, result, frame, colors);
    context.save();
    context.beginPath();
    context.rect(frame.left, frame.top, frame.width, frame.height);
    context.clip();
    this.#drawPaths(context, result, frame, colors);
    this.#drawParticles(context, result, frame, u, colors);
    context.restore();
    this.#drawAxes(context, frame, limit, colors);
  }

  /**
   * Which time is where, and how high the picture is.
   * @type {(result: Result, limit: number, width: number, height: number, colors: Colors) => Frame}
   */
  #frame({ axis, sigmaData }, limit, width, height, { type }) {
    const byTime = this.options.view.axis !== "sigma";
    const inside = axis.sigma.findIndex((sigma) => sigma <= limit * (1 + 1e-9));
    let reach = 0;
    for (let i = inside; i < axis.sigma.length; i++)
      reach = Math.max(reach, axis.scale[i] * 2.4 * Math.hypot(axis.sigma[i], sigmaData));
    const top = this.options.contain ? 8 : MARGIN.top * type;
    const left = MARGIN.left * type;
    return {
      left,
      top,
      width: width - left - MARGIN.right,
      height: height - top - MARGIN.bottom * type,
      times: byTime ? axis.t : axis.sigma,
      end: byTime ? interpolate(axis.sigma, axis.t, limit) : limit,
      reach: Math.max(reach, 1.2),
      byTime,
      scaled: axis.scale.some((scale) => scale !== 1),
    };
  }

  /**
   * p(x; σ) at each time, every column brightest where it peaks.
   * @type {(context: Context, result: Result, frame: Frame, colors: Colors) => void}
   */
  #drawDensity(context, { id, axis, sigmaData }, frame, colors) {
    const shown = this.#behind();
    const key = [id, frame.end, frame.reach, frame.byTime, colors.data, shown.weight].join();
    if (this.#shadeKey !== key) {
      this.#shadeKey = key;
      const values = new Float32Array(COLUMNS * ROWS);
      for (let i = 0; i < COLUMNS; i++) {
        const time = (1 - (i + 0.5) / COLUMNS) * frame.end;
        const sigma = frame.byTime ? interpolate(axis.t, axis.sigma, time) : time;
        const reach = frame.reach / interpolate(frame.times, axis.scale, time);
        shadeColumn(values, i, shown, sigma, reach, sigmaData);
      }
      paintShade(this.#shade, values, COLUMNS, ROWS, colors.dataRgb, 0.55);
    }
    context.drawImage(this.#shade, frame.left, frame.top, frame.width, frame.height);
  }

  #behind() {
    return behind(this.components, this.result?.density, this.options.view.density === "tilted");
  }

  /**
   * Where the state's own variable is: x/s times s.
   * @type {(result: Result, frame: Frame, k: number, j: number) => [number, number]}
   */
  #at({ run }, frame, k, j) {
    const time = frame.byTime ? run.t[j] : run.sigma[j];
    return [across(frame, time), down(frame, this.x[j * run.count + k] * run.scale[j])];
  }

  /** @type {(context: Context, result: Result, frame: Frame, colors: Colors) => void} */
  #drawPaths(context, result, frame, colors) {
    const { run } = result;
    context.strokeStyle = colors.noise;
    context.lineWidth = 1.2;
    context.globalAlpha = clamp(25 / run.count, 0.15, 0.8);
    for (let k = 0; k < run.count; k++) {
      context.beginPath();
      for (let j = 0; j < run.index.length; j++) context.lineTo(...this.#at(result, frame, k, j));
      context.stroke();
    }
    context.globalAlpha = 1;
  }

  /** @type {(context: Context, result: Result, frame: Frame, u: number, colors: Colors) => void} */
  #drawParticles(context, result, frame, u, colors) {
    const [j, next, f] = bracket(result.run, u);
    context.fillStyle = colors.noise;
    context.beginPath();
    for (let k = 0; k < result.run.count; k++) {
      const [a, b] = [this.#at(result, frame, k, j), this.#at(result, frame, k, next)];
      const [x, y] = [lerp(a[0], b[0], f), lerp(a[1], b[1], f)];
      context.moveTo(x + 3.2, y);
      context.arc(x, y, 3.2, 0, 7);
    }
    context.fill();
  }

  /** @type {(context: Context, frame: Frame, limit: number, colors: Colors) => void} */
  #drawAxes(context, frame, limit, colors) {
    context.strokeStyle = colors.mute;
    context.fillStyle = colors.mute;
    context.lineWidth = 1;
    context.strokeRect(frame.left + 0.5, frame.top + 0.5, frame.width - 1, frame.height - 1);
    context.font = fontOf(colors);
    context.textAlign = "center";
    const bottom = frame.top + frame.height;
    for (const tick of ticks(frame.end)) context.fillText(number(tick), across(frame, tick), bottom + 14 * colors.type);
    const name = frame.byTime ? "time t" : "noise level σ";
    const where = this.options.contain ? "" : ` · from noise at the left (σ = ${number(limit)}) to data at the right`;
    context.fillText(name + where, frame.left + frame.width / 2, bottom + 29 * colors.type);
    context.textAlign = "right";
    for (const tick of ticks(frame.reach)) {
      for (const value of tick ? [tick, -tick] : [0])
        context.fillText(number(value), frame.left - 6, down(frame, value) + 4 * colors.type);
    }
    context.save();
    context.translate(14 * colors.type, frame.top + frame.height / 2);
    context.rotate(-Math.PI / 2);
    context.textAlign = "center";
    context.fillText(frame.scaled ? "x, scaled by s(t)" : "x, in the units of the data", 0, 0);
    context.restore();
    if (this.options.contain) return;
    const box = { left: frame.left + 4, bottom: bottom - 2, width: frame.width - 8 };
    paintLegend(context, this.legend(), box, colors);
  }

  /** What is what in the picture. */
  legend() {
    return entriesOf({ density: this.components.length && densityName(this.#behind(), "; σ") });
  }
}

/**
 * The density at a noise level, as one column.
 * @type {(values: Float32Array, i: number, shown: import("./shade.js").Behind, sigma: number, reach: number, sigmaData: number) => void}
 */
function shadeColumn(values, i, { own, all, weight }, sigma, reach, sigmaData) {
  let peak = 1e-12;
  for (let j = 0; j < ROWS; j++) {
    const y = (1 - (2 * (j + 0.5)) / ROWS) * reach;
    const part = densityAt(own, y, sigma);
    const value = weight == null ? part : tilt(densityAt(all, y, sigma), part, weight);
    values[j * COLUMNS + i] = value;
    peak = Math.max(peak, value);
  }
  const faint = 0.35 + 0.65 / (1 + sigma / sigmaData);
  for (let j = 0; j < ROWS; j++) values[j * COLUMNS + i] *= faint / peak;
}

/** @type {(components: import("../types.d.ts").Component[], y: number, sigma: number) => number} */
function densityAt(components, y, sigma) {
  let sum = 0;
  for (const { weight, std, mean } of components) {
    const variance = Math.max(std, 0.03) ** 2 + sigma * sigma;
    sum += (weight / Math.sqrt(variance)) * Math.exp(-((y - mean[0]) ** 2) / (2 * variance));
  }
  return sum;
}

/** @type {(frame: Frame, time: number) => number} */
const across = (frame, time) => frame.left + (1 - time / frame.end) * frame.width;
/** @type {(frame: Frame, x: number) => number} */
const down = (frame, x) => frame.top + frame.height / 2 - (x / frame.reach) * (frame.height / 2);

/** @param {number} end */
function ticks(end) {
  const rough = end / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5].map((m) => m * power).find((s) => s >= rough) ?? 10 * power;
  return Array.from({ length: Math.floor(end / step + 1e-9) + 1 }, (_, i) => i * step);
}

/**
 * y at x, from tables that fall with the index.
 * @param {number[]} xs
 * @param {number[]} ys
 * @param {number} x
 */
function interpolate(xs, ys, x) {
  let [low, high] = [0, xs.length - 1];
  if (x >= xs[0]) return ys[0];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (xs[middle] >= x) low = middle;
    else high = middle;
  }
  const f = xs[low] === xs[high] ? 0 : (x - xs[low]) / (xs[high] - xs[low]);
  return lerp(ys[low], ys[high], clamp(f, 0, 1));
}
