// Samples of a model that learns, on a canvas: a grid of pictures, or points over their data with the flow's arrows.
import { element } from "./dom.js";
import { paintShade, splat } from "./stages/shade.js";
import { WINDOW } from "./stages/window.js";

const ROWS = 110; // of the shading
const shade = element("canvas");

/** @typedef {import("./canvas.js").Drawing} Drawing */
/** @typedef {import("./types.d.ts").Colors} Colors */
/** @typedef {(a: number, b: number) => [number, number]} Place */

/**
 * In as many columns as the square root of `count`.
 * @param {Drawing} drawing
 * @param {number} count
 * @param {Colors} colors
 * @param {(k: number, x: number, y: number, size: number) => void} paint  Draws one.
 */
export function paintGrid({ context, width, height }, count, colors, paint) {
  const columns = Math.ceil(Math.sqrt(count));
  const rows = Math.ceil(count / columns);
  const gap = 6;
  const size = Math.floor(Math.min((width - gap) / columns, (height - gap) / rows) - gap);
  const [left, top] = [(width - columns * (size + gap)) / 2, (height - rows * (size + gap)) / 2];
  context.imageSmoothingEnabled = false;
  for (let k = 0; k < count; k++) {
    const [x, y] = [left + (k % columns) * (size + gap), top + Math.floor(k / columns) * (size + gap)];
    paint(k, x, y, size);
    context.strokeStyle = colors.line;
    context.strokeRect(x - 0.5, y - 0.5, size + 1, size + 1);
  }
}

/**
 * Points, one or two coordinates each, over the density of their data or points of it, with the flow's arrows.
 * @param {Drawing} drawing
 * @param {object} cloud
 * @param {Float32Array} cloud.x
 * @param {number} cloud.dimension
 * @param {import("./types.d.ts").Component[] | null} [cloud.components]
 * @param {Float32Array | null} [cloud.data]
 * @param {import("./types.d.ts").Field | null} [cloud.field]
 * @param {Colors} colors
 */
export function paintCloud({ context, width, height }, { x, dimension, components, data, field }, colors) {
  const unit = Math.min(width, height) / 2 / WINDOW;
  /** @type {Place} */
  const place = (a, b) => [width / 2 + a * unit, height / 2 - b * unit];
  if (components && dimension === 2) {
    const columns = Math.round((ROWS * width) / height);
    const values = splat(components, 0, columns, ROWS, width / 2 / unit, height / 2 / unit);
    paintShade(shade, values, columns, ROWS, colors.dataRgb, 0.5);
    context.drawImage(shade, 0, 0, width, height);
  }
  /** @type {(points: Float32Array, color: string, size: number) => void} */
  const dots = (points, color, size) => {
    context.fillStyle = color;
    for (let k = 0; k < points.length; k += dimension) {
      const [px, py] = place(points[k], dimension > 1 ? points[k + 1] : 0);
      context.fillRect(px - size / 2, py - size / 2, size, size);
    }
  };
  if (data) dots(data, colors.data, 4);
  dots(x, colors.noise, 3);
  if (field) quiver(context, field, place, colors);
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {import("./types.d.ts").Field} field
 * @param {Place} place
 * @param {Colors} colors
 */
function quiver(context, { positions, arrows }, place, colors) {
  context.strokeStyle = colors.mute;
  context.beginPath();
  for (let k = 0; k < positions.length; k += 2) {
    const [px, py] = place(positions[k], positions[k + 1]);
    const [dx, dy] = [arrows[k], -arrows[k + 1]];
    const length = (14 * Math.min(1, Math.hypot(dx, dy))) / (Math.hypot(dx, dy) || 1);
    context.moveTo(px, py);
    context.lineTo(px + dx * length, py + dy * length);
    context.rect(px - 0.75, py - 0.75, 1.5, 1.5);
  }
  context.stroke();
}
