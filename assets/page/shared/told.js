// Changes of settings in words: "ρ 7 → 3".

import { symbolOf } from "./mathematics.js";
import { number } from "./numbers.js";
import { Past } from "./past.js";

/** @typedef {import("./types.d.ts").Values} Values */
/** @typedef {import("./types.d.ts").Knob} Knob */

/**
 * @param {any} value
 * @param {Knob} [knob]
 */
export function valueInWords(value, knob) {
  if (value == null || value === "") return "automatic";
  if (Array.isArray(value)) return typeof value[0] === "string" ? value.join(", ") : "by hand";
  const choice = knob?.choices?.indexOf(value) ?? -1;
  if (choice >= 0) return knob?.titles?.[choice] ?? value;
  if (typeof value === "boolean") return value ? "on" : "off";
  if (value === "Infinity") return "∞";
  return typeof value === "number" ? number(value) : String(value);
}

/**
 * The first of the changes, and how many others there are.
 * @param {Record<string, Knob>} knobs
 * @param {Values} before
 * @param {Values} after
 */
export function changesInWords(knobs, before, after) {
  const names = Object.keys(after).filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]));
  const [first, ...others] = names;
  if (first == null) return "";
  const knob = knobs[first];
  const [was, is] = [before, after].map((values) => valueInWords(values[first], knob));
  const more = others.length ? ` and ${others.length} more` : "";
  return `${symbolOf(knob) ?? first} ${was} → ${is}${more}`;
}

/**
 * What somebody changes of settings that are declared.
 * @param {Record<string, Knob>} knobs
 * @param {(name: string) => any} get
 * @param {(changes: Values) => void} set
 */
export const pastOf = (knobs, get, set) =>
  new Past({ get, set, tell: (before, after) => changesInWords(knobs, before, after) });
