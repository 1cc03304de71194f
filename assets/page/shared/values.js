// @ts-nocheck
// Values of settings as text.

// The values that differ from their defaults, as text.
export function changedText(values, defaults) {
  const text = {};
  for (const [name, value] of Object.entries(values)) {
    if (value == null || JSON.stringify(value) === JSON.stringify(defaults[name])) continue;
    if (name === "points") text[name] = value.map((point) => point.map((v) => +v.toFixed(3)).join(",")).join(";");
    else text[name] = Array.isArray(value) ? value.join(",") || "none" : String(value);
  }
  return text;
}
