// A noise level that somebody predicts, and what it turned out to be: marked wherever noise levels are an axis.
import { Store } from "./store.js";

/**
 * @typedef {object} Marked
 * @property {number | null} guess
 * @property {number | null} truth
 * @property {((sigma: number) => void) | null} place  Takes what is pointed at, as long as a prediction is asked for.
 */

/** @type {Marked} */
const NONE = { guess: null, truth: null, place: null };

export const marked = new Store(NONE);

export function unmark() {
  if (marked.state !== NONE) marked.replace(NONE);
}

/** The signs of a guess and of what is true, in pictures and in words. */
export const SIGNS = { guess: "▽", truth: "▼" };

/**
 * A figure with both as marks, in all panels over noise levels, once the truth is known.
 * @param {import("./types.d.ts").Figure} figure
 * @returns {import("./types.d.ts").Figure}
 */
export function withMarks(figure) {
  const { guess, truth } = marked.state;
  if (guess == null || truth == null) return figure;
  const marks = [
    { x: guess, text: SIGNS.guess },
    { x: truth, text: SIGNS.truth },
  ];
  const panels = figure.panels.map((panel) =>
    panel.x?.title?.startsWith("σ") ? { ...panel, marks: [...(panel.marks ?? []), ...marks] } : panel,
  );
  return { ...figure, panels };
}
