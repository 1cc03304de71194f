// What a class has answered, as bars: a row for each choice, or columns over the numbers.
import { element } from "../shared/dom.js";
import { short } from "../shared/numbers.js";
import { inline } from "./markdown.js";

/** @typedef {import("../shared/messages.d.ts").LessonQuestion} Asked */
/** @typedef {import("../shared/messages.d.ts").Bar} Bar */

/**
 * @param {Asked} asked
 * @param {import("../shared/messages.d.ts").Tally} tally
 * @returns {HTMLElement}
 */
export function tallied(asked, { answered, of, bars }) {
  const most = Math.max(1, ...bars.map(({ count }) => count));
  const told = element("p", { class: "told" }, `${answered} of ${of} ${of === 1 ? "has" : "have"} answered.`);
  if (!answered) return element("div", {}, told);
  const rows = asked.kind === "choice";
  const shown = asked.kind === "mark" ? [...bars].reverse() : bars; // from noise to data, as everywhere
  const items = shown.map((bar) => {
    const name = rows ? inline(asked.choices[Number(bar.low)]?.text ?? "") : [between(bar, asked)];
    const length = element("span", { class: "length", style: `--share: ${bar.count / most}` });
    return element("li", {}, element("span", { class: "name" }, ...name), length, element("b", {}, String(bar.count)));
  });
  return element("div", {}, told, element("ul", { class: rows ? "rows" : "columns" }, ...items));
}

/**
 * The numbers that a bar counts.
 * @param {Bar} bar
 * @param {Asked} asked
 */
export function between({ low, high }, { kind, unit }) {
  const [from, to] = [low, high].map((value) => (value == null ? "" : value === 0 ? "0" : signed(value)));
  if (low == null) return `< ${to} ${unit}`.trim();
  if (high == null) return `≥ ${from} ${unit}`.trim();
  return kind === "mark" ? `${to} – ${from}` : `${from} – ${to}`;
}

/** @param {number} value */
const signed = (value) => short(value).replace("-", "−");
