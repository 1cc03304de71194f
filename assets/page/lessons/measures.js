// What menus say of the arithmetic of lessons: a number or a measure of a state, and mostly a second one to divide by, to
// subtract, or to compare with. Whatever else an expression says is typed.

/**
 * A term: "0.5 * error(euler)". measure: "" of a number alone, which is its factor.
 * @typedef {{ factor: string, measure: string, state: string, numbers: string[] }} Term
 */
/** sign: "" where the left term stands alone. @typedef {{ left: Term, sign: string, right: Term }} Parts */

export const HERE = "here";
/** @type {Record<string, string>} */
export const OPERATIONS = { "": "alone", "/": "divided by", "-": "minus" };
/** @type {Record<string, string>} */
export const RELATIONS = { "<": "is less than", ">": "is more than" };

const NUMBER = String.raw`-?\d+(?:\.\d+)?(?:e-?\d+)?`;
const CALL = new RegExp(String.raw`^(?:(${NUMBER})\s*\*\s*)?(\w+)\(\s*(\w+)((?:\s*,\s*${NUMBER})*)\s*\)$`);
const ALONE = new RegExp(`^${NUMBER}$`);
const SIGN = /\s*([<>/]|\s-\s)\s*/;

/** @returns {Term} */
export const term = (measure = "", state = HERE, factor = "") => ({ factor, measure, state, numbers: [] });

/**
 * The parts of an expression; null where menus cannot say it.
 * @param {string} text
 * @returns {Parts | null}
 */
export function read(text) {
  const [first, sign = "", second, ...more] = text.trim().split(SIGN);
  const left = termOf(first);
  const right = second == null ? term() : termOf(second);
  return left && right && !more.length ? { left, sign: sign.trim(), right } : null;
}

/** @type {(text: string) => Term | null} */
function termOf(text) {
  if (ALONE.test(text)) return term("", HERE, text);
  const [whole, factor = "", measure, state, numbers] = CALL.exec(text) ?? [];
  return whole ? { factor, measure, state, numbers: numbers.match(new RegExp(NUMBER, "g")) ?? [] } : null;
}

/** @param {Parts} parts */
export const write = ({ left, sign, right }) => (sign ? `${written(left)} ${sign} ${written(right)}` : written(left));

/** @param {Term} term */
export function written({ factor, measure, state, numbers }) {
  const times = factor.trim().replace(",", ".");
  if (!measure) return times || "0";
  const call = `${measure}(${[state, ...numbers.map((number) => number.trim().replace(",", ".") || "?")].join(", ")})`;
  return times && times !== "1" ? `${times} * ${call}` : call;
}
