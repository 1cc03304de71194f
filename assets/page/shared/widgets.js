// Widgets made from the declarations of settings: a slider with its number, choices side by side, chips, text. Each is
// an element that follows its value.
import { button, element } from "./dom.js";
import { hint } from "./hints.js";
import { plain, symbolOf, typeset } from "./mathematics.js";
import { clamp, number } from "./numbers.js";

/** @typedef {import("./types.d.ts").Knob} Knob */

/**
 * @typedef {object} Binding
 * @property {string} name
 * @property {() => any} get  The value; null: automatic.
 * @property {(value: any) => void} set  A person has chosen another one.
 * @property {(refresh: () => void) => void} follow  Run it now, and whenever the value may have changed.
 * @property {() => any} [effective]  The value that counts.
 * @property {() => any} [shown]  The value that is written.
 * @property {string} [word]  What is written instead while it is automatic.
 * @property {() => [number, number]} [bounds]
 * @property {string} [none]  What a list without families says where nothing of it is chosen.
 * @property {() => boolean} [idle]  Whether it changes nothing now.
 */

const STEPS_OF_LOG_SLIDER = 240;

/** What a screen reader calls it; its help is its hint, which describes it. @type {(knob: Knob) => string} */
const named = (knob) => plain(symbolOf(knob) ?? "");

/**
 * One of a few, side by side.
 * @param {Knob} knob
 * @param {Binding} binding
 */
export function segments(knob, { name, get, set, follow }) {
  const node = element("div", { class: "seg", role: "radiogroup", "aria-label": named(knob), "data-choice": name });
  (knob.choices ?? []).forEach((choice, i) => {
    const choiceButton = button({ role: "radio", "data-value": choice }, ...typeset(knob.titles?.[i] ?? choice));
    choiceButton.addEventListener("click", () => set(choice));
    hint(choiceButton, knob.helps?.[i] || knob.help, symbolOf(knob));
    node.append(choiceButton);
    follow(() => choiceButton.setAttribute("aria-checked", String(get() === choice)));
  });
  return node;
}

/**
 * @param {Knob} knob
 * @param {Binding} binding
 */
export function slider(knob, binding) {
  const { name, get, set, follow, effective = get, shown = effective } = binding;
  const { bounds = () => knob.slider ?? [0, 1], idle = () => false, word } = binding;
  const id = `ex-${name}-${Math.random().toString(36).slice(2, 8)}`;
  const range = element("input", { type: "range", id, "data-knob": name });
  const attributes = { class: "value", type: "text", inputmode: "decimal", "aria-label": `${name}, value` };
  const value = element("input", attributes);
  const reset = button({ class: "reset", "aria-label": `Reset ${name}` });
  const label = element("label", { for: id, html: knob.symbol });
  const node = element("div", { class: "knob", "data-row": name }, label, range, value, reset);
  range.addEventListener("input", () => set(fromSlider(knob, bounds(), Number(range.value))));
  value.addEventListener("change", () => set(typed(value.value, knob)));
  reset.addEventListener("click", () => set(knob.default));
  hint(node, knob.help, symbolOf(knob));
  follow(() => {
    const now = effective();
    const [low, high] = bounds();
    const [min, max, step] = knob.log ? [0, STEPS_OF_LOG_SLIDER, 1] : [low, high, knob.step ?? "any"];
    [range.min, range.max, range.step] = [String(min), String(max), String(step)];
    const position = toSlider(knob, [low, high], now);
    if (Number(range.value) !== position) range.value = String(position);
    const share = (Number(range.value) - min) / (max - min);
    range.style.setProperty("--fill", `${100 * clamp(share, 0, 1)}%`);
    range.setAttribute("aria-valuetext", number(now));
    const automatic = get() == null;
    const written = () => number(automatic ? Number(shown().toPrecision(3)) : shown());
    if (document.activeElement !== value) value.value = automatic && word ? word : written();
    const changed = (get() ?? null) !== (knob.default ?? null);
    node.classList.toggle("changed", changed);
    node.classList.toggle("auto", automatic);
    node.classList.toggle("idle", idle());
    reset.disabled = !changed;
    reset.title = changed ? `Back to ${knob.default ?? "automatic"}` : "";
  });
  return node;
}

/**
 * One of many: a list that opens, in families where the choices have some. Choices that come and go are read anew.
 * @param {Knob} knob
 * @param {Binding} binding
 */
export function choice(knob, { name, get, set, follow, none, idle = () => false }) {
  const select = element("select", { "aria-label": named(knob), "data-knob": name });
  const node = element(
    "div",
    { class: "knob pick", "data-row": name },
    element("label", { html: knob.symbol }),
    select,
  );
  select.addEventListener("change", () => set(select.value === "" ? null : select.value));
  hint(node, knob.help, symbolOf(knob));
  follow(() => {
    const { choices, titles, families } = knob;
    /** @type {[string, string][]} */
    const all = (choices ?? []).map((value, i) => [value, plain(titles?.[i] ?? value)]);
    offer(select, none && get() == null ? [["", none], ...all] : all, families);
    select.value = get() ?? "";
    node.classList.toggle("idle", idle());
  });
  return node;
}

/**
 * Several of many: chips that are on or off; the value is the list of those that are on, in the order of the choices.
 * @param {Knob} knob
 * @param {Binding} binding
 */
export function chips(knob, { name, get, set, follow }) {
  const node = element("div", { class: "chips", role: "group", "aria-label": named(knob), "data-choice": name });
  const choices = knob.choices ?? [];
  choices.forEach((value, i) => {
    const color = knob.colors?.[i];
    const dot = color ? element("span", { class: "dot", style: `--tint: var(--ex-${color})` }) : null;
    const chip = button({ "data-value": value }, dot, ...typeset(knob.titles?.[i] ?? value));
    chip.addEventListener("click", () => {
      const on = new Set(get());
      if (!on.delete(value)) on.add(value);
      set(choices.filter((other) => on.has(other)));
    });
    hint(chip, knob.help, symbolOf(knob));
    node.append(chip);
    follow(() => {
      const on = get().includes(value);
      chip.setAttribute("aria-pressed", String(on));
      chip.hidden = !on && Boolean(knob.folded?.includes(value));
    });
  });
  return node;
}

/**
 * @param {Knob} knob
 * @param {Binding} binding
 */
export function toggle(knob, { name, get, set, follow, idle = () => false }) {
  const box = element("input", { type: "checkbox", "data-knob": name });
  const node = element("label", { class: "toggle", "data-row": name }, box, element("span", { html: knob.symbol }));
  box.addEventListener("change", () => set(box.checked));
  hint(node, knob.help, symbolOf(knob));
  follow(() => {
    box.checked = get();
    node.classList.toggle("idle", idle());
  });
  return node;
}

/**
 * @param {Knob} knob
 * @param {Binding & { placeholder?: () => string }} binding  placeholder: what counts where nothing is written.
 */
export function text(knob, { name, get, set, follow, placeholder = () => "" }) {
  const attributes = { class: "text", "aria-label": named(knob), "data-knob": name, spellcheck: "false" };
  const input = element("input", { type: "text", ...attributes });
  const label = element("label", { html: knob.symbol });
  const node = element("div", { class: "knob pick", "data-row": name }, label, input);
  input.addEventListener("change", () => set(input.value));
  hint(node, knob.help, symbolOf(knob));
  follow(() => {
    if (document.activeElement !== input) input.value = get() ?? "";
    input.placeholder = placeholder();
  });
  return node;
}

/**
 * The widget that fits a declared knob.
 * @param {Knob} knob
 * @param {Binding & { placeholder?: () => string }} binding
 * @returns {HTMLElement}
 */
export function widget(knob, binding) {
  if (knob.choices && Array.isArray(knob.default)) return chips(knob, binding);
  if (knob.choices) return ((knob.list ?? knob.choices.length > 5) ? choice : segments)(knob, binding);
  if (typeof knob.default === "boolean") return toggle(knob, binding);
  return (knob.slider ? slider : text)(knob, binding);
}

/**
 * Fill a select with [value, text] pairs, unless it holds them already: an open list must not be disturbed. Where only
 * the texts are others, its options stay.
 * @param {HTMLSelectElement} select
 * @param {[string | number, string | number][]} options
 * @param {string[] | null} [families]  Of each, those of one standing together.
 */
export function offer(select, options, families = null) {
  const key = JSON.stringify(options);
  if (select.dataset.options === key) return;
  select.dataset.options = key;
  const there = [...select.options];
  if (there.length === options.length && there.every(({ value }, i) => value === String(options[i][0]))) {
    for (const [i, node] of there.entries()) node.textContent = String(options[i][1]);
    return;
  }
  const all = options.map(([value, title]) => element("option", { value }, String(title)));
  const groups = new Map((families ?? []).map((label) => [label, element("optgroup", { label })]));
  for (const [i, option] of all.entries()) groups.get(families?.[i] ?? "")?.append(option);
  select.replaceChildren(...(groups.size ? groups.values() : all));
}

/**
 * @param {Knob} knob
 * @param {[number, number]} bounds
 * @param {number} value
 */
function toSlider(knob, [low, high], value) {
  if (!knob.log) return value;
  if (value <= low) return 0;
  if (value >= high) return STEPS_OF_LOG_SLIDER;
  return Math.round((Math.log(value / low) / Math.log(high / low)) * STEPS_OF_LOG_SLIDER);
}

/**
 * @param {Knob} knob
 * @param {[number, number]} bounds
 * @param {number} position
 */
function fromSlider(knob, [low, high], position) {
  if (!knob.log) return position;
  const [atLow, atHigh] = knob.ends;
  if (position <= 0 && atLow != null) return atLow;
  if (position >= STEPS_OF_LOG_SLIDER && atHigh != null) return atHigh === "inf" ? "Infinity" : atHigh;
  return Number((low * (high / low) ** (position / STEPS_OF_LOG_SLIDER)).toPrecision(3));
}

/**
 * What somebody typed; the server refuses what cannot be, with a sentence.
 * @param {string} content
 * @param {Knob} knob
 */
function typed(content, knob) {
  const word = content.trim().toLowerCase();
  if (["∞", "inf", "infinity"].includes(word)) return "Infinity";
  if (word === "" || word === "auto") return knob.default;
  return Number.isFinite(Number(word)) ? Number(word) : content.trim();
}
