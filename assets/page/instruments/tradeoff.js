// Fidelity against diversity: what was measured over the weight of guidance, and below it pictures at each, a row each.
import { fit, paper, pixels } from "../shared/canvas.js";
import { Chart } from "../shared/chart.js";
import { button, element, watchSize } from "../shared/dom.js";
import { typeset, write } from "../shared/mathematics.js";
import { uint8 } from "../shared/packed.js";
import { changeView, showSwitches } from "../shared/stages/switches.js";
import { Costly } from "./costly.js";

/** @typedef {import("../shared/messages.d.ts").Tradeoff} Body */
/** @typedef {Body["lines"][number]} Line */

const GAP = 4; // CSS pixels between pictures
const LEAST = 42; // of a picture with its gap: as many stand in a row as there is room for
const LABEL = 70; // of a row's words, where the picture is taken away

/** @extends {Costly<Body>} */
export default class Tradeoff extends Costly {
  /** @type {import("../shared/types.d.ts").View} of: the line whose pictures are shown, by its number. */
  #view = {};
  /** @type {(Uint8Array | null)[]} The pictures of that line. */
  #samples = [];
  #tile = element("canvas");

  /** @param {ConstructorParameters<typeof Costly>} parts */
  constructor(...parts) {
    super(...parts);
    this.views = element("div", { class: "views" });
    this.heads = element("div", { class: "rows" });
    this.canvas = element("canvas", {
      "aria-label": "Samples at each weight, the same noise in a column; a summary follows below",
    });
    this.failed = element("p", { class: "failed", hidden: true });
    const side = element("div", { class: "side" });
    this.chart = new Chart(side);
    this.stage.classList.add("weighed");
    const picture = element("div", { class: "picture" }, this.canvas);
    this.stage.append(side, element("div", { class: "guided" }, this.heads, picture, this.failed));
    this.heading.append(this.views);
    watchSize(this.stage, () => this.repaint());
    this.animate();
  }

  /** The line whose pictures are shown. */
  get #line() {
    const { lines } = /** @type {Body} */ (this.body);
    return lines[Number(this.#view.of?.slice(1) ?? 0)] ?? lines[0];
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
  show({ lines, figure }) {
    this.mark(this.busy);
    const names = Object.fromEntries(lines.map(({ title }, k) => [k ? `n${k}` : "", title]));
    if (!(String(this.#view.of ?? "") in names)) this.#view = {};
    showSwitches(this.views, [["of", names, "Whose pictures are shown"]], this.#view, (changes) => {
      changeView(this.#view, changes);
      if (this.body) this.show(this.body);
    });
    this.views.hidden = lines.length < 2;
    const { error, pictures } = this.#line;
    this.failed.textContent = error ?? "";
    this.failed.hidden = !error;
    this.#samples = pictures.map(({ samples }) => (samples ? uint8(samples) : null));
    this.#showHeads(pictures);
    if (figure) this.chart.show(figure, this.colors);
    const points = figure?.panels[0].lines?.reduce((sum, { x }) => sum + x.length, 0) ?? 0;
    this.node.dataset.points = String(points);
    this.repaint();
  }

  /** @param {Line["pictures"]} pictures */
  #showHeads(pictures) {
    const heads = pictures.map(({ title, document }) => {
      const head = button({ class: "plain", title: "Open these settings in the Sampler tab" }, ...typeset(title));
      head.addEventListener("click", () => this.bench.page.load(JSON.parse(document)));
      return head;
    });
    this.heads.style.gridTemplateRows = `repeat(${pictures.length}, minmax(0, 1fr))`;
    this.heads.replaceChildren(...heads);
  }

  /** @override */
  paint() {
    const { body, colors } = this;
    if (!body) return;
    const { context, width, height } = fit(this.canvas);
    const row = height / Math.max(1, this.#samples.length);
    const columns = Math.max(1, Math.min(body.count, Math.floor(width / LEAST)));
    const size = Math.floor(Math.min(row, width / columns) - GAP);
    if (size < 1) return;
    context.imageSmoothingEnabled = false;
    context.strokeStyle = colors.line;
    this.#samples.forEach((samples, k) => {
      const top = k * row + (row - size) / 2;
      for (let column = 0; column < columns; column++) {
        const left = GAP + column * (size + GAP);
        if (samples) context.drawImage(pixels(samples, body.shape, column, this.#tile), left, top, size, size);
        context.strokeRect(left - 0.5, top - 0.5, size + 1, size + 1);
      }
    });
    this.node.dataset.pictures = String(this.#samples.filter(Boolean).length);
  }

  /** @override */
  async picture() {
    const ratio = window.devicePixelRatio || 1;
    const chart = await this.chart.picture(1);
    const [w, h] = [chart.width * ratio, chart.height * ratio];
    const { width, height } = this.canvas;
    const left = LABEL * ratio;
    const { canvas, context } = paper(Math.max(width + left, w), h + height, this.colors);
    const { pictures } = this.#line;
    context.font = `${12 * ratio}px system-ui, sans-serif`;
    context.textAlign = "right";
    context.fillStyle = this.colors.ink;
    pictures.forEach(({ title }, k) =>
      write(context, title, left - 8 * ratio, h + ((k + 0.5) * height) / pictures.length + 4 * ratio),
    );
    context.drawImage(chart, 0, 0, w, h);
    context.drawImage(this.canvas, left, h);
    return canvas;
  }
}
