// Mathematics as the server writes it in plain text, such as σ_max^(1/ρ) or √(1 + σ²), set as the paper sets it.
import { element } from "./dom.js";

/** A piece of text, a symbol with what stands below and above it, or a root. */
/** @typedef {{ text: string } | { base: string, sub: Part[], sup: Part[] } | { root: Part[] }} Part */

const SYMBOL = /\p{L}/u;
const NAME = /[A-Za-z0-9_]/;
// What stands below a symbol; of anything else that holds an underscore, such as the name of a run, nothing is set.
const BELOW = /^_(min|max|tmin|tmax|churn|noise|data|mean|std|train|skip|out|in|mid)(?![A-Za-z0-9_])/;
const LETTER_BELOW = /^_([\p{L}0-9])(?![A-Za-z0-9_])/u;
const ABOVE = /^\^([\p{L}\p{N}]+)/u;
/** @type {Record<string, string>} */
const CLOSED = { "(": ")", "{": "}", "⌊": "⌋" };

/**
 * @param {string} text
 * @returns {Part[]}
 */
export function parse(text) {
  /** @type {Part[]} */
  const parts = [];
  let plain = "";
  const flush = () => {
    if (plain) parts.push({ text: plain });
    plain = "";
  };
  for (let at = 0; at < text.length; ) {
    const root = text[at] === "√" ? within(text, at + 1, "(") : null;
    const sub = below(text, at);
    const sup = above(text, sub.end);
    if (root) {
      flush();
      parts.push({ root: parse(root.content) });
      at = root.end;
    } else if (sup.end > at + 1) {
      flush();
      parts.push({ base: text[at], sub: parse(sub.content), sup: parse(sup.content) });
      at = sup.end;
    } else {
      plain += text[at];
      at += 1;
    }
  }
  flush();
  return parts;
}

/**
 * What a pair of brackets holds that begins here, and where it ends.
 * @type {(text: string, at: number, open: string) => { content: string, end: number } | null}
 */
function within(text, at, open) {
  if (text[at] !== open) return null;
  let depth = 0;
  for (let end = at; end < text.length; end++) {
    if (text[end] === open) depth += 1;
    else if (text[end] === CLOSED[open]) depth -= 1;
    if (depth === 0) return { content: text.slice(at + 1, end), end: end + 1 };
  }
  return null;
}

/**
 * What stands below the symbol at this place, if it is one; end: behind both.
 * @type {(text: string, at: number) => { content: string, end: number }}
 */
function below(text, at) {
  const nothing = { content: "", end: at + 1 };
  if (!SYMBOL.test(text[at]) || (at > 0 && NAME.test(text[at - 1]))) return nothing;
  const rest = text.slice(at + 1);
  const greek = /\p{Script=Greek}/u.test(rest[1] ?? "") || !/[A-Za-z]/.test(text[at]) || "uDFxt".includes(text[at]);
  const found = BELOW.exec(rest) ?? (greek ? LETTER_BELOW.exec(rest) : null);
  if (found) return { content: found[1], end: at + 1 + found[0].length };
  if (rest[0] !== "_") return nothing;
  const floor = within(text, at + 2, "⌊");
  return floor ? { ...floor, content: `⌊${floor.content}⌋` } : (within(text, at + 2, "{") ?? nothing);
}

/**
 * What stands above what ends here.
 * @type {(text: string, at: number) => { content: string, end: number }}
 */
function above(text, at) {
  if (text[at] !== "^") return { content: "", end: at };
  const found = ABOVE.exec(text.slice(at));
  if (found) return { content: found[1], end: at + found[0].length };
  return within(text, at + 1, "(") ?? within(text, at + 1, "{") ?? { content: "", end: at };
}

/**
 * The symbol of a knob as such text.
 * @param {import("./types.d.ts").Knob | undefined} knob
 */
export const symbolOf = (knob) => knob?.symbol.replace(/<sub>(.*?)<\/sub>/g, "_$1");

/**
 * What is made of text between symbols, and of a symbol that is set, by what it is without what stands above it.
 * @typedef {{ text(text: string): (Node | string)[], symbol(name: string, set: (Node | string)[]): (Node | string)[] }} Marking
 */

/** @type {Marking} */
const BARE = { text: (text) => [text], symbol: (_, set) => set };

/**
 * In the middle of prose, too. Not MathML: without a font made for it, as on most Linux machines, that puts what stands
 * above into the line above, and breaks no line.
 * @param {string} text
 * @param {Marking} [marking]
 * @returns {(Node | string)[]}
 */
export const typeset = (text, marking = BARE) => parse(text).flatMap((part) => prose(part, marking));

/** @type {(part: Part, marking: Marking) => (Node | string)[]} */
function prose(part, marking) {
  if ("text" in part) return marking.text(part.text);
  if ("root" in part) {
    const under = part.root.flatMap((inner) => prose(inner, marking));
    return ["√", element("span", { class: "root" }, ...under)];
  }
  const { base, sub, sup } = part;
  const scripts = [...script("sup", sup), ...script("sub", sub)];
  const name = sub.length ? `${base}_${sub.map(flat).join("")}` : base;
  if (scripts.length < 2) return marking.symbol(name, [base, ...scripts]);
  const set = element("span", { class: "symbol" }, base, element("span", { class: "scripts" }, ...scripts));
  return marking.symbol(name, [set]);
}

/** @type {(tag: "sub" | "sup", parts: Part[]) => Node[]} */
const script = (tag, parts) => (parts.length ? [element(tag, {}, ...parts.flatMap((part) => prose(part, BARE)))] : []);

/**
 * The same as HTML, for Plotly; what is HTML already stays so.
 * @param {string} text
 * @returns {string}
 */
export const markup = (text) => parse(text).map(marked).join("");

/** @type {(part: Part) => string} */
function marked(part) {
  if ("text" in part) return part.text;
  if ("root" in part) return `√(${part.root.map(marked).join("")})`;
  /** @type {(tag: string, parts: Part[]) => string} */
  const scripted = (tag, parts) => (parts.length ? `<${tag}>${parts.map(marked).join("")}</${tag}>` : "");
  return part.base + scripted("sub", part.sub) + scripted("sup", part.sup);
}

/**
 * Where nothing can be set, as in the options of a list: what stands below follows after a space.
 * @param {string} text
 * @returns {string}
 */
export const plain = (text) => parse(text).map(flat).join("");

/** @type {(part: Part) => string} */
function flat(part) {
  if ("text" in part) return part.text;
  if ("root" in part) return `√(${part.root.map(flat).join("")})`;
  /** @type {(before: string, parts: Part[]) => string} */
  const after = (before, parts) => (parts.length ? before + parts.map(flat).join("") : "");
  return part.base + after(" ", part.sub) + after("^", part.sup);
}

/**
 * On a canvas, with its present font and alignment.
 * @type {(context: CanvasRenderingContext2D, text: string, x: number, y: number) => void}
 */
export function write(context, text, x, y) {
  const { font, textAlign } = context;
  const small = font.replace(/[\d.]+px/, (size) => `${0.75 * Number.parseFloat(size)}px`);
  /** @type {(part: Part) => { text: string, font: string, drop: number }[]} */
  const laid = (part) => {
    if ("text" in part) return [{ text: part.text, font, drop: 0 }];
    if ("root" in part)
      return [..."√(", ...part.root, ")"].flatMap((p) => laid(typeof p === "string" ? { text: p } : p));
    const scripts = [
      { parts: part.sub, drop: 3 },
      { parts: part.sup, drop: -5 },
    ].map(({ parts, drop }) => ({ text: parts.map(flat).join(""), font: small, drop }));
    return [{ text: part.base, font, drop: 0 }, ...scripts.filter((piece) => piece.text)];
  };
  const pieces = parse(text).flatMap(laid);
  const widths = pieces.map((piece) => {
    context.font = piece.font;
    return context.measureText(piece.text).width;
  });
  const whole = widths.reduce((sum, width) => sum + width, 0);
  let left = x - (textAlign === "right" ? whole : textAlign === "center" ? whole / 2 : 0);
  context.textAlign = "left";
  pieces.forEach((piece, k) => {
    context.font = piece.font;
    context.fillText(piece.text, left, y + piece.drop);
    left += widths[k];
  });
  Object.assign(context, { font, textAlign });
}
