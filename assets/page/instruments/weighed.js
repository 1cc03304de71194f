// @ts-nocheck
// Raw losses times λ, and an axis that suits them: losses weighed like EDM's lie between 0 and 1, and floors of
// data sets fall below every axis.

export function weighed(panel, kind) {
  const lines = panel.lines
    .filter(({ weights }) => weights[kind])
    .map((line) => {
      const times = (values) => values?.map((value, i) => (value == null ? null : value * line.weights[kind][i]));
      return { ...line, y: times(line.y), low: times(line.low), high: times(line.high) };
    });
  const values = lines
    .filter(({ floor }) => !floor)
    .flatMap(({ y }) => y)
    .filter((value) => value > 0);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const log = kind === "raw" || kind === "simple";
  const range = log ? [least / 4, most * 2] : [0, Math.min(1.3, 1.1 * most)];
  const shown = (value) => (value == null ? null : Math.min(Math.max(value, range[0] / 10), range[1] * 10));
  for (const line of lines) if (line.low) [line.low, line.high] = [line.low.map(shown), line.high.map(shown)];
  return { ...panel, lines, y: { ...panel.y, log, range } };
}
