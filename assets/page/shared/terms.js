// Symbols in texts that explain themselves (see hints.js): those that the glossary holds, each where a text has it first.
import { element } from "./dom.js";
import { typeset } from "./mathematics.js";

/** @type {RegExp | null} */
let known = null;
/** @type {Set<string>} */
let forms = new Set();

/**
 * How texts write the symbols that are explained, the longest first. To be told before any text is set.
 * @param {string[]} written
 */
export function know(written) {
  forms = new Set(written);
  const any = written.map((form) => form.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|");
  // a letter in a word, a name or a derivative is no symbol, nor is a unit after a number, as in 5 k
  known = new RegExp(
    `(?<![\\p{L}\\p{M}0-9²_'’-])(?<![0-9][ \\u00a0])(?:${any})(?![\\p{L}\\p{M}0-9_'’*-]|²\\p{L})`,
    "gu",
  );
}

/**
 * A text with its mathematics set, and its symbols explained; not for what is pressed, such as a button or a link.
 * @param {string} text
 * @param {Set<string>} [seen]  What was explained nearby, and need not be again.
 * @returns {(Node | string)[]}
 */
export function explained(text, seen = new Set()) {
  /** @type {(form: string, set: (Node | string)[]) => (Node | string)[]} */
  const term = (form, set) => {
    if (seen.has(form)) return set;
    seen.add(form);
    return [element("dfn", { tabindex: 0, "data-term": form }, ...set)];
  };
  return typeset(text, {
    text: (plain) => found(plain).flatMap(([piece, symbol]) => (symbol ? term(piece, [piece]) : [piece])),
    symbol: (name, set) => (forms.has(name) ? term(name, set) : set),
  });
}

/**
 * A text in pieces, and which of them are symbols.
 * @param {string} text
 * @returns {[string, boolean][]}
 */
export function found(text) {
  /** @type {[string, boolean][]} */
  const pieces = [];
  let end = 0;
  for (const { 0: form, index } of known ? text.matchAll(known) : []) {
    if (index > end) pieces.push([text.slice(end, index), false]);
    pieces.push([form, true]);
    end = index + form.length;
  }
  if (end < text.length) pieces.push([text.slice(end), false]);
  return pieces;
}
