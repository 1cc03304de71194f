// The button that asks what one is looking at: what is told then, lessons/sheets.js shows beside it.
import { button } from "./dom.js";

const QUESTION = "What am I looking at?";

/**
 * @param {string} name  Of the sheet that answers: an instrument's, a stage's or a tab's.
 */
export const looking = (name) =>
  button(
    { class: "looking", "data-sheet": name, "aria-label": QUESTION, "aria-expanded": "false", title: QUESTION },
    "?",
  );
