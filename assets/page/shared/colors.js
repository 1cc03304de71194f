// @ts-nocheck
// The theme's colours.

const COLORS = [
  "bg",
  "panel",
  "ink",
  "mute",
  "line",
  "noise",
  "data",
  "vp",
  "ve",
  "iddpm",
  "edm",
  "yours",
  "c1",
  "c2",
  "c3",
  "c4",
];

// The theme's colours as they are now: names of CSS variables -> [r, g, b] and css text.
export function palette(node) {
  const style = getComputedStyle(node);
  const read = (name) => style.getPropertyValue(`--ex-${name}`).trim();
  const rgb = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
  const colors = {};
  for (const name of COLORS) {
    colors[name] = read(name);
    colors[`${name}Rgb`] = rgb(colors[name]);
  }
  return colors;
}
