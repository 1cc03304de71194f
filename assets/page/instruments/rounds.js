// Noise added and taken away, again and again: a row for each strength, a column for each round.
import { pixels } from "../shared/canvas.js";
import { css } from "../shared/colors.js";
import { write } from "../shared/mathematics.js";
import { clamp } from "../shared/numbers.js";

/** @typedef {import("../shared/types.d.ts").Colors} Colors */
/** @typedef {CanvasRenderingContext2D} Context */
/** @typedef {Float32Array | Uint8Array} Values */
/** @typedef {{ x: Values, denoised: Values }} Pair */
/** @typedef {{ title: string, color: string, rounds: (Pair & { index: number })[] }} Row */
/** @typedef {{ kind: "rounds", shape: number[], count: number, rows: Row[], columns: number[], reach: number }} Rounds */

const [LEFT, TOP, GAP] = [104, 22, 6]; // pixels for the titles of rows, and of columns, and between pictures
const NARROWEST = 74; // pixels of a column

/**
 * Which rounds are shown in that width, how wide a column is, and how large a picture.
 * @param {Rounds} rounds
 * @param {number} width
 */
function arranged({ rows, columns, shape, count }, width) {
  const points = shape.length === 1;
  const across = points ? 1 : count;
  const skip = Math.ceil((columns.length * NARROWEST) / (width - LEFT));
  const shown = columns.filter((_, i) => i === 0 || (columns.length - 1 - i) % skip === 0);
  const step = (width - LEFT) / shown.length;
  const lines = rows.length * (points ? 1 : 2); // an image's x and D one below the other
  return { points, across, lines, shown, step, size: (step - 12) / across };
}

/** @type {(rounds: Rounds, width: number) => number} */
export function heightOfRounds(rounds, width) {
  const { lines, size } = arranged(rounds, width);
  return TOP + lines * (size + GAP);
}

/**
 * @param {import("../shared/canvas.js").Drawing} drawing
 * @param {Rounds} rounds
 * @param {HTMLCanvasElement} tile
 * @param {Colors} colors
 */
export function paintRounds({ context, width, height }, rounds, tile, colors) {
  const { rows, shape, count, reach } = rounds;
  const { points, across, lines, shown, step, size: widest } = arranged(rounds, width);
  const size = Math.min(widest, (height - TOP) / lines - GAP);
  /** @type {(source: Values, k: number, x: number, y: number) => void} */
  const image = (source, k, x, y) =>
    context.drawImage(pixels(/** @type {Uint8Array} */ (source), shape, k, tile), x, y, size - 2, size - 2);
  context.imageSmoothingEnabled = false;
  context.font = "12px system-ui, sans-serif";
  context.textAlign = "center";
  context.fillStyle = colors.mute;
  shown.forEach((index, i) => {
    context.fillText(index === 0 ? "start" : `${index}`, LEFT + i * step + (size * across) / 2, 14);
  });
  rows.forEach(({ title, color, rounds: pairs }, r) => {
    const y = TOP + (r * lines * (size + GAP)) / rows.length;
    context.fillStyle = css(colors, color);
    context.fillRect(LEFT - 8, y, 3, (lines / rows.length) * (size + GAP) - GAP - 2);
    context.textAlign = "right";
    context.fillStyle = colors.ink;
    write(context, title, LEFT - 14, y + 12);
    context.fillStyle = colors.mute;
    context.fillText(points ? "x and D" : "x", LEFT - 14, y + Math.max(28, size / 2 + 4));
    if (!points) context.fillText("D(x; σ)", LEFT - 14, y + size * 1.5 + 4);
    for (const { index, ...pair } of pairs) {
      if (!shown.includes(index)) continue;
      const x = LEFT + shown.indexOf(index) * step;
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
