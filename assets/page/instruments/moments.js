// The moments of one step of the stochastic sampler: fresh noise, the direction to D(x; σ), Euler, the correction.
import { pixels } from "../shared/canvas.js";
import { css } from "../shared/colors.js";
import { write } from "../shared/mathematics.js";
import { lerp, number } from "../shared/numbers.js";

/** @typedef {import("../shared/types.d.ts").Colors} Colors */
/** @typedef {import("../shared/canvas.js").Drawing} Drawing */
/** @typedef {CanvasRenderingContext2D} Context */
/** @typedef {[number, number]} Point */
/** @typedef {Float32Array | Uint8Array} Values */
/** @typedef {{ name: string, title: string, note: string, sigma: number, x: Values, denoised: Values }} Moment */
/** @typedef {{ kind: "step", shape: number[], count: number, moments: Moment[], data: Float32Array, sigmaData: number }} Step */

const REACH = 2.4; // half height of the picture in units of √(σ̂² + σ_data²)
const SHOWN = 3; // images
const BOLD = 3; // particles whose way is drawn strong
/** @type {Record<string, string>} */
const COLOR = { noise: "noise", denoised: "data", euler: "ink", corrected: "c3" };
/** @type {Record<string, string>} */
const WORDS = { noise: "fresh noise", denoised: "towards D(x; σ)", euler: "Euler", corrected: "corrected" };

/**
 * The ways of all particles, as far as they are reached.
 * @param {Drawing} drawing
 * @param {Step} step
 * @param {number} reached  A moment, and a share of the way to the next.
 * @param {Colors} colors
 */
export function paintPoints({ context, width, height }, { moments, count, data, sigmaData }, reached, colors) {
  const whole = Math.floor(reached);
  const share = ease(reached - whole);
  const highest = Math.max(...moments.map(({ sigma }) => sigma));
  const unit = Math.min(width, height) / 2 / (REACH * Math.hypot(highest, sigmaData));
  /** @type {(values: Values, k: number) => Point} */
  const place = (values, k) => [width / 2 + values[2 * k] * unit, height / 2 - values[2 * k + 1] * unit];
  context.fillStyle = colors.data;
  context.globalAlpha = 0.3;
  for (let k = 0; k < data.length / 2; k++) {
    const [x, y] = place(data, k);
    context.fillRect(x - 1, y - 1, 2, 2);
  }
  for (let k = count - 1; k >= 0; k--) {
    const points = moments.map(({ x }) => place(x, k));
    paintWay(context, moments, points, k < BOLD, [whole, share], colors);
  }
  context.globalAlpha = 1;
  paintLegend(context, moments, colors);
}

/**
 * What one particle has done so far.
 * @param {Context} context
 * @param {Moment[]} moments
 * @param {Point[]} points  Where it is at each.
 * @param {boolean} strong
 * @param {[number, number]} reached
 * @param {Colors} colors
 */
function paintWay(context, moments, points, strong, [whole, share], colors) {
  const hat = moments[1]?.name === "noise" ? 1 : 0; // they come one by one
  let head = points[0];
  context.lineWidth = strong ? 2.4 : 1;
  moments.forEach(({ name }, i) => {
    const f = i <= whole ? 1 : i === whole + 1 ? share : 0;
    if (i === 0 || f === 0) return;
    const hint = name === "denoised"; // the way to D is a hint of direction
    const from = name === "noise" ? points[0] : points[hat];
    /** @type {Point} */
    const to = [lerp(from[0], points[i][0], f), lerp(from[1], points[i][1], f)];
    context.strokeStyle = css(colors, COLOR[name]);
    context.globalAlpha = (strong ? 1 : 0.5) * (hint ? 0.45 : 1);
    context.setLineDash(hint ? [3, 4] : []);
    arrow(context, from, to, hint ? 0 : strong ? 7 : 4);
    if (!hint) head = to;
  });
  context.setLineDash([]);
  context.globalAlpha = strong ? 1 : 0.75;
  context.fillStyle = colors.noise;
  context.beginPath();
  context.arc(...head, strong ? 4.5 : 2.2, 0, 7);
  context.fill();
  if (!strong) return;
  context.strokeStyle = colors.ink;
  context.lineWidth = 1.5;
  context.stroke();
}

/** @type {(context: Context, moments: Moment[], colors: Colors) => void} */
function paintLegend(context, moments, colors) {
  context.font = "12px system-ui, sans-serif";
  context.textAlign = "left";
  moments.slice(1).forEach(({ name }, i) => {
    const y = 16 + 18 * i;
    const hint = name === "denoised";
    context.strokeStyle = css(colors, COLOR[name]);
    context.lineWidth = 2;
    context.setLineDash(hint ? [3, 4] : []);
    arrow(context, [6, y - 4], [34, y - 4], hint ? 0 : 5);
    context.setLineDash([]);
    context.fillStyle = colors.mute;
    context.fillText(WORDS[name], 42, y);
  });
}

/**
 * A column for each moment, x above D.
 * @param {Drawing} drawing
 * @param {Step} step
 * @param {HTMLCanvasElement} tile
 * @param {Colors} colors
 */
export function paintImages({ context, width, height }, { moments, count, shape }, tile, colors) {
  const [left, top, gap] = [92, 44, 6];
  const rows = Math.min(count, SHOWN);
  const size = Math.min((height - top) / (2 * rows) - gap, (width - left) / moments.length - 14);
  context.imageSmoothingEnabled = false;
  context.font = "12px system-ui, sans-serif";
  /** @type {(source: Values, k: number, x: number, y: number) => void} */
  const image = (source, k, x, y) =>
    context.drawImage(pixels(/** @type {Uint8Array} */ (source), shape, k, tile), x, y, size, size);
  moments.forEach(({ title, sigma, x, denoised }, i) => {
    const column = left + i * (size + 14);
    context.textAlign = "center";
    context.fillStyle = colors.ink;
    write(context, title, column + size / 2, 16);
    context.fillStyle = colors.mute;
    context.fillText(`σ = ${number(Number(sigma.toPrecision(3)))}`, column + size / 2, 32);
    for (let k = 0; k < rows; k++) {
      const y = top + k * 2 * (size + gap);
      image(x, k, column, y);
      if (sigma > 0) image(denoised, k, column, y + size);
    }
  });
  context.textAlign = "right";
  context.fillStyle = colors.mute;
  for (let k = 0; k < rows; k++) {
    context.fillText("x", left - 10, top + k * 2 * (size + gap) + size / 2 + 4);
    context.fillText("D(x; σ)", left - 10, top + k * 2 * (size + gap) + size * 1.5 + 4);
  }
}

/** @param {number} f */
const ease = (f) => f * f * (3 - 2 * f);

/**
 * A line with a head of that size, 0 for none; short ones have none.
 * @type {(context: Context, from: Point, to: Point, head: number) => void}
 */
function arrow(context, [x, y], [u, v], head) {
  const length = Math.hypot(u - x, v - y);
  context.beginPath();
  context.moveTo(x, y);
  context.lineTo(u, v);
  if (head && length > head) {
    const [a, b] = [((u - x) / length) * head, ((v - y) / length) * head];
    context.moveTo(u - a - b * 0.5, v - b + a * 0.5);
    context.lineTo(u, v);
    context.lineTo(u - a + b * 0.5, v - b - a * 0.5);
  }
  context.stroke();
}
