// Densities as a shade behind points.
import { contextOf } from "../canvas.js";
import { element } from "../dom.js";
import { clamp } from "../numbers.js";

const ROWS = 110; // of a shade over a plane
const DENSITY_WIDTH = 0.035; // point sets are shaded as if this wide
const FAINT = 1e-6; // of a component's peak: what is not shaded
const REACH = Math.sqrt(-2 * Math.log(FAINT)); // of it, in its standard deviations

/**
 * Σ w·N(mean, (std² + σ²)I) on a grid. Isotropic Gaussians are separable, so that this is one outer product each.
 * @param {import("../types.d.ts").Component[]} components
 * @param {number} sigma
 * @param {number} columns
 * @param {number} rows
 * @param {number} halfWidth  Of the grid, in the data's units.
 * @param {number} halfHeight
 */
export function splat(components, sigma, columns, rows, halfWidth, halfHeight) {
  const values = new Float32Array(columns * rows);
  const across = new Float32Array(columns);
  for (const { weight, std, mean } of components) {
    const variance = Math.max(std, DENSITY_WIDTH) ** 2 + sigma * sigma;
    const norm = weight / variance;
    const reach = REACH * Math.sqrt(variance);
    const [from, to] = [mean[0] - reach, mean[0] + reach].map((x) =>
      clamp(Math.ceil(((x / halfWidth + 1) / 2) * columns - 0.5), 0, columns),
    );
    for (let i = from; i < to; i++) {
      const d = (((i + 0.5) / columns) * 2 - 1) * halfWidth - mean[0];
      across[i] = Math.exp((-d * d) / (2 * variance)) * norm;
    }
    for (let j = 0; j < rows; j++) {
      const d = (1 - ((j + 0.5) / rows) * 2) * halfHeight - mean[1];
      const down = Math.exp((-d * d) / (2 * variance));
      if (down < FAINT) continue;
      for (let i = from, at = j * columns + from; i < to; i++, at++) values[at] += across[i] * down;
    }
  }
  return values;
}

/**
 * Which density is behind samples: that of all, of their class, or the tilted one, p(x)·p(c|x)^w.
 * @typedef {{ own: Component[], all: Component[], weight: number | null }} Behind
 */
/** @typedef {import("../types.d.ts").Component} Component */

/**
 * @param {Component[]} all
 * @param {{ label: number, weight: number | null } | null | undefined} density  Of one class.
 * @param {boolean} tilted
 * @returns {Behind}
 */
export function behind(all, density, tilted) {
  const own = density ? all.filter(({ label }) => label === density.label) : [];
  if (!density || !own.length) return { own: all, all, weight: null };
  return { own, all, weight: tilted ? density.weight : null };
}

/**
 * What is written of it. at: "; σ", where it is of noisy data.
 * @type {(behind: Behind, at: string) => string}
 */
export const densityName = ({ own, all, weight }, at) =>
  weight != null ? `tilted, p(x${at})·p(c|x${at})^${weight}` : `density p(x${own === all ? "" : "|c"}${at})`;

/**
 * p·p(c|x)^w from the parts of all classes and of one: their quotient is p(c|x).
 * @type {(whole: number, part: number, weight: number) => number}
 */
export function tilt(whole, part, weight) {
  if (!(whole > 0)) return 0;
  return whole * Math.max(part / whole, weight < 0 ? FAINT : 0) ** weight;
}

/** Only where guidance leads to a class are there two. @type {import("../types.d.ts").Switch} */
export const DENSITY = [
  "density",
  { "": "p(x|c)", tilted: "tilted" },
  "The density behind: that of the class, or p(x)·p(c|x)^w, whose score guidance follows: compare what is sampled",
];

/** A density as a shade over a whole canvas, painted anew where it is another one. */
export class Shade {
  #canvas = element("canvas");
  #key = "";

  /** Other components have come. */
  forget() {
    this.#key = "";
  }

  /** @type {(context: CanvasRenderingContext2D, shown: Behind, sigma: number, box: { width: number, height: number, scale: number }, colors: import("../types.d.ts").Colors) => void} */
  draw(context, { own, all, weight }, sigma, { width, height, scale }, colors) {
    const columns = Math.max(1, Math.round((ROWS * width) / height));
    const key = [columns, scale, sigma, colors.data, own.length, own[0]?.label, weight].join();
    if (this.#key !== key) {
      this.#key = key;
      const halves = /** @type {const} */ ([width / 2 / scale, height / 2 / scale]);
      const values = splat(own, sigma, columns, ROWS, ...halves);
      if (weight != null) {
        const whole = splat(all, sigma, columns, ROWS, ...halves);
        for (let i = 0; i < values.length; i++) values[i] = tilt(whole[i], values[i], weight);
      }
      paintShade(this.#canvas, values, columns, ROWS, colors.dataRgb, 0.6);
    }
    context.imageSmoothingEnabled = true;
    context.imageSmoothingQuality = "high";
    context.drawImage(this.#canvas, 0, 0, width, height);
  }
}

/**
 * Values on a grid as shades of a colour, the largest strongest.
 * @param {HTMLCanvasElement} canvas
 * @param {Float32Array} values
 * @param {number} columns
 * @param {number} rows
 * @param {import("../types.d.ts").Rgb} color
 * @param {number} strength
 */
export function paintShade(canvas, values, columns, rows, [r, g, b], strength) {
  [canvas.width, canvas.height] = [columns, rows];
  const context = contextOf(canvas);
  const image = context.createImageData(columns, rows);
  const pixels = new Uint32Array(image.data.buffer); // their bytes: red, green, blue, opacity
  const color = r | (g << 8) | (b << 16);
  let peak = 1e-12;
  for (let i = 0; i < values.length; i++) if (values[i] > peak) peak = values[i];
  for (let i = 0; i < values.length; i++) {
    if (values[i] > 0) pixels[i] = color | (Math.round(255 * strength * (values[i] / peak) ** 0.6) << 24);
  }
  context.putImageData(image, 0, 0);
}
