// What a set looks like: some pictures of each class, or some of its points.
import { fit, pixels } from "../shared/canvas.js";
import { element } from "../shared/dom.js";
import { number } from "../shared/numbers.js";
import { float32, uint8 } from "../shared/packed.js";

/** @typedef {import("../shared/messages.d.ts").Sheet} Sheet */
/** @typedef {import("../shared/types.d.ts").Colors} Colors */

/** @type {import("../shared/types.d.ts").ColorName[]} */
const TINTS = ["c1", "c2", "c3", "c4", "ink", "mute"]; // of classes, by turns
const BARS = 40;
const EDGE = 14; // pixels around the points

/**
 * A class in words, as a person reads it.
 * @param {Sheet} sheet
 * @param {number} label
 */
const named = ({ class_names: names }, label) => names[label] ?? `class ${label}`;

/**
 * The pictures of a contact sheet, class by class.
 * @param {Sheet} sheet
 */
export function contactSheet(sheet) {
  const { shape, rows } = /** @type {NonNullable<Sheet["pictures"]>} */ (sheet.pictures);
  const node = element("div", { class: "contact", role: "img", "aria-label": "Some of the pictures, by class" });
  for (const { label, count, images } of rows) {
    const data = uint8(images);
    const some = Array.from({ length: count }, (_, k) => pixels(data, shape, k));
    if (label != null) node.append(caption(sheet, label));
    node.append(element("div", { class: "pictures" }, ...some));
  }
  const more = sheet.classes - rows.length;
  if (rows[0]?.label != null && more > 0)
    node.append(element("p", { class: "label" }, `and ${more.toLocaleString("en")} more classes`));
  return node;
}

/** @type {(sheet: Sheet, label: number, ...first: Node[]) => HTMLElement} */
function caption(sheet, label, ...first) {
  const count = sheet.counts[label];
  const much = element("small", {}, count == null ? "" : count.toLocaleString("en"));
  return element("p", { class: "label" }, ...first, element("bdi", {}, named(sheet, label)), " ", much);
}

/** Points on a canvas, in the colours of their classes; numbers on a line as a histogram. */
export class Scatter {
  /** @param {Sheet} sheet */
  constructor(sheet) {
    this.sheet = sheet;
    this.points = /** @type {NonNullable<Sheet["points"]>} */ (sheet.points);
    this.x = float32(this.points.x);
    this.canvas = element("canvas", { role: "img", "aria-label": "Some of the points" });
    /** @type {HTMLElement[]} */
    this.dots = [];
    const classes = sheet.class_names.slice(0, 12).map((_, label) => {
      this.dots.push(element("i", { class: "dot" }));
      return caption(sheet, label, this.dots[label]);
    });
    const more = sheet.classes - classes.length;
    if (more > 0) classes.push(element("p", { class: "label" }, `and ${more.toLocaleString("en")} more classes`));
    const [first, second] = this.points.names;
    this.node = element(
      "div",
      { class: "scatter" },
      element("div", { class: "plane" }, this.canvas, axis("across", first ?? ""), axis("up", second ?? "")),
    );
    this.labels = element("div", { class: "labels", hidden: !classes.length }, ...classes);
  }

  /** @param {Colors} colors */
  draw(colors) {
    const { context, width, height } = fit(this.canvas);
    const tint = (/** @type {number | undefined} */ label) => colors[TINTS[(label ?? 0) % TINTS.length]];
    this.dots.forEach((dot, label) => dot.style.setProperty("background", tint(label)));
    const { dimension, count, labels } = this.points;
    const column = (/** @type {number} */ d) => Array.from({ length: count }, (_, k) => this.x[k * dimension + d]);
    const across = spread(column(0));
    const place = (/** @type {number} */ k) => EDGE + across.share(this.x[k * dimension]) * (width - 2 * EDGE);
    this.#ends("across", across);
    if (dimension === 1) {
      const bars = Array(BARS).fill(0);
      for (const value of column(0)) bars[Math.min(BARS - 1, Math.floor(across.share(value) * BARS))] += 1;
      const step = (width - 2 * EDGE) / BARS;
      const most = Math.max(...bars);
      context.fillStyle = tint(0);
      bars.forEach((bar, k) => {
        const tall = (bar / most) * (height - 2 * EDGE);
        context.fillRect(EDGE + k * step, height - EDGE - tall, step - 1, tall);
      });
      return;
    }
    const up = spread(column(1));
    this.#ends("up", up);
    context.globalAlpha = count > 500 ? 0.6 : 0.85;
    const radius = count > 500 ? 1.6 : 2.4;
    for (let k = 0; k < count; k++) {
      context.fillStyle = tint(labels?.[k]);
      context.beginPath();
      context.arc(place(k), height - EDGE - up.share(this.x[k * 2 + 1]) * (height - 2 * EDGE), radius, 0, 7);
      context.fill();
    }
  }

  /** @type {(side: string, ends: { low: number, high: number }) => void} */
  #ends(side, { low, high }) {
    const [first, last] = this.node.querySelectorAll(`.${side} output`);
    [first.textContent, last.textContent] = [number(low), number(high)];
  }
}

/** @type {(side: string, name: string) => HTMLElement} */
const axis = (side, name) =>
  element("div", { class: `axis ${side}` }, element("output"), element("bdi", {}, name), element("output"));

/** @param {number[]} values */
function spread(values) {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const share = (/** @type {number} */ value) => (high > low ? (value - low) / (high - low) : 0.5);
  return { low, high, share };
}
