// Canvases: their size on the screen, and pictures from 8-bit images.
import { element } from "./dom.js";

/** @typedef {{ context: CanvasRenderingContext2D, width: number, height: number, ratio: number }} Drawing */

/**
 * What paints on a canvas.
 * @param {HTMLCanvasElement} canvas
 * @returns {CanvasRenderingContext2D}
 */
export function contextOf(canvas) {
  const context = canvas.getContext("2d");
  if (!context) throw new Error("this browser has no 2-D canvas");
  return context;
}

/**
 * Size a canvas to its box and the screen's pixels; returns its context and size in CSS pixels.
 * @param {HTMLCanvasElement} canvas
 * @returns {Drawing}
 */
export function fit(canvas) {
  const ratio = window.devicePixelRatio || 1;
  const box = canvas.getBoundingClientRect();
  const [width, height] = [box.width, box.height].map((size) => Math.max(1, size)); // 0 before it is laid out
  const [w, h] = [width, height].map((size) => Math.max(1, Math.round(size * ratio)));
  if (canvas.width !== w || canvas.height !== h) [canvas.width, canvas.height] = [w, h];
  const context = contextOf(canvas);
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height, ratio };
}

/**
 * Image k among 8-bit images [C, H, W] that follow each other, on a canvas of its own size.
 * @param {Uint8Array} source
 * @param {number[]} shape
 * @param {number} [k]
 * @param {HTMLCanvasElement} [canvas]
 */
export function pixels(source, [channels, rows, columns], k = 0, canvas = element("canvas")) {
  const from = k * channels * rows * columns;
  [canvas.width, canvas.height] = [columns, rows];
  const context = contextOf(canvas);
  const image = context.createImageData(columns, rows);
  for (let p = 0; p < rows * columns; p++) {
    for (let c = 0; c < 3; c++) image.data[4 * p + c] = source[from + (channels === 3 ? c * rows * columns : 0) + p];
    image.data[4 * p + 3] = 255;
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

/**
 * An empty sheet of paper of that size, in device pixels.
 * @param {number} width
 * @param {number} height
 * @param {import("./types.d.ts").Colors} colors
 */
export function paper(width, height, colors) {
  const canvas = element("canvas", { width, height });
  const context = contextOf(canvas);
  context.fillStyle = colors.bg;
  context.fillRect(0, 0, canvas.width, canvas.height);
  return { canvas, context };
}
