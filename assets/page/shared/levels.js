// Noise levels of a run, σ_0 … σ_N with the final 0, and positions u in [0, N] among them.
import { clamp, lerp } from "./numbers.js";

/**
 * σ at a position between noise levels: log-linear, linear in the last step to 0.
 * @param {number[]} levels
 * @param {number} u
 */
export function sigmaAt(levels, u) {
  const i = clamp(Math.floor(u), 0, levels.length - 2);
  const f = u - i;
  const [a, b] = [levels[i], levels[i + 1]];
  return b > 0 ? Math.exp(lerp(Math.log(a), Math.log(b), f)) : a * (1 - f);
}

/**
 * The position at which a run is at noise level σ: the inverse of sigmaAt.
 * @param {number[]} levels
 * @param {number} sigma
 */
export function positionAt(levels, sigma) {
  if (sigma >= levels[0]) return 0;
  for (let i = 0; i + 1 < levels.length; i++) {
    const [a, b] = [levels[i], levels[i + 1]];
    if (sigma <= a && sigma >= b) {
      if (a === b) continue;
      return i + (b > 0 ? Math.log(a / sigma) / Math.log(a / b) : 1 - sigma / a);
    }
  }
  return levels.length - 1;
}

/**
 * Between which states that were sent lies u?
 * @param {{ index: number[] }} run
 * @param {number} u
 * @returns {[number, number, number]} One, the next, and how far from the one to the other.
 */
export function bracket({ index }, u) {
  if (index.length < 2) return [0, 0, 0];
  let j = clamp(index.findIndex((i) => i > u) - 1, 0, index.length - 2);
  if (index[index.length - 1] <= u) j = index.length - 2;
  return [j, j + 1, clamp((u - index[j]) / (index[j + 1] - index[j]), 0, 1)];
}
