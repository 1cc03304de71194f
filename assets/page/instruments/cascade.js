// A cascade: at each σ_c the same low-resolution images, what noise makes of them, and what network and exact denoiser
// make of that; below it what was measured over σ_c.
import { fit, paper, pixels } from "../shared/canvas.js";
import { Chart } from "../shared/chart.js";
import { button, element, watchSize } from "../shared/dom.js";
import { typeset, write } from "../shared/mathematics.js";
import { number } from "../shared/numbers.js";
import { uint8 } from "../shared/packed.js";
import { Costly } from "./costly.js";

/** @typedef {import("../shared/messages.d.ts").Cascade} Body */
/** @typedef {{ images: Uint8Array | null, shape: number[] }} Row */

const [LABELS, HEAD, GAP, BETWEEN] = [104, 20, 4, 18]; // pixels: left of all, above a group, around pictures, of groups
const NARROW = 560; // below which groups stand under each other
const ROWS = ["low resolution", "with noise σ_c", "by the network", "by the exact D"];

/** @extends {Costly<Body>} */
export default class Cascade extends Costly {
  /** @type {Row[][]} Of each σ_c its four rows. */
  #groups = [];
  #tile = element("canvas");

  /** @param {ConstructorParameters<typeof Costly>} parts */
  constructor(...parts) {
    super(...parts);
    this.canvas = element("canvas", {
      "aria-label": "Low-resolution images, and what is made of them at each noise; a summary follows below",
    });
    const side = element("div", { class: "side" });
    this.chart = new Chart(side);
    this.open = element("div", { class: "views" });
    this.heading.append(this.open);
    this.stage.classList.add("cascade");
    this.stage.append(element("div", { class: "picture" }, this.canvas), side);
    watchSize(this.stage, () => this.repaint());
    this.animate();
  }

  /** @override */
  stop() {
    super.stop();
    if (this.body) this.state.textContent = "what is finished stays";
  }

  /**
   * @override
   * @param {Body} body
   */
  show({ figure, low, levels, shape, lowShape }) {
    this.mark(this.busy);
    /** @type {(images: string | null, shape: number[]) => Row} */
    const row = (images, shape) => ({ images: images ? uint8(images) : null, shape });
    this.#groups = levels.map(({ noised, network, ideal }) => [
      row(low, lowShape),
      row(noised, lowShape),
      row(network, shape),
      row(ideal, shape),
    ]);
    const heads = levels.map(({ sigma, document }) => {
      const title = "Open these settings in the Sampler tab";
      const head = button({ class: "plain", title }, ...typeset(`σ_c = ${number(sigma)}`));
      head.addEventListener("click", () => this.bench.page.load(JSON.parse(document)));
      return head;
    });
    this.open.replaceChildren(...heads);
    if (figure) this.chart.show(figure, this.colors);
    const points = figure?.panels[0].lines?.reduce((sum, { x }) => sum + x.length, 0) ?? 0;
    this.node.dataset.points = String(points);
    this.repaint();
  }

  /** @override */
  paint() {
    const { body, colors } = this;
    if (!body) return;
    const { context, width, height } = fit(this.canvas);
    const stacked = width < NARROW;
    const across = stacked ? 1 : this.#groups.length;
    const down = stacked ? this.#groups.length : 1;
    const [left, each] = [LABELS, (height - HEAD * down) / down];
    const room = (width - left - BETWEEN * (across - 1)) / across;
    const size = Math.floor(Math.min(room / body.count, each / ROWS.length) - GAP);
    if (size < 1) return;
    context.imageSmoothingEnabled = false;
    context.font = "12px system-ui, sans-serif";
    const step = Math.min(body.count * (size + GAP) + BETWEEN, room + BETWEEN);
    const shift = (width - left - step * across + BETWEEN) / 2;
    this.#groups.forEach((rows, k) => {
      const x = left + Math.max(0, shift) + (stacked ? 0 : k * step);
      const top = stacked ? k * (each + HEAD) : 0;
      context.textAlign = "left";
      context.fillStyle = colors.ink;
      write(context, `σ_c = ${number(body.levels[k].sigma)}`, x, top + 13);
      context.textAlign = "right";
      context.fillStyle = colors.mute;
      if (stacked || !k)
        for (const [row, text] of ROWS.entries())
          write(context, text, x - 10, top + HEAD + (row + 0.5) * (size + GAP) + 3);
      this.#group(context, rows, { x, y: top + HEAD, size });
    });
    this.node.dataset.pictures = String(this.#groups.flat().filter(({ images }) => images).length);
  }

  /** @type {(context: CanvasRenderingContext2D, rows: Row[], place: { x: number, y: number, size: number }) => void} */
  #group(context, rows, { x, y, size }) {
    const { count } = /** @type {Body} */ (this.body);
    context.strokeStyle = this.colors.line;
    for (const [row, { images, shape }] of rows.entries()) {
      const top = y + row * (size + GAP);
      for (let k = 0; k < count; k++) {
        const at = x + k * (size + GAP);
        if (images) context.drawImage(pixels(images, shape, k, this.#tile), at, top, size, size);
        context.strokeRect(at - 0.5, top - 0.5, size + 1, size + 1);
      }
    }
  }

  /** @override */
  async picture() {
    const ratio = window.devicePixelRatio || 1;
    const chart = await this.chart.picture(1);
    const [w, h] = [chart.width * ratio, chart.height * ratio];
    const { width, height } = this.canvas;
    const { canvas, context } = paper(Math.max(width, w), h + height, this.colors);
    context.drawImage(this.canvas, 0, 0);
    context.drawImage(chart, 0, height, w, h);
    return canvas;
  }
}
