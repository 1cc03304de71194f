// Predict what? Samples in the plane of their data, a row for each prediction and a column for each number of
// dimensions; beside them how far they are from the data.
import { fit, paper } from "../shared/canvas.js";
import { Chart } from "../shared/chart.js";
import { css } from "../shared/colors.js";
import { element, watchSize } from "../shared/dom.js";
import { float32, mixture } from "../shared/packed.js";
import { paintCloud } from "../shared/samples.js";
import { Instrument } from "./instrument.js";

/** @typedef {import("../shared/messages.d.ts").Predictions} Body */

const [LEFT, TOP, BELOW, GAP] = [58, 24, 20, 8]; // pixels: titles of rows and columns, distances, and between pictures

/** @extends {Instrument<Body>} */
export default class Prediction extends Instrument {
  /** @type {Float32Array[][]} */
  #points = [];
  /** @type {import("../shared/types.d.ts").Component[]} */
  #components = [];

  /** @param {ConstructorParameters<typeof Instrument>} parts */
  constructor(...parts) {
    super(...parts);
    this.canvas = element("canvas", {
      role: "img",
      "aria-label": "Samples over their data, by prediction and number of dimensions; a summary follows below",
    });
    const side = element("div", { class: "side" });
    this.chart = new Chart(side);
    this.stage.classList.add("beside");
    this.stage.append(element("div", { class: "picture" }, this.canvas), side);
    watchSize(this.stage, () => this.repaint());
    this.animate();
  }

  /**
   * @override
   * @param {Body} body
   */
  show({ figure, rows, components }) {
    this.#points = rows.map(({ cells }) => cells.map(({ x }) => float32(x)));
    this.#components = mixture(components, 2);
    this.node.dataset.rows = String(rows.length);
    if (figure) this.chart.show(figure, this.colors);
    this.repaint();
  }

  /** @override */
  paint() {
    const { body, colors } = this;
    if (!body) return;
    const { context, width, height } = fit(this.canvas);
    const { dimensions, rows } = body;
    const across = (width - LEFT) / dimensions.length - GAP;
    const size = Math.max(8, Math.min(across, (height - TOP) / Math.max(rows.length, 1) - BELOW - GAP));
    context.textAlign = "center";
    dimensions.forEach((d, k) => {
      context.font = "600 12.5px system-ui, sans-serif";
      context.fillStyle = colors.ink;
      context.fillText(size < 120 ? `d = ${d}` : `${d} dimensions`, this.#left(k, size) + size / 2, 15);
    });
    rows.forEach(({ title, what, color, cells }, r) => {
      const y = TOP + r * (size + BELOW + GAP);
      context.textAlign = "left";
      context.font = "italic 600 22px ui-serif, serif";
      context.fillStyle = css(colors, color);
      context.fillText(title, 0, y + size / 2);
      context.font = "12px system-ui, sans-serif";
      context.fillStyle = colors.mute;
      context.fillText(what, 0, y + size / 2 + 18, LEFT - 4);
      cells.forEach(({ distance }, k) => {
        const x = this.#left(k, size);
        this.#cell(context, [x, y, size], this.#points[r][k]);
        context.textAlign = "center";
        context.fillStyle = colors.ink;
        context.fillText(
          `${distance < 10 ? distance.toPrecision(2) : Math.round(distance)} away`,
          x + size / 2,
          y + size + 14,
        );
      });
    });
  }

  /** @type {(column: number, size: number) => number} */
  #left(column, size) {
    return LEFT + column * (size + GAP);
  }

  /** @type {(context: CanvasRenderingContext2D, place: [number, number, number], x: Float32Array) => void} */
  #cell(context, [left, top, size], x) {
    context.save();
    context.beginPath();
    context.rect(left, top, size, size);
    context.clip();
    context.translate(left, top);
    const drawing = { context, width: size, height: size, ratio: 1 };
    paintCloud(drawing, { x, dimension: 2, components: this.#components }, this.colors);
    context.restore();
    context.strokeStyle = this.colors.line;
    context.strokeRect(left + 0.5, top + 0.5, size - 1, size - 1);
  }

  /** @override */
  async picture() {
    const chart = await this.chart.picture(1);
    const ratio = window.devicePixelRatio || 1;
    const [w, h] = [chart.width * ratio, chart.height * ratio];
    const { width, height } = this.canvas;
    const { canvas, context } = paper(width + w, Math.max(height, h), this.colors);
    context.drawImage(this.canvas, 0, 0);
    context.drawImage(chart, width, 0, w, h);
    return canvas;
  }
}
