// Learned against ideal denoiser: |D_θ − D*| over the plane at a σ that one scrubs, or the rows of Figure 1, and a curve.
import { fit, paper } from "../shared/canvas.js";
import { Chart, panelOf } from "../shared/chart.js";
import { countUp, element, putAt, watchSize } from "../shared/dom.js";
import { uint8 } from "../shared/packed.js";
import { NoisePlayer, timeline } from "../shared/player.js";
import { GapPlane } from "./gap_plane.js";
import { heightOfRows, paintRows } from "./image_rows.js";
import { Instrument } from "./instrument.js";

/** @typedef {import("../shared/types.d.ts").Colors} Colors */
/** @typedef {import("../shared/messages.d.ts").Oracle} Body */

const LIGHT = ["scale", "arrows"]; // knobs of the picture only
const FIRST = 0.55; // where the slider stands at first: where there is something to be seen

/** @extends {Instrument<Body>} */
export default class Oracle extends Instrument {
  /** @type {GapPlane | null} */
  #plane = null;
  /** @type {import("./image_rows.js").Rows | null} */
  #rows = null;
  #kind = "";
  #tile = element("canvas");

  /** @param {ConstructorParameters<typeof Instrument>} parts */
  constructor(...parts) {
    super(...parts);
    this.canvas = element("canvas", {
      "aria-label": "Where learned and ideal denoiser differ; a summary follows below",
    });
    this.box = element("div", { class: "picture" }, this.canvas);
    const side = element("div", { class: "side" });
    this.cursor = element("i", { class: "cursor", hidden: true });
    this.chart = new Chart(side);
    side.append(this.cursor);
    this.stage.classList.add("beside");
    this.stage.append(this.box, side);
    const line = timeline("Noise level σ: from noise to data");
    const run = () => (this.body?.plane ? { levels: this.body.levels, sigmaData: this.body.sigmaData } : null);
    this.player = new NoisePlayer(line, { run, moved: () => this.repaint() });
    this.time = line.node;
    this.time.hidden = true;
    this.stage.after(this.time);
    this.chart.onDrawn = () => this.repaint();
    watchSize(this.stage, () => this.#measure());
    this.animate(this.player);
  }

  /**
   * @override
   * @param {string} knob
   */
  idle(knob) {
    if (!this.body) return false;
    return knob === "image" ? !this.body.images : LIGHT.includes(knob) && !this.body.plane;
  }

  /**
   * @override
   * @param {string[]} names
   */
  changed(names) {
    if (names.every((name) => LIGHT.includes(name))) this.repaint();
    else super.changed(names);
  }

  /**
   * @override
   * @param {Body} body
   */
  show({ figure, images, plane }) {
    const first = !this.#plane && plane;
    this.stage.classList.toggle("above", Boolean(images));
    this.stage.classList.toggle("beside", !images);
    this.box.hidden = !images && !plane;
    this.time.hidden = this.cursor.hidden = !plane;
    this.#plane = plane && new GapPlane(plane, this.#plane);
    this.#rows = images && {
      shape: images.shape,
      sigmas: images.sigmas,
      rows: images.rows.map((row) => ({ title: row.title, images: uint8(row.images) })),
    };
    this.node.dataset.levels = String(this.#plane?.levels ?? 0);
    const kind = `${Boolean(plane)}${Boolean(images)}`;
    if (this.#kind !== kind) this.store.tell(); // other knobs are idle
    this.#kind = kind;
    if (figure) this.chart.show(figure, this.colors);
    if (first) {
      this.player.seek(FIRST);
      if (!this.player.calm) this.player.play(false);
    }
    this.#measure();
  }

  /** Rows of images are as high as they need to be; the chart takes the rest. */
  #measure() {
    const { width, height } = this.stage.getBoundingClientRect();
    this.box.style.height = this.#rows ? `${Math.min(0.62 * height, heightOfRows(this.#rows, width))}px` : "";
    this.repaint();
  }

  /** @override */
  paint() {
    const { body, colors } = this;
    if (!body) return;
    const drawing = fit(this.canvas);
    if (this.#plane) {
      const [u, sigma] = this.player.show(body.levels);
      const { scale, arrows } = this.values;
      const { color, sigmaData } = body;
      this.#plane.paint(
        drawing,
        { u, sigma, sigmaData, color, overall: scale === "all", arrows, tile: this.#tile },
        colors,
      );
      this.#follow(sigma);
    }
    if (this.#rows) paintRows(drawing, this.#rows, this.#tile, colors);
    countUp(this.node, "paints");
  }

  /**
   * Where the slider stands, on the curve.
   * @param {number} sigma
   */
  #follow(sigma) {
    const panel = panelOf(this.chart, 0);
    if (!panel) return;
    putAt(this.cursor, { left: panel.left + panel.across(sigma), top: panel.top, height: panel.height });
  }

  /** @override */
  async picture() {
    const chart = await this.chart.picture(1);
    const { width, height } = this.box.hidden ? { width: 0, height: 0 } : this.canvas;
    const beside = this.stage.classList.contains("beside");
    const ratio = window.devicePixelRatio || 1;
    const [w, h] = [chart.width * ratio, chart.height * ratio];
    const size = beside ? [width + w, Math.max(height, h)] : [Math.max(width, w), height + h];
    const { canvas, context } = paper(size[0], size[1], this.colors);
    if (width) context.drawImage(this.canvas, 0, 0);
    context.drawImage(chart, beside ? width : 0, beside ? 0 : height, w, h);
    return canvas;
  }
}
