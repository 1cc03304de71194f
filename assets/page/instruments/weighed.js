// Raw losses times λ, and an axis that suits them: losses weighed like EDM's lie between 0 and 1, and floors of
// data sets fall below every axis.

/** @typedef {import("../shared/types.d.ts").Numbers} Numbers */
/** @typedef {import("../shared/types.d.ts").Panel} Panel */

/**
 * @param {Panel} panel
 * @param {string} kind  Of λ.
 * @returns {Panel}
 */
export function weighed(panel, kind) {
  const lines = (panel.lines ?? []).flatMap((line) => {
    const weights = line.weights?.[kind];
    if (!weights) return [];
    /** @type {(values: Numbers) => Numbers} */
    const times = (values) => values.map((value, i) => (value == null ? null : value * (weights[i] ?? 0)));
    return [{ ...line, y: times(line.y), low: line.low && times(line.low), high: line.high && times(line.high) }];
  });
  const shown = lines.filter(({ floor }) => !floor).flatMap(({ y }) => y);
  const values = shown.filter((value) => value != null).filter((value) => value > 0);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const log = kind === "raw" || kind === "simple";
  const range = log ? [least / 4, most * 2] : [0, Math.min(1.3, 1.1 * most)];
  /** @type {(values: Numbers) => Numbers} */
  const within = (all) => all.map((v) => (v == null ? null : Math.min(Math.max(v, range[0] / 10), range[1] * 10)));
  for (const line of lines) {
    if (line.low) line.low = within(line.low);
    if (line.high) line.high = within(line.high);
  }
  return { ...panel, lines, y: { ...panel.y, log, range } };
}
