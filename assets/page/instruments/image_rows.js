// The paper's Figure 1: rows of images, each column a noise level.
import { pixels } from "../shared/canvas.js";
import { write } from "../shared/mathematics.js";
import { number } from "../shared/numbers.js";

/** @typedef {{ shape: number[], sigmas: number[], rows: { title: string, images: Uint8Array }[] }} Rows */

const LABELS = 86; // pixels at the left
const GAP = 5;

/** @type {(rows: Rows, width: number) => number} */
export const heightOfRows = ({ sigmas, rows }, width) => ((width - LABELS) / sigmas.length) * rows.length + 22;

/**
 * @param {import("../shared/canvas.js").Drawing} drawing
 * @param {Rows} rows
 * @param {HTMLCanvasElement} tile
 * @param {import("../shared/types.d.ts").Colors} colors
 */
export function paintRows({ context, width, height }, { shape, sigmas, rows }, tile, colors) {
  const size = Math.min((width - LABELS) / sigmas.length - GAP, (height - 26) / rows.length - GAP);
  const left = LABELS + (width - LABELS - sigmas.length * (size + GAP)) / 2;
  context.imageSmoothingEnabled = false;
  context.font = "12px system-ui, sans-serif";
  rows.forEach(({ title, images }, row) => {
    const y = row * (size + GAP);
    context.fillStyle = colors.mute;
    context.textAlign = "right";
    write(context, title, left - 10, y + size / 2 + 4);
    for (const k of sigmas.keys())
      context.drawImage(pixels(images, shape, k, tile), left + k * (size + GAP), y, size, size);
  });
  context.textAlign = "center";
  const below = rows.length * (size + GAP) + 12;
  sigmas.forEach((sigma, k) => {
    const text = `${k ? "" : "σ = "}${number(Number(sigma.toPrecision(2)))}`;
    context.fillText(text, left + k * (size + GAP) + size / 2, below);
  });
}
