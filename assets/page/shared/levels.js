// @ts-nocheck
// Noise levels of a run, and positions among them.
import { clamp, lerp } from "./numbers.js";

// σ at a position u in [0, N] between noise levels: log-linear, linear in the last step to 0.
export function sigmaAt(levels, u) {
  const i = clamp(Math.floor(u), 0, levels.length - 2);
  const f = u - i;
  const [a, b] = [levels[i], levels[i + 1]];
  return b > 0 ? Math.exp(lerp(Math.log(a), Math.log(b), f)) : a * (1 - f);
}

// The position u at which a run is at noise level σ: the inverse of sigmaAt.
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

// Between which states that were sent lies u? Returns [index, index + 1, fraction].
export function bracket(run, u) {
  const { index } = run;
  let j = 0;
  if (index.length > 1) {
    j = clamp(index.findIndex((i) => i > u) - 1, 0, index.length - 2);
    if (index[index.length - 1] <= u) j = index.length - 2;
    const f = clamp((u - index[j]) / (index[j + 1] - index[j]), 0, 1);
    return [j, j + 1, f];
  }
  return [0, 0, 0];
}
