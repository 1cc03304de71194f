// @ts-nocheck
// Widgets made from the declarations of settings: a slider with its number, choices side by side, chips, text.
// Each is {node, refresh}: refresh() shows the present value.
import { element } from "./dom.js";
import { clamp, number } from "./numbers.js";

const STEPS_OF_LOG_SLIDER = 240;

// describe(node, text): what a widget does appears in `line` when one points at it.
export function helper(line) {
  return (node, text) => {
    const show = () => (line.textContent = text);
    node.addEventListener("pointerenter", show);
    node.addEventListener("focusin", show);
    if (!node.title) node.title = text;
  };
}

export function segments(knob, { name, get, set, describe }) {
  const node = element("div", { class: "seg", role: "radiogroup", "aria-label": knob.help, "data-choice": name });
  const buttons = knob.choices.map((choice, i) => {
    const button = element(
      "button",
      { type: "button", role: "radio", "data-value": choice },
      knob.titles?.[i] ?? choice,
    );
    button.addEventListener("click", () => set(choice));
    describe(button, knob.helps?.[i] || knob.help);
    node.append(button);
    return button;
  });
  return {
    node,
    refresh: () =>
      buttons.forEach((button, i) => button.setAttribute("aria-checked", String(get() === knob.choices[i]))),
  };
}

// get(): the value (null: automatic); effective(): the one that counts; shown(): the one that is written.
export function slider(
  knob,
  { name, get, set, describe, effective = get, shown = effective, bounds = () => knob.slider, idle = () => false },
) {
  const id = `ex-${name}-${Math.random().toString(36).slice(2, 8)}`;
  const range = element("input", { type: "range", id, "data-knob": name });
  const value = element("input", {
    class: "value",
    type: "text",
    inputmode: "decimal",
    "aria-label": `${name}, value`,
  });
  const reset = element("button", { class: "reset", type: "button", "aria-label": `Reset ${name}` });
  const label = element("label", { for: id, html: knob.symbol });
  const node = element("div", { class: "knob", "data-row": name }, label, range, value, reset);
  range.addEventListener("input", () => set(fromSlider(knob, bounds(), Number(range.value))));
  value.addEventListener("change", () => set(typed(value.value, knob)));
  reset.addEventListener("click", () => set(knob.default));
  describe(node, knob.help);
  const refresh = () => {
    const now = effective();
    const [low, high] = bounds();
    if (knob.log) Object.assign(range, { min: 0, max: STEPS_OF_LOG_SLIDER, step: 1 });
    else Object.assign(range, { min: low, max: high, step: knob.step ?? "any" });
    const position = toSlider(knob, [low, high], now);
    if (Number(range.value) !== position) range.value = position;
    const share = (Number(range.value) - Number(range.min)) / (Number(range.max) - Number(range.min));
    range.style.setProperty("--fill", `${100 * clamp(share, 0, 1)}%`);
    range.setAttribute("aria-valuetext", number(now));
    if (document.activeElement !== value)
      value.value = get() == null ? number(Number(shown().toPrecision(3))) : number(shown());
    const changed = (get() ?? null) !== (knob.default ?? null);
    node.classList.toggle("changed", changed);
    node.classList.toggle("auto", get() == null);
    node.classList.toggle("idle", idle());
    reset.disabled = !changed;
    reset.title = changed ? `Back to ${knob.default ?? "automatic"}` : "";
  };
  return { node, refresh };
}

// One of many: a list that opens.
export function choice(knob, { name, get, set, describe }) {
  const select = element("select", { "aria-label": knob.help, "data-knob": name });
  const node = element("div", { class: "knob pick" }, element("label", { html: knob.symbol }), select);
  select.addEventListener("change", () => set(select.value === "" ? null : select.value));
  describe(node, knob.help);
  return {
    node,
    refresh: () => {
      offer(
        select,
        knob.choices.map((value, i) => [value, knob.titles?.[i] ?? value]),
      );
      select.value = get() ?? "";
    },
  };
}

// Several of many: chips that are on or off; the value is the list of those that are on, in the order of the choices.
export function chips(knob, { name, get, set, describe }) {
  const node = element("div", { class: "chips", role: "group", "aria-label": knob.help, "data-choice": name });
  const buttons = knob.choices.map((value, i) => {
    const dot = knob.colors?.[i] && element("span", { class: "dot", style: `background: var(--ex-${knob.colors[i]})` });
    const button = element("button", { type: "button", "data-value": value }, dot || null, knob.titles?.[i] ?? value);
    button.addEventListener("click", () => {
      const on = new Set(get());
      if (!on.delete(value)) on.add(value);
      set(knob.choices.filter((other) => on.has(other)));
    });
    describe(button, knob.help);
    node.append(button);
    return button;
  });
  const refresh = () =>
    buttons.forEach((button, i) => {
      const on = get().includes(knob.choices[i]);
      button.setAttribute("aria-pressed", String(on));
      button.hidden = !on && Boolean(knob.folded?.includes(knob.choices[i]));
    });
  return { node, refresh };
}

export function toggle(knob, { name, get, set, describe }) {
  const box = element("input", { type: "checkbox", "data-knob": name });
  const node = element("label", { class: "toggle" }, box, element("span", { html: knob.symbol }));
  box.addEventListener("change", () => set(box.checked));
  describe(node, knob.help);
  return { node, refresh: () => (box.checked = get()) };
}

export function text(knob, { name, get, set, describe }) {
  const field = element("input", {
    type: "text",
    class: "text",
    "aria-label": knob.help,
    "data-knob": name,
    spellcheck: "false",
  });
  const node = element("div", { class: "knob pick" }, element("label", { html: knob.symbol }), field);
  field.addEventListener("change", () => set(field.value));
  describe(node, knob.help);
  const refresh = () => {
    if (document.activeElement !== field) field.value = get() ?? "";
  };
  return { node, refresh };
}

// The widget that fits a declared knob.
export function widget(knob, options) {
  if (knob.choices && Array.isArray(knob.default)) return chips(knob, options);
  if (knob.choices) return knob.choices.length > 5 || knob.list ? choice(knob, options) : segments(knob, options);
  if (typeof knob.default === "boolean") return toggle(knob, options);
  return knob.slider ? slider(knob, options) : text(knob, options);
}

// Fill a select with [value, text] pairs, unless it holds them already: an open list must not be disturbed.
export function offer(select, options) {
  const key = JSON.stringify(options);
  if (select.dataset.options === key) return;
  select.dataset.options = key;
  select.replaceChildren(...options.map(([value, text]) => element("option", { value }, text)));
}

function toSlider(knob, [low, high], value) {
  if (!knob.log) return value;
  if (value <= low) return 0;
  if (value >= high) return STEPS_OF_LOG_SLIDER;
  return Math.round((Math.log(value / low) / Math.log(high / low)) * STEPS_OF_LOG_SLIDER);
}

function fromSlider(knob, [low, high], position) {
  if (!knob.log) return position;
  const [atLow, atHigh] = knob.ends;
  if (position <= 0 && atLow != null) return atLow;
  if (position >= STEPS_OF_LOG_SLIDER && atHigh != null) return atHigh === "inf" ? "Infinity" : atHigh;
  return Number((low * (high / low) ** (position / STEPS_OF_LOG_SLIDER)).toPrecision(3));
}

// What somebody typed; the server refuses what cannot be, with a sentence.
function typed(text, knob) {
  const word = text.trim().toLowerCase();
  if (["∞", "inf", "infinity"].includes(word)) return "Infinity";
  if (word === "" || word === "auto") return knob.default;
  return Number.isFinite(Number(word)) ? Number(word) : text.trim();
}
