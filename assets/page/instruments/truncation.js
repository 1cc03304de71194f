// Local truncation error: charts, and trajectories painted by the error of each of their steps.
import { fit } from "../shared/canvas.js";
import { Chart } from "../shared/chart.js";
import { translucent } from "../shared/colors.js";
import { countUp, element, watchSize } from "../shared/dom.js";
import { lerp, rounded } from "../shared/numbers.js";
import { float32 } from "../shared/packed.js";
import { sheet } from "../shared/sheet.js";
import { explained } from "../shared/terms.js";
import { Instrument } from "./instrument.js";

/** @typedef {import("../shared/types.d.ts").Colors} Colors */
/** @typedef {import("../shared/messages.d.ts").Truncation} Body */
/** @typedef {[number, number]} Point */
/** @typedef {{ x: Float32Array, error: Float32Array, data: Float32Array, count: number, sigma: number[], sigmaData: number }} Painted */

const REACH = 2.6; // half height of the picture in units of √(σ² + σ_data²)
const SHADES = 24;

/** @extends {Instrument<Body>} */
export default class Truncation extends Instrument {
  /** @type {Painted | null} */
  painted = null;

  /** @param {ConstructorParameters<typeof Instrument>} parts */
  constructor(...parts) {
    super(...parts);
    this.canvas = element("canvas", { "aria-label": "Trajectories, painted by the local error of each step" });
    this.key = element("span", { class: "key" });
    this.painting = element("div", {}, this.canvas, this.key);
    const boxes = [element("div"), element("div"), element("div")];
    this.quarters = element("div", { class: "quarters" }, boxes[0], this.painting, boxes[1], boxes[2]);
    this.stage.append(this.quarters);
    this.charts = boxes.map((box) => new Chart(box));
    watchSize(this.painting, () => this.paint());
  }

  /**
   * @override
   * @param {Body} body
   */
  show({ figure, painted }) {
    this.painting.hidden = !painted;
    this.quarters.classList.toggle("unpainted", !painted);
    figure?.panels.forEach((panel, k) => this.charts[k].show({ panels: [panel] }, this.colors));
    const unpacked = painted && { x: float32(painted.x), error: float32(painted.error), data: float32(painted.data) };
    this.painted = painted && unpacked ? { ...painted, ...unpacked } : null;
    this.paint();
  }

  /** @override */
  paint() {
    if (!this.painted) return;
    const { context, width, height } = fit(this.canvas);
    const { x, error, count, sigma, sigmaData, data } = this.painted;
    const unit = Math.min(width, height) / 2 / REACH;
    /** @type {(values: Float32Array, at: number, s: number) => Point} */
    const pixel = (values, at, s) => {
      const scale = unit / Math.hypot(s, sigmaData || 0.5);
      return [width / 2 + values[at] * scale, height / 2 - values[at + 1] * scale];
    };
    context.fillStyle = this.colors.data;
    context.globalAlpha = 0.35;
    for (let k = 0; k < data.length; k += 2) {
      const [u, v] = pixel(data, k, 0);
      context.fillRect(u - 1, v - 1, 2, 2);
    }
    context.globalAlpha = 0.9;
    const [low, high] = span(error);
    /** @type {[Point, Point][][]} */
    const buckets = Array.from({ length: SHADES + 1 }, () => []);
    for (let i = 0; i + 1 < sigma.length; i++)
      for (let k = 0; k < count; k++) {
        const share = (Math.log(error[i * count + k] || 1e-300) - low) / (high - low || 1);
        const shade = Math.round(SHADES * Math.min(Math.max(share, 0), 1) ** 1.6);
        const [from, to] = [2 * (i * count + k), 2 * ((i + 1) * count + k)];
        buckets[shade].push([pixel(x, from, sigma[i]), pixel(x, to, sigma[i + 1])]);
      }
    for (const [shade, lines] of buckets.entries()) strokes(context, lines, shade / SHADES, this.colors);
    context.globalAlpha = 1;
    const [calm, hot] = [low, high].map((value) => rounded(Math.exp(value)));
    const words = `x/√(σ² + σ_data²), painted by local error: ${calm} grey … ${hot} orange`;
    this.key.replaceChildren(...explained(words));
    countUp(this.node, "paints");
  }

  /** @override */
  picture() {
    return sheet(this.stage, this.charts, this.painted ? [this.canvas] : [], this.colors);
  }
}

/** @type {(context: CanvasRenderingContext2D, lines: [Point, Point][], share: number, colors: Colors) => void} */
function strokes(context, lines, share, { muteRgb: calm, noiseRgb: hot }) {
  /** @param {number} i */
  const mixed = (i) => Math.round(lerp(calm[i], hot[i], share));
  context.strokeStyle = translucent([mixed(0), mixed(1), mixed(2)], 0.25 + 0.7 * share);
  context.lineWidth = 0.8 + 1.4 * share;
  context.beginPath();
  for (const [from, to] of lines) {
    context.moveTo(...from);
    context.lineTo(...to);
  }
  context.stroke();
}

/**
 * ln of the errors that are calm and hot: from the 20th percentile to the 99th.
 * @param {Float32Array} errors
 */
function span(errors) {
  const known = Array.from(errors)
    .filter((v) => v > 0)
    .map(Math.log)
    .sort((a, b) => a - b);
  if (known.length === 0) return [0, 1];
  return [known[Math.floor(known.length * 0.2)], known[Math.floor((known.length - 1) * 0.99)]];
}
