// Noise added and taken away, again and again: a row for each strength, a column for each round.
import { pixels } from "../shared/canvas.js";
import { css } from "../shared/colors.js";
import { clamp } from "../shared/numbers.js";

/** @typedef {import("../shared/types.d.ts").Colors} Colors */
/** @typedef {CanvasRenderingContext2D} Context */
/** @typedef {Float32Array | Uint8Array} Values */
/** @typedef {{ x: Values, denoised: Values }} Pair */
/** @typedef {{ title: string, color: string, rounds: (Pair & { index: number })[] }} Row */
/** @typedef {{ kind: "rounds", shape: number[], count: number, rows: Row[], columns: number[], reach: number }} Rounds */

/**
 * @param {import("../shared/canvas.js").Drawing} drawing
 * @param {Rounds} rounds
 * @param {HTMLCanvasElement} tile
 * @param {Colors} colors
 */
export function paintRounds({ context, width, height }, { rows, columns, shape, count, reach }, tile, colors) {
  const points = shape.length === 1;
  const [left, top, gap] = [104, 22, 6];
  const lines = rows.length * (points ? 1 : 2); // an image's x and D one below the other
  const across = points ? 1 : count;
  const size = Math.min((height - top) / lines - gap, ((width - left) / columns.length - 12) / across);
  const step = Math.min((width - left) / columns.length, size * across + 24);
  /** @type {(source: Values, k: number, x: number, y: number) => void} */
  const image = (source, k, x, y) =>
    context.drawImage(pixels(/** @type {Uint8Array} */ (source), shape, k, tile), x, y, size - 2, size - 2);
  context.imageSmoothingEnabled = false;
  context.font = "12px system-ui, sans-serif";
  context.textAlign = "center";
  context.fillStyle = colors.mute;
  columns.forEach((index, i) => {
    context.fillText(index === 0 ? "start" : `${index}`, left + i * step + (size * across) / 2, 14);
  });
  rows.forEach(({ title, color, rounds }, r) => {
    const y = top + (r * lines * (size + gap)) / rows.length;
    context.textAlign = "right";
    context.fillStyle = css(colors, color);
    context.fillText(title, left - 10, y + 14);
    context.fillStyle = colors.mute;
    context.fillText(points ? "x and D" : "x", left - 10, y + size / 2 + 10);
    if (!points) context.fillText("D(x; σ)", left - 10, y + size * 1.5 + gap);
    for (const { index, ...pair } of rounds) {
      const x = left + columns.indexOf(index) * step;
      if (points) scatter(context, pair, x, y, size, reach, colors);
      else
        for (let k = 0; k < count; k++) {
          image(pair.x, k, x + k * size, y);
          image(pair.denoised, k, x + k * size, y + size);
        }
    }
  });
}

/** @type {(context: Context, pair: Pair, left: number, top: number, size: number, reach: number, colors: Colors) => void} */
function scatter(context, { x, denoised }, left, top, size, reach, colors) {
  const unit = size / 2 / reach;
  context.strokeStyle = colors.line;
  context.lineWidth = 1;
  context.strokeRect(left + 0.5, top + 0.5, size - 1, size - 1);
  context.globalAlpha = 0.7;
  /** @type {(values: Values, color: string) => void} */
  const dots = (values, color) => {
    context.fillStyle = color;
    for (let k = 0; k < values.length; k += 2) {
      const [u, v] = [values[k] * unit, values[k + 1] * unit].map((p) => clamp(p, -size / 2 + 1, size / 2 - 1));
      context.fillRect(left + size / 2 + u - 0.8, top + size / 2 - v - 0.8, 1.6, 1.6);
    }
  };
  dots(x, colors.noise);
  dots(denoised, colors.data);
  context.globalAlpha = 1;
}
