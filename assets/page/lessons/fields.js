// What a lesson is written in: fields with a place for what is wrong in them, and menus for what is measured.
import { button, element } from "../shared/dom.js";
import { offer } from "../shared/widgets.js";
import { HERE, OPERATIONS, RELATIONS, read, term, write, written } from "./measures.js";

/** @typedef {import("../shared/messages.d.ts").LessonMeasure} Measure */

let made = 0;

/**
 * @param {string} name  As problems have it, ask.truth for example.
 * @param {string} title
 * @param {...(Node | string)} content  The first is labelled, if it is something to fill in.
 */
export function field(name, title, ...content) {
  const [first] = content;
  made += 1;
  const id = `ex-wrong-${made}`;
  if (first instanceof HTMLElement && first.matches("input, textarea, select, [role]")) {
    first.setAttribute("aria-label", title);
    first.setAttribute("aria-describedby", id);
  }
  const wrong = element("p", { class: "wrong", id, role: "status" });
  return element(
    "div",
    { class: "put", "data-field": name },
    element("span", { class: "label" }, title),
    ...content,
    wrong,
  );
}

/**
 * @param {string} name
 * @param {string} title
 * @param {string} value
 * @param {(value: string) => void} typed
 * @param {{ rows?: number, placeholder?: string }} [how]  rows: of longer text.
 */
export function textField(name, title, value, typed, { rows, placeholder } = {}) {
  const input = rows
    ? element("textarea", { rows, placeholder, "data-put": name })
    : element("input", { type: "text", placeholder, "data-put": name });
  input.value = value;
  input.addEventListener("input", () => typed(input.value));
  return field(name, title, input);
}

/**
 * @param {string} name
 * @param {string} title
 * @param {string} value
 * @param {[string, string][]} options  Values and their texts.
 * @param {(value: string) => void} chosen
 */
export function selectField(name, title, value, options, chosen) {
  return field(name, title, select(options, value, title, chosen));
}

/**
 * @param {[string, string][]} options
 * @param {string} value
 * @param {string} label
 * @param {(value: string) => void} chosen
 */
function select(options, value, label, chosen) {
  const node = element("select", { "aria-label": label });
  offer(node, options);
  node.value = value;
  node.addEventListener("change", () => chosen(node.value));
  return node;
}

/**
 * An expression, or a relation of two: chosen from menus, or typed.
 * @param {string} name
 * @param {string} title
 * @param {string} value
 * @param {(value: string) => void} set
 * @param {{ measures: Measure[], states: string[], relation?: boolean }} known
 */
export function expressionField(name, title, value, set, { measures, states, relation = false }) {
  const signs = Object.entries(relation ? RELATIONS : OPERATIONS);
  const input = element("input", { type: "text", class: "code", spellcheck: "false", "data-put": name });
  const menus = element("div", { class: "menus" });
  const begin = relation ? `error(${HERE}) < error(${states[1] ?? HERE})` : `error(${HERE})`;
  input.value = value;
  input.placeholder = begin;
  const all = () => [.../** @type {NodeListOf<HTMLElement>} */ (menus.querySelectorAll("select, input"))];
  const draw = () => {
    const parts = input.value ? read(input.value) : null;
    menus.replaceChildren();
    if (!input.value) menus.append(first);
    const named = parts && [parts.left, parts.right].every((one) => isKnown(one, measures, states));
    if (!named || !signs.some(([sign]) => sign === parts.sign)) return; // it stays as it was typed
    const tell = () => {
      input.value = write(parts);
      set(input.value);
    };
    const anew = () => {
      const at = all().indexOf(/** @type {HTMLElement} */ (document.activeElement));
      tell();
      draw();
      all()[at]?.focus();
    };
    const sign = select(signs, parts.sign, "How they are compared", (chosen) => {
      parts.sign = chosen;
      if (chosen && !parts.right.measure && !parts.right.factor) parts.right = term(parts.left.measure, states.at(-1));
      anew();
    });
    menus.append(terms(parts.left, measures, states, tell, anew), sign);
    if (parts.sign) menus.append(terms(parts.right, measures, states, tell, anew));
  };
  const first = button({ class: "pin", "data-do": "measure" }, "Choose what is measured");
  first.addEventListener("click", () => {
    input.value = begin;
    set(begin);
    draw();
    all()[0]?.focus();
  });
  input.addEventListener("input", () => {
    set(input.value.trim());
    draw();
  });
  draw();
  return field(name, title, input, menus);
}

/**
 * Menus of one term.
 * @param {import("./measures.js").Term} one
 * @param {Measure[]} measures
 * @param {string[]} states
 * @param {() => void} tell  A number has changed.
 * @param {() => void} anew  Other numbers are asked for.
 */
function terms(one, measures, states, tell, anew) {
  /** @type {(label: string, value: string, typed: (value: string) => void, placeholder?: string) => HTMLElement} */
  const number = (label, value, typed, placeholder = label) => {
    const input = element("input", { type: "text", inputmode: "decimal", "aria-label": label, placeholder });
    input.value = value;
    input.addEventListener("input", () => {
      typed(input.value);
      tell();
    });
    return input;
  };
  const known = measures.find(({ name }) => name === one.measure);
  const options = /** @type {[string, string][]} */ ([["", "a number"], ...measures.map(titled)]);
  const what = select(options, one.measure, "Measure", (chosen) => {
    one.measure = chosen;
    one.numbers = (measures.find(({ name }) => name === chosen)?.numbers ?? []).map(() => "1");
    anew();
  });
  const multiply = (/** @type {string} */ value) => {
    one.factor = value;
  };
  const factor = number(known ? "Factor" : "Number", one.factor, multiply, known ? "1 ×" : "0");
  if (!known) return element("div", { class: "term" }, factor, what);
  const of = select(
    states.map((state) => [state, state === HERE ? "of what is shown" : `of ${state}`]),
    one.state,
    "State",
    (chosen) => {
      one.state = chosen;
      tell();
    },
  );
  const numbers = known.numbers.map((label, k) =>
    number(label, one.numbers[k] ?? "", (value) => {
      one.numbers[k] = value;
    }),
  );
  return element("div", { class: "term" }, factor, what, of, ...numbers);
}

/** @type {(one: import("./measures.js").Term, measures: Measure[], states: string[]) => boolean} */
const isKnown = ({ measure, state }, measures, states) =>
  !measure || (states.includes(state) && measures.some(({ name }) => name === measure));

/** @type {(measure: Measure) => [string, string]} */
const titled = ({ name, title }) => [name, title];

/**
 * Text in which measures stand in braces: chosen from a menu, they are put where the cursor is.
 * @param {string} name
 * @param {string} title
 * @param {string} value
 * @param {(value: string) => void} typed
 * @param {{ measures: Measure[], states: string[] }} known
 */
export function sentenceField(name, title, value, typed, { measures, states }) {
  const area = element("textarea", { rows: 3, "data-put": name, placeholder: "The error is {error(here)}." });
  area.value = value;
  area.addEventListener("input", () => typed(area.value));
  const chosen = term(measures[0]?.name);
  const menus = element("div", { class: "menus" });
  const draw = () => {
    const insert = button({ class: "pin", "data-do": "insert" }, "Insert");
    insert.addEventListener("click", () => {
      area.setRangeText(`{${written({ ...chosen, factor: "" })}}`, area.selectionStart, area.selectionEnd, "end");
      typed(area.value);
      area.focus();
    });
    const of = terms(chosen, measures, states, () => {}, draw);
    of.firstChild?.remove(); // no factor is asked for
    menus.replaceChildren(of, insert);
  };
  draw();
  return field(name, title, area, menus);
}
