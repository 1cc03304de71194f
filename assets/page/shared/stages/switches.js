// The switches of a stage: what of it is shown, and how.
import { button, element } from "../dom.js";
import { KINDS } from "./picture.js";

/** @typedef {import("../types.d.ts").View} View */
/** @typedef {import("../types.d.ts").ViewChanges} ViewChanges */

/**
 * What of a view an address may ask for, and a sentence about what it may not.
 * @param {View} view
 */
export function readView(view) {
  const entries = Object.entries(view);
  const unread = entries.filter(([name, value]) => !isView(name, value)).map(([name]) => `view.${name}`.slice(0, 40));
  const sentence = `This link could not be read whole. Left out: ${unread.slice(0, 4).join("; ")}.`;
  const known = Object.fromEntries(entries.filter(([name, value]) => isView(name, value)));
  return { known, sentence: unread.length ? sentence : null };
}

/**
 * @param {string} name
 * @param {string} value
 */
function isView(name, value) {
  if (name === "selected") return /^\d{1,4}$/.test(value);
  if (name === "algorithm") return value === "open" || value === "closed"; // the strip under the stage
  const switches = KINDS.flatMap((kind) => kind.switches);
  return switches.some(([known, choices]) => known === name && value && Object.hasOwn(choices, value));
}

/**
 * A view after some changes: what is null is not in it.
 * @param {View} view
 * @param {ViewChanges} changes
 */
export function changeView(view, changes) {
  for (const [name, value] of Object.entries(changes)) {
    if (value == null) delete view[name];
    else view[name] = String(value);
  }
}

/**
 * Fill a box with the switches, unless they stand there as they should.
 * @param {HTMLElement} box
 * @param {import("../types.d.ts").Switch[]} switches
 * @param {View} view
 * @param {(changes: ViewChanges) => void} change
 */
export function showSwitches(box, switches, view, change) {
  const key = JSON.stringify([switches, view]);
  if (box.dataset.key === key) return;
  box.dataset.key = key;
  const groups = switches.map(([name, choices, title]) => {
    const buttons = Object.entries(choices).map(([value, text]) => {
      const on = (view[name] ?? "") === value;
      const node = button({ role: "radio", "aria-checked": String(on), "data-view": `${name}:${value}` }, text);
      node.addEventListener("click", () => change({ [name]: value || null }));
      return node;
    });
    return element("div", { class: "seg", role: "radiogroup", "aria-label": title, title }, ...buttons);
  });
  box.replaceChildren(...groups);
}
