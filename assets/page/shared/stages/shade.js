// Densities as a shade behind points.
import { contextOf } from "../canvas.js";

const DENSITY_WIDTH = 0.035; // point sets are shaded as if this wide

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
    for (let i = 0; i < columns; i++) {
      const d = (((i + 0.5) / columns) * 2 - 1) * halfWidth - mean[0];
      across[i] = Math.exp((-d * d) / (2 * variance)) * norm;
    }
    for (let j = 0; j < rows; j++) {
      const d = (1 - ((j + 0.5) / rows) * 2) * halfHeight - mean[1];
      const down = Math.exp((-d * d) / (2 * variance));
      if (down < 1e-6) continue;
      for (let i = 0, at = j * columns; i < columns; i++, at++) values[at] += across[i] * down;
    }
  }
  return values;
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
  let peak = 1e-12;
  for (const value of values) peak = Math.max(peak, value);
  for (let i = 0; i < values.length; i++) {
    image.data.set([r, g, b, 255 * strength * (values[i] / peak) ** 0.6], 4 * i);
  }
  context.putImageData(image, 0, 0);
}
