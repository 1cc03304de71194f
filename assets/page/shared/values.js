// Values of settings.

/** @typedef {import("./types.d.ts").Values} Values */

/** @type {(knobs: Record<string, import("./types.d.ts").Knob>) => Values} */
export const defaultsOf = (knobs) =>
  Object.fromEntries(Object.entries(knobs).map(([name, knob]) => [name, knob.default]));

/**
 * The values that differ from their defaults, as text.
 * @param {Values} values
 * @param {Values} defaults
 */
export function changedText(values, defaults) {
  /** @type {Record<string, string>} */
  const text = {};
  for (const [name, value] of Object.entries(values)) {
    if (value == null || JSON.stringify(value) === JSON.stringify(defaults[name])) continue;
    if (name === "points" && Array.isArray(value)) text[name] = pointsText(value);
    else text[name] = Array.isArray(value) ? value.join(",") || "none" : String(value);
  }
  return text;
}

/** @param {number[][]} points */
const pointsText = (points) => points.map((point) => point.map((v) => +v.toFixed(3)).join(",")).join(";");

/** Values under names that begin with what they are of. @type {(what: string, values: Record<string, string>) => Record<string, string>} */
export const prefixed = (what, values) =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [`${what}.${name}`, value]));

/** What stands in an address after its "?". @param {Record<string, string>} query */
export const queryText = (query) => new URLSearchParams(query).toString().replaceAll("%2C", ",").replaceAll("%3B", ";");

/** A value that nobody has set, in words. @param {any} value */
export const automatic = (value) =>
  value == null ? "automatic" : Array.isArray(value) ? value.join(",") : String(value);
