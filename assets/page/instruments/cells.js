// A grid of cells with its axes: in each a picture, or a number on a scale of shades; or one row of numbers as a curve.
import { pixels } from "../shared/canvas.js";
import { translucent } from "../shared/colors.js";
import { element } from "../shared/dom.js";
import { write } from "../shared/mathematics.js";
import { clamp } from "../shared/numbers.js";
import { float32, uint8 } from "../shared/packed.js";

/** @typedef {import("../shared/types.d.ts").Colors} Colors */
/** @typedef {import("../shared/messages.d.ts").Cell} Cell */
/** @typedef {{ row: number, column: number }} Place */
/** @typedef {[number, number, number, number]} Box  Left, top, width and height in CSS pixels. */
/** @typedef {CanvasRenderingContext2D} Context */

const MARGIN = { left: 86, top: 22, right: 10, bottom: 40 };
const REACH = 1.3; // half width of a cell's picture of points, in the data's units
const atlas = element("canvas");

export class Cells {
  /** @type {Map<string, Cell>} */
  #cells = new Map();
  width = 0;
  height = 0;

  /** @param {import("../shared/messages.d.ts").Sweep} body */
  constructor({ axes, cells, curve, shape }) {
    this.axes = axes;
    this.curve = curve;
    this.shape = shape;
    for (const cell of cells) this.#cells.set(`${cell.row},${cell.column}`, cell);
  }

  /** Of those that are known. */
  get count() {
    return this.#cells.size;
  }

  /** @param {Place} place */
  find({ row, column }) {
    return this.#cells.get(`${row},${column}`);
  }

  /**
   * @param {Place} place
   * @returns {Box}
   */
  box({ row, column }) {
    const { x, y } = this.axes;
    const w = (this.width - MARGIN.left - MARGIN.right) / x.values.length;
    const h = (this.height - MARGIN.top - MARGIN.bottom) / y.values.length;
    return [MARGIN.left + column * w, MARGIN.top + row * h, w, h];
  }

  /**
   * The cell at a pixel, or null.
   * @type {(x: number, y: number) => Place | null}
   */
  at(x, y) {
    const [, , w, h] = this.box({ row: 0, column: 0 });
    const place = { row: Math.floor((y - MARGIN.top) / h), column: Math.floor((x - MARGIN.left) / w) };
    const inside = place.row < this.axes.y.values.length && place.column < this.axes.x.values.length;
    return place.row >= 0 && place.column >= 0 && inside ? place : null;
  }

  /**
   * @param {import("../shared/canvas.js").Drawing} drawing
   * @param {Place | null} pointed
   * @param {Colors} colors
   */
  paint({ context, width, height }, pointed, colors) {
    [this.width, this.height] = [width, height];
    const { x, y } = this.axes;
    const values = [...this.#cells.values()].flatMap(({ value }) =>
      value != null && value > 0 ? Math.log(value) : [],
    );
    const [low, high] = [Math.min(...values), Math.max(...values)];
    /** @param {number} value */
    const share = (value) => (high > low ? (Math.log(Math.max(value, 1e-300)) - low) / (high - low) : 0);
    for (const row of y.values.keys())
      for (const column of x.values.keys()) {
        const marked = pointed?.row === row && pointed.column === column;
        this.#paintCell(context, { row, column }, share, marked, colors);
      }
    if (this.curve) this.#paintCurve(context, colors);
    this.#paintLabels(context, colors);
  }

  /** @type {(width: number, least: number) => boolean} Whether a cell is narrower than that. */
  crowded(width, least) {
    return (width - MARGIN.left - MARGIN.right) / this.axes.x.values.length < least && width < 600;
  }

  /**
   * One cell alone, as large as there is room.
   * @param {import("../shared/canvas.js").Drawing} drawing
   * @param {Place} place
   * @param {Colors} colors
   */
  paintOne({ context, width, height }, place, colors) {
    const cell = this.find(place);
    const side = Math.min(width, height) - 8;
    const [left, top] = [(width - side) / 2, (height - side) / 2];
    context.fillStyle = colors.panel;
    context.fillRect(left, top, side, side);
    context.strokeStyle = colors.line;
    context.strokeRect(left + 0.5, top + 0.5, side - 1, side - 1);
    if (cell?.samples) this.#paintSamples(context, cell.samples, cell.count ?? 0, [left, top, side, side], colors);
    context.textAlign = "center";
    context.fillStyle = colors.ink;
    context.font = "600 40px system-ui, sans-serif";
    if (cell?.value != null) context.fillText(cell.value.toPrecision(3), left + side / 2, top + side / 2);
    context.font = "14px system-ui, sans-serif";
    context.fillStyle = colors.mute;
    if (cell?.low != null && cell.high != null)
      context.fillText(
        `${cell.low.toPrecision(3)} … ${cell.high.toPrecision(3)}`,
        left + side / 2,
        top + side / 2 + 28,
      );
    if (!cell) context.fillText("not computed yet", left + side / 2, top + side / 2);
    else if (cell.problem) context.fillText("these settings do not go together", left + side / 2, top + side / 2);
  }

  /** @type {(context: Context, place: Place, share: (value: number) => number, marked: boolean, colors: Colors) => void} */
  #paintCell(context, place, share, marked, colors) {
    const [left, top, w, h] = this.box(place);
    const cell = this.find(place);
    context.fillStyle = colors.panel;
    context.fillRect(left + 1, top + 1, w - 2, h - 2);
    context.strokeStyle = colors.line;
    context.lineWidth = 1;
    context.strokeRect(left + 1.5, top + 1.5, w - 3, h - 3);
    if (cell?.samples) this.#paintSamples(context, cell.samples, cell.count ?? 0, [left, top, w, h], colors);
    else if (cell?.value != null && !this.curve) {
      context.fillStyle = translucent(colors.noiseRgb, 0.08 + 0.8 * clamp(share(cell.value), 0, 1));
      context.fillRect(left + 1, top + 1, w - 2, h - 2);
    }
    context.fillStyle = colors.ink;
    context.textAlign = "center";
    context.font = "12px system-ui, sans-serif";
    if (cell?.value != null && w > 34 && !this.curve) paintNumber(context, cell, cell.value, [left, top, w, h]);
    else if (cell?.problem) {
      context.fillStyle = colors.mute;
      context.fillText("—", left + w / 2, top + h / 2 + 4);
    }
    if (!marked) return;
    context.strokeStyle = colors.data;
    context.lineWidth = 2.5;
    context.strokeRect(left + 1, top + 1, w - 2, h - 2);
  }

  /**
   * One knob against a number: a curve through the cells, with its intervals.
   * @type {(context: Context, colors: Colors) => void}
   */
  #paintCurve(context, colors) {
    const points = [...this.#cells.values()]
      .flatMap(({ column, value, low, high }) => (value == null ? [] : { column, value, low, high }))
      .sort((a, b) => a.column - b.column);
    if (!points.length) return;
    const [, top, , h] = this.box({ row: 0, column: 0 });
    const ends = points.flatMap(({ value, low, high }) => [value, low ?? value, high ?? value]);
    const [least, most] = [Math.max(0, Math.min(...ends)), Math.max(...ends)];
    const room = most - least || Math.abs(most) || 1;
    /** @param {number} value */
    const height = (value) => top + h - 24 - ((value - least) / room) * (h - 56);
    context.font = "11px system-ui, sans-serif";
    context.textAlign = "right";
    context.fillStyle = colors.mute;
    for (let k = 0; k <= 4; k++) {
      const value = least + (k / 4) * room;
      context.fillText(String(Number(value.toPrecision(2))), MARGIN.left - 7, height(value) + 4);
      context.fillRect(MARGIN.left, height(value), this.width - MARGIN.left - MARGIN.right, 0.25);
    }
    /** @param {{ column: number }} point */
    const middle = ({ column }) => this.box({ row: 0, column })[0] + this.box({ row: 0, column })[2] / 2;
    context.strokeStyle = context.fillStyle = colors.noise;
    context.lineWidth = 1.5;
    context.beginPath();
    for (const point of points) context.lineTo(middle(point), height(point.value));
    context.stroke();
    for (const { column, value, low, high } of points) {
      const x = middle({ column });
      if (low != null && high != null) {
        context.fillRect(x - 1, height(high), 2, height(Math.max(low, 0)) - height(high));
        for (const end of [low, high]) context.fillRect(x - 6, height(Math.max(end, 0)) - 1, 12, 2);
      }
      context.beginPath();
      context.arc(x, height(value), 4.5, 0, 7);
      context.fill();
    }
  }

  /** @type {(context: Context, samples: string, count: number, box: Box, colors: Colors) => void} */
  #paintSamples(context, samples, count, box, colors) {
    if (this.shape.length === 3) paintTiles(context, uint8(samples), this.shape, count, box);
    else paintDots(context, float32(samples), this.shape[0], box, colors);
  }

  /** @type {(context: Context, colors: Colors) => void} */
  #paintLabels(context, colors) {
    const { x, y } = this.axes;
    context.fillStyle = colors.mute;
    context.font = "11px system-ui, sans-serif";
    const skipX = Math.ceil((34 * x.values.length) / (this.width - MARGIN.left));
    const skipY = Math.ceil((14 * y.values.length) / (this.height - MARGIN.bottom));
    context.textAlign = "center";
    x.values.forEach((value, column) => {
      const [left, , w] = this.box({ row: 0, column });
      if (column % skipX === 0)
        context.fillText(short(context, value, w * skipX - 6), left + w / 2, this.height - MARGIN.bottom + 15);
    });
    context.textAlign = "right";
    y.values.forEach((value, row) => {
      const [, top, , h] = this.box({ row, column: 0 });
      if (row % skipY === 0)
        context.fillText(short(context, value, MARGIN.left - 10), MARGIN.left - 7, top + h / 2 + 4);
    });
    context.fillStyle = colors.ink;
    context.font = "italic 14px Georgia, serif";
    write(context, y.name, MARGIN.left - 7, 14);
    context.textAlign = "center";
    write(context, x.name, MARGIN.left + (this.width - MARGIN.left) / 2, this.height - 6);
  }
}

/** @type {(context: Context, cell: Cell, value: number, box: Box) => void} */
function paintNumber(context, { low, high }, value, [left, top, w, h]) {
  context.fillText(value.toPrecision(2), left + w / 2, top + h / 2 + (high != null ? -2 : 4));
  if (low == null || high == null || h <= 34 || w <= 60) return;
  context.font = "10px system-ui, sans-serif";
  context.fillText(`± ${((high - low) / 2).toPrecision(1)}`, left + w / 2, top + h / 2 + 12);
}

/** @type {(context: Context, source: Uint8Array, shape: number[], count: number, box: Box) => void} */
function paintTiles(context, source, shape, count, [left, top, w, h]) {
  const columns = Math.ceil(Math.sqrt((count * w) / h));
  const side = Math.min((w - 4) / Math.min(columns, count), (h - 4) / Math.ceil(count / columns));
  const used = Math.min(columns, count) * side;
  context.imageSmoothingEnabled = false;
  for (let k = 0; k < count; k++) {
    const x = left + (w - used) / 2 + (k % columns) * side;
    const y = top + 2 + Math.floor(k / columns) * side;
    context.drawImage(pixels(source, shape, k, atlas), x, y, side - 1, side - 1);
  }
}

/** @type {(context: Context, points: Float32Array, dimension: number, box: Box, colors: Colors) => void} */
function paintDots(context, points, dimension, [left, top, w, h], colors) {
  const unit = Math.min(w, h) / 2 / REACH;
  const size = Math.max(1.5, unit / 30);
  context.fillStyle = colors.noise;
  for (let i = 0; i < points.length; i += dimension) {
    const y = dimension > 1 ? points[i + 1] * unit : (((i * 7919) % 31) - 15) * (unit / 25);
    const [px, py] = [points[i] * unit, y];
    if (Math.abs(px) < w / 2 && Math.abs(py) < h / 2)
      context.fillRect(left + w / 2 + px - size / 2, top + h / 2 - py - size / 2, size, size);
  }
}

/** As much of a text as there is room for. @type {(context: Context, text: string, room: number) => string} */
function short(context, text, room) {
  if (context.measureText(text).width <= room) return text;
  let end = text.length;
  while (end > 1 && context.measureText(`${text.slice(0, end)}…`).width > room) end--;
  return `${text.slice(0, end)}…`;
}
