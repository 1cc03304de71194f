// Where a learned denoiser differs from the ideal one, over the plane: |D − D*| as heat, D − D* as arrows, and samples.
import { contextOf } from "../shared/canvas.js";
import { rgbOf } from "../shared/colors.js";
import { bracket } from "../shared/levels.js";
import { lerp, rounded } from "../shared/numbers.js";
import { float32 } from "../shared/packed.js";

/** @typedef {import("../shared/types.d.ts").Colors} Colors */
/** @typedef {CanvasRenderingContext2D} Context */
/** @typedef {(x: number, y: number) => [number, number]} Place */
/**
 * One level, unpacked. packed: what it was unpacked from.
 * @typedef {{ index: number, most: number, packed: string, gap: Float32Array, likely: Float32Array, arrows: Float32Array }} Level
 */
/**
 * @typedef {object} Moment
 * @property {number} u  Among the levels.
 * @property {number} sigma
 * @property {number} sigmaData
 * @property {string} color  Of the gap.
 * @property {boolean} overall  One scale for all levels.
 * @property {boolean} arrows
 * @property {HTMLCanvasElement} tile  To paint on.
 */

export class GapPlane {
  /** @type {Level[]} */
  #levels;

  /**
   * @param {import("../shared/messages.d.ts").Plane} plane
   * @param {GapPlane | null} before  Whose levels need not be unpacked again.
   */
  constructor({ title, cells, arrows, window, fields, y, n }, before) {
    this.title = title ?? "|D − D*|";
    this.cells = cells;
    this.arrows = arrows;
    this.window = window;
    this.y = float32(y);
    this.n = float32(n);
    this.#levels = fields.map((field) => before?.find(field) ?? unpacked(field));
  }

  get levels() {
    return this.#levels.length;
  }

  /** @param {import("../shared/messages.d.ts").Field} field */
  find({ index, gap }) {
    return this.#levels.find((level) => level.index === index && level.packed === gap);
  }

  /**
   * @param {import("../shared/canvas.js").Drawing} drawing
   * @param {Moment} moment
   * @param {Colors} colors
   */
  paint({ context, width, height }, { u, sigma, sigmaData, color, overall, arrows: shown, tile }, colors) {
    const { cells, arrows, window } = this;
    const levels = this.#levels;
    const [j, next, f] = bracket({ index: levels.map(({ index }) => index) }, u);
    const [a, b] = [levels[j], levels[Math.min(next, levels.length - 1)]];
    const most = overall ? Math.max(...levels.map((level) => level.most)) : lerp(a.most, b.most, f);
    const size = Math.min(width, height);
    const [left, top] = [(width - size) / 2, (height - size) / 2];
    /** @param {number} i */
    const seen = (i) => lerp(a.likely[i], b.likely[i], f);
    /** @param {number} i */
    const gap = (i) => Math.min(1, lerp(a.gap[i], b.gap[i], f) / most) * (0.12 + 0.88 * seen(i));
    /** @type {Place} */
    const place = (x, y) => [left + (size / 2) * (1 + x / window), top + (size / 2) * (1 - y / window)];
    context.save();
    context.beginPath();
    context.rect(left, top, size, size);
    context.clip();
    heat(tile, cells, rgbOf(colors, color), gap);
    context.imageSmoothingEnabled = true;
    context.imageSmoothingQuality = "high";
    context.drawImage(tile, left, top, size, size);
    this.#dots(context, place, sigma, sigmaData, colors);
    /** @param {number} k */
    const cell = (k) => Math.floor(((k + 0.5) / arrows) * cells);
    /** @param {number} k */
    const hidden = (k) => seen(cell(Math.floor(k / arrows)) * cells + cell(k % arrows)) < 0.3;
    /** @param {number} i */
    const value = (i) => (hidden(i >> 1) ? 0 : lerp(a.arrows[i], b.arrows[i], f) / most);
    if (shown) this.#quiver(context, place, value, (size / arrows) * 0.8, colors);
    context.restore();
    context.strokeStyle = colors.line;
    context.strokeRect(left, top, size, size);
    const words = [`full colour: ${this.title} = ${rounded(most)}`, "faded where no sample comes"];
    label(context, { left: left + 6, top: top + 6, width: size - 12 }, words, colors);
  }

  /**
   * Noisy samples y + σn, where the loss is measured.
   * @type {(context: Context, place: Place, sigma: number, sigmaData: number, colors: Colors) => void}
   */
  #dots(context, place, sigma, sigmaData, colors) {
    const { y, n } = this;
    const scale = 1 / Math.hypot(sigma, sigmaData);
    context.fillStyle = colors.data;
    context.globalAlpha = 0.55;
    for (let k = 0; k < y.length; k += 2) {
      const [px, py] = place((y[k] + sigma * n[k]) * scale, (y[k + 1] + sigma * n[k + 1]) * scale);
      context.fillRect(px - 1.1, py - 1.1, 2.2, 2.2);
    }
    context.globalAlpha = 1;
  }

  /** @type {(context: Context, place: Place, value: (i: number) => number, cell: number, colors: Colors) => void} */
  #quiver(context, place, value, cell, colors) {
    const { arrows: count, window } = this;
    context.strokeStyle = colors.ink;
    context.lineWidth = 1.1;
    context.globalAlpha = 0.75;
    context.beginPath();
    /** @param {number} i */
    const at = (i) => (((i + 0.5) / count) * 2 - 1) * window;
    for (let k = 0; k < count * count; k++) {
      const [x, y] = place(at(Math.floor(k / count)), at(k % count));
      let [dx, dy] = [value(2 * k), -value(2 * k + 1)];
      const length = Math.hypot(dx, dy);
      if (length < 0.02) continue;
      const drawn = (cell * Math.min(1, Math.sqrt(length))) / length;
      [dx, dy] = [dx * drawn, dy * drawn];
      context.moveTo(x - dx / 2, y - dy / 2);
      context.lineTo(x + dx / 2, y + dy / 2);
      for (const side of [-1, 1]) {
        context.moveTo(x + dx / 2, y + dy / 2);
        context.lineTo(x + dx * 0.2 + side * dy * 0.18, y + dy * 0.2 - side * dx * 0.18);
      }
    }
    context.stroke();
    context.globalAlpha = 1;
  }
}

/**
 * @param {import("../shared/messages.d.ts").Field} field
 * @returns {Level}
 */
function unpacked({ index, most, gap, likely, arrows }) {
  return { index, most, packed: gap, gap: float32(gap), likely: float32(likely), arrows: float32(arrows) };
}

/**
 * The grid is x-major and rises in y; the picture falls.
 * @type {(tile: HTMLCanvasElement, cells: number, color: import("../shared/types.d.ts").Rgb, value: (i: number) => number) => void}
 */
function heat(tile, cells, [r, g, b], value) {
  [tile.width, tile.height] = [cells, cells];
  const context = contextOf(tile);
  const image = context.createImageData(cells, cells);
  for (let i = 0; i < cells; i++)
    for (let j = 0; j < cells; j++) {
      image.data.set([r, g, b, 235 * value(i * cells + cells - 1 - j)], 4 * (j * cells + i));
    }
  context.putImageData(image, 0, 0);
}

/**
 * In one line, or in two where that is too wide.
 * @type {(context: Context, box: { left: number, top: number, width: number }, words: string[], colors: Colors) => void}
 */
function label(context, { left, top, width }, words, colors) {
  context.font = "12px system-ui, sans-serif";
  /** @param {string} line */
  const wide = (line) => context.measureText(line).width + 16;
  const one = words.join("; ");
  const lines = wide(one) <= width ? [one] : words;
  context.fillStyle = colors.panel;
  context.fillRect(left, top, Math.max(...lines.map(wide)), 6 + 16 * lines.length);
  context.fillStyle = colors.ink;
  for (const [k, line] of lines.entries()) context.fillText(line, left + 8, top + 15 + 16 * k);
}
