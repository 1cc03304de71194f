// The theme's colours.

/** @typedef {import("./types.d.ts").Colors} Colors */
/** @typedef {import("./types.d.ts").Rgb} Rgb */

/** @type {import("./types.d.ts").ColorName[]} */
const DESIGNS = ["vp", "ve", "iddpm", "edm", "flow", "yours"];
/** @type {import("./types.d.ts").ColorName[]} */
const COLORS = ["bg", "panel", "ink", "mute", "line", "noise", "data", ...DESIGNS, "c1", "c2", "c3", "c4"];

/**
 * The theme's colours as they are now, from the CSS variables of a node.
 * @param {Element} node
 * @returns {Colors}
 */
export function palette(node) {
  const style = getComputedStyle(node);
  const colors = COLORS.flatMap((name) => {
    const text = style.getPropertyValue(`--ex-${name}`).trim();
    const rgb = [1, 3, 5].map((i) => Number.parseInt(text.slice(i, i + 2), 16));
    return /** @type {[string, any][]} */ ([
      [name, text],
      [`${name}Rgb`, rgb],
    ]);
  });
  const type = Number(style.getPropertyValue("--ex-type"));
  return /** @type {Colors} */ ({ ...Object.fromEntries(colors), type });
}

/**
 * One of the theme's colours, or any other, as CSS.
 * @param {Colors} colors
 * @param {string} name
 * @returns {string}
 */
export const css = (colors, name) => /** @type {Record<string, any>} */ (colors)[name] ?? name;

/**
 * One of the theme's colours as numbers; of any other, those of ink.
 * @param {Colors} colors
 * @param {string} name
 * @returns {Rgb}
 */
export const rgbOf = (colors, name) => /** @type {Record<string, any>} */ (colors)[`${name}Rgb`] ?? colors.inkRgb;

/** @type {(rgb: Rgb, alpha: number) => string} */
export const translucent = (rgb, alpha) => `rgba(${rgb.join(",")},${alpha})`;
