// The stage of an image model: a grid that emerges from noise, and the film strip of one image.
import { fit, pixels } from "../canvas.js";
import { element } from "../dom.js";
import { bracket, sigmaAt } from "../levels.js";
import { write } from "../mathematics.js";
import { clamp, number } from "../numbers.js";
import { continued, uint8 } from "../packed.js";
import { fontOf } from "./legend.js";

/** @typedef {import("../types.d.ts").Colors} Colors */
/** @typedef {import("../types.d.ts").Result} Result */
/** @typedef {{ x: number, y: number, size: number }} Tile */

const STRIP_FRAMES = 12; // at most
const FRAME = 36; // pixels of the width that each of them has at least
const TOP = 38; // room for the switches
const BESIDE = 150; // pixels beside a film strip for the nearest training image and its name, and the share at most
const SHARE = 0.3;
const NAMED = 560; // of a width from which on there is room for words beside the switches
const CORNER = 44; // of the stage's own button, at the upper right
const LABELS = 66; // pixels at the left of a film strip

export class Images {
  /** What it shows is told there. */
  static sheet = "images";
  /** @type {import("../types.d.ts").Switch[]} */
  static switches = [
    [
      "show",
      { "": "x", denoised: "D(x; σ)" },
      "The noisy state at constant contrast, or what the denoiser makes of it. Click an image for its film strip",
    ],
  ];

  /** @type {Result | null} */
  result = null;
  /** @type {Tile[]} */
  tiles = [];
  x = new Uint8Array();
  denoised = new Uint8Array();
  #atlas = element("canvas");
  #low = element("canvas");

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {import("../types.d.ts").StageOptions} options
   */
  constructor(canvas, options) {
    this.canvas = canvas;
    this.options = options;
    canvas.addEventListener("click", (event) => this.#click(event));
    canvas.addEventListener("keydown", (event) => this.#key(event));
    canvas.addEventListener("pointermove", (event) => this.#name(event));
  }

  /** @param {Result} result */
  setResult(result) {
    const { run } = result;
    const known = (run.since ?? 0) * run.count * run.shape.reduce((product, size) => product * size, 1);
    this.result = result;
    this.x = continued(this.x, known, uint8(run.x));
    this.denoised = continued(this.denoised, known, uint8(run.denoised ?? ""));
  }

  get count() {
    return this.result?.run.count ?? 0;
  }

  /** The image whose film strip is shown, or null. */
  get selected() {
    const { selected } = this.options.view;
    return selected == null ? null : clamp(Number(selected), 0, this.count - 1);
  }

  /**
   * Image k of state j as pixels on a small canvas of its own.
   * @type {(result: Result, source: Uint8Array, j: number, k: number) => HTMLCanvasElement}
   */
  #tile({ run: { count, shape } }, source, j, k) {
    return pixels(source, shape, j * count + k, this.#atlas);
  }

  /**
   * @param {number} u
   * @param {Colors} colors
   */
  draw(u, colors) {
    const { context, width, height } = fit(this.canvas);
    const { result, selected } = this;
    if (!result) return;
    const { run } = result;
    const [j, next, f] = bracket(run, u);
    const state = f < 0.5 ? j : next;
    const ahead = u > run.index[run.index.length - 1]; // of what is computed yet: D of its last state is the best guess
    const source = ahead || this.options.view.show === "denoised" ? this.denoised : this.x;
    const strip = selected == null ? 0 : Math.min(250, height * 0.32);
    const top = this.options.contain ? 0 : TOP;
    this.tiles = layout(run.count, { width, height: height - strip - top, top }, result.low ? 1.5 : 1);
    context.imageSmoothingEnabled = false;
    this.tiles.forEach(({ x, y, size }, k) => {
      context.drawImage(this.#tile(result, source, state, k), x, y, size, size);
      this.#drawLow(context, result, k, { x: x - size / 2, y, size: size / 2 });
      context.strokeStyle = k === selected ? colors.noise : colors.line;
      context.lineWidth = k === selected ? 3 : 1;
      context.strokeRect(x - 0.5, y - 0.5, size + 1, size + 1);
    });
    if (result.low && top && width >= NAMED) this.#nameLow(context, width, colors);
    if (selected != null) this.#drawStrip(context, result, selected, { width, height, strip }, u, colors);
  }

  /**
   * Of a cascade, beside image k the low-resolution one of which it was made, and below that the same with its noise.
   * @type {(context: CanvasRenderingContext2D, result: Result, k: number, place: Tile) => void}
   */
  #drawLow(context, { low }, k, { x, y, size }) {
    if (!low) return;
    for (const [row, images] of [low.images, low.noised].entries())
      context.drawImage(pixels(uint8(images), low.shape, k, this.#low), x, y + row * size, size - 2, size - row);
  }

  /** @type {(context: CanvasRenderingContext2D, width: number, colors: Colors) => void} */
  #nameLow(context, width, colors) {
    context.font = fontOf(colors);
    context.fillStyle = colors.mute;
    context.textAlign = "right";
    write(context, "at its left: in low resolution, and that with noise σ_c", width - CORNER, TOP - 16);
  }

  /**
   * One image at levels spread over the run: x above, D(x; σ) below.
   * @param {CanvasRenderingContext2D} context
   * @param {Result} result
   * @param {number} k
   * @param {{ width: number, height: number, strip: number }} room  strip: pixels at the bottom.
   * @param {number} u
   * @param {Colors} colors
   */
  #drawStrip(context, result, k, { width, height, strip }, u, colors) {
    const { run, levels } = result;
    const last = run.index.length - 1;
    const beside = result.nearest ? Math.min(BESIDE * colors.type, SHARE * width) : 0;
    const most = clamp(Math.floor((width - LABELS - beside) / FRAME), 2, STRIP_FRAMES);
    const spread = Array.from({ length: most }, (_, i) => Math.round((i / (most - 1)) * last));
    const frames = [...new Set(spread)];
    const under = 18 * colors.type; // of the levels
    const size = Math.min((strip - 16 - under) / 2, (width - LABELS - beside) / frames.length - 6);
    const left = (width - LABELS - beside - frames.length * (size + 6)) / 2 + LABELS;
    const top = height - strip + 14;
    context.fillStyle = colors.mute;
    context.font = fontOf(colors);
    const right = { x: left + frames.length * (size + 6) + 14, y: top, size };
    if (beside) this.#drawNearest(context, result, k, right, beside - 20, colors);
    context.textAlign = "right";
    context.fillText("x", left - 10, top + size / 2 + 4);
    context.fillText("D(x; σ)", left - 10, top + size * 1.5 + 8);
    context.fillText("σ =", left - 10, top + 2 * size + under);
    context.textAlign = "center";
    const reached = frames.findLastIndex((j) => run.index[j] <= u);
    frames.forEach((j, i) => {
      const x = left + i * (size + 6);
      context.drawImage(this.#tile(result, this.x, j, k), x, top, size, size);
      context.drawImage(this.#tile(result, this.denoised, j, k), x, top + size + 4, size, size);
      context.fillStyle = colors.ink;
      if (i === reached) context.fillRect(x, top + 2 * size + 6, size, 2);
    });
    const sigmas = frames.map((j) => number(Number(sigmaAt(levels, run.index[j]).toPrecision(2))));
    /** @param {number} i */
    const middle = (i) => left + i * (size + 6) + size / 2;
    paintNumbers(context, sigmas, reached, middle, top + 2 * size + under, colors);
  }

  /** Its switches say what it shows. @returns {import("./legend.js").Entry[]} */
  legend() {
    return [];
  }

  /**
   * The training image that is nearest to image k, and what it is called.
   * @param {CanvasRenderingContext2D} context
   * @param {Result} result
   * @param {number} k
   * @param {Tile} place
   * @param {number} width  Of the words.
   * @param {Colors} colors
   */
  #drawNearest(context, { run, nearest }, k, { x, y, size }, width, colors) {
    if (!nearest) return;
    context.drawImage(pixels(uint8(nearest.images), run.shape, k, this.#atlas), x, y, size, size);
    context.fillStyle = colors.mute;
    context.textAlign = "left";
    context.fillText("nearest in training", x, y + size + 2 + 14 * colors.type, width);
    context.fillText(nearest.copies[k] ? "a copy of it" : "no copy of it", x, y + size + 2 + 42 * colors.type, width);
    context.fillStyle = colors.ink;
    context.fillText(nearest.names[k], x, y + size + 2 + 28 * colors.type, width);
    context.fillStyle = colors.mute;
  }

  /**
   * Which image is at a place of the page; -1: none.
   * @param {MouseEvent} event
   */
  #at(event) {
    const box = this.canvas.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    return this.tiles.findIndex((t) => x >= t.x && x <= t.x + t.size && y >= t.y && y <= t.y + t.size);
  }

  /**
   * What the image under the mouse is called, or the training image that is nearest to it.
   * @param {MouseEvent} event
   */
  #name(event) {
    const { nearest } = this.result ?? {};
    const hit = nearest ? this.#at(event) : -1;
    const title =
      nearest && hit >= 0 ? `${nearest.copies[hit] ? "" : "nearest in training: "}${nearest.names[hit]}` : "";
    if (this.canvas.title !== title) this.canvas.title = title;
  }

  /** @param {MouseEvent} event */
  #click(event) {
    const hit = this.#at(event);
    this.options.onSelect?.(hit < 0 || hit === this.selected ? null : hit);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.key === "Escape") this.options.onSelect?.(null);
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step || !this.result) return;
    event.preventDefault();
    this.options.onSelect?.(clamp((this.selected ?? -step) + step, 0, this.count - 1));
  }
}

/**
 * Numbers in a row; those that have no room beside others are left out, but never the one that is reached.
 * @type {(context: CanvasRenderingContext2D, texts: string[], reached: number, middle: (i: number) => number, y: number, colors: Colors) => void}
 */
function paintNumbers(context, texts, reached, middle, y, colors) {
  /** @type {[number, number][]} */
  const taken = [];
  for (const i of new Set([reached, ...texts.keys()])) {
    context.font = i === reached ? `bold ${fontOf(colors)}` : fontOf(colors);
    const half = context.measureText(texts[i]).width / 2 + 2;
    const [from, to] = [middle(i) - half, middle(i) + half];
    if (taken.some(([start, end]) => from < end && start < to)) continue;
    taken.push([from, to]);
    context.fillStyle = i === reached ? colors.ink : colors.mute;
    context.fillText(texts[i], middle(i), y);
  }
}

/**
 * Squares as large as fit, in as many columns as that takes. wide: of each with what stands at its left, in its sides.
 * @param {number} count
 * @param {{ width: number, height: number, top: number }} room
 * @param {number} wide
 * @returns {Tile[]}
 */
function layout(count, { width, height, top: above }, wide) {
  const gap = 8;
  let best = { size: 0, columns: 1, rows: 1, full: 1 };
  for (let columns = 1; columns <= count; columns++) {
    const rows = Math.ceil(count / columns);
    const size = Math.floor(Math.min(((width - gap) / columns - gap) / wide, (height - gap) / rows - gap));
    const full = rows * columns === count ? 1.3 : 1; // prefer grids without a ragged row
    if (size * full > best.size * best.full) best = { size, columns, rows, full };
  }
  const size = Math.max(best.size, 1);
  const across = size * wide + gap;
  const left = (width - best.columns * across + gap) / 2 + size * (wide - 1);
  const top = (height - best.rows * (size + gap) + gap) / 2;
  return Array.from({ length: count }, (_, k) => ({
    x: left + (k % best.columns) * across,
    y: above + top + Math.floor(k / best.columns) * (size + gap),
    size,
  }));
}
