// Training time as an axis: the loss and the samples of each checkpoint, scrubbed without the server.
import { fit, pixels } from "../shared/canvas.js";
import { Chart } from "../shared/chart.js";
import { element, watchSize } from "../shared/dom.js";
import { arrowsOf, float32, mixture, uint8 } from "../shared/packed.js";
import { StepPlayer, timeline } from "../shared/player.js";
import { paintCloud, paintGrid } from "../shared/samples.js";
import { Instrument } from "./instrument.js";
import { weighed } from "./weighed.js";

/** @typedef {import("../shared/types.d.ts").Colors} Colors */
/** @typedef {import("../shared/types.d.ts").Figure} Figure */
/** @typedef {import("../shared/canvas.js").Drawing} Drawing */
/** @typedef {import("../shared/messages.d.ts").TrainingTime} Body */
/** @typedef {{ count: number, x: Float32Array | Uint8Array, field: import("../shared/types.d.ts").Field | null }} Sample */

/** @extends {Instrument<Body>} */
export default class TrainingTime extends Instrument {
  /** @type {(Sample | null)[]} Of each checkpoint; null: they are being computed. */
  #samples = [];
  /** @type {Figure | null} */
  #figure = null;
  /** @type {number | null} The checkpoint whose curve is strong. */
  #drawn = null;
  #tile = element("canvas");

  /** @param {ConstructorParameters<typeof Instrument>} parts */
  constructor(...parts) {
    super(...parts);
    this.canvas = element("canvas", { "aria-label": "Samples of the checkpoint; a summary follows below" });
    const side = element("div", { class: "side" });
    this.chart = new Chart(side);
    this.stage.classList.add("beside");
    this.stage.append(element("div", { class: "picture" }, this.canvas), side);
    const line = timeline("Training time: images seen");
    this.player = new StepPlayer(line, { run: () => this.track, moved: () => this.repaint() });
    this.player.fraction = 1;
    this.stage.after(line.node);
    watchSize(this.stage, () => this.repaint());
    this.animate(this.player);
  }

  get track() {
    return this.body && { images: this.body.checkpoints.map(({ images }) => images) };
  }

  /**
   * @override
   * @param {Body} body
   */
  show({ shape, checkpoints }) {
    const read = shape.length === 1 ? float32 : uint8;
    this.#samples = checkpoints.map(
      ({ sample }) =>
        sample && { count: sample.count, x: read(sample.x), field: sample.field ? arrowsOf(sample.field) : null },
    );
    this.#drawn = null;
    this.repaint();
  }

  /** @override */
  get figure() {
    return this.#figure;
  }

  /** @override */
  paint() {
    const { body, colors, track } = this;
    if (!body || !track) return;
    const index = this.player.at(track.images);
    this.player.mark(`${Math.round(track.images[index] / 1000)} k images`);
    if (this.#drawn !== index && body.figure) {
      this.#drawn = index;
      this.#figure = present(body.figure, body, index);
      this.chart.show(this.#figure, colors);
    }
    const drawing = fit(this.canvas);
    const sample = this.#samples[index];
    if (!sample) {
      wait(drawing, colors);
      return;
    }
    if (sample.x instanceof Float32Array) this.#paintPoints(drawing, sample.x, sample.field, colors);
    else this.#paintImages(drawing, sample.count, sample.x, colors);
    this.node.dataset.checkpoint = body.checkpoints[index].name;
  }

  /** @type {(drawing: Drawing, count: number, x: Uint8Array, colors: Colors) => void} */
  #paintImages(drawing, count, x, colors) {
    const { shape } = /** @type {Body} */ (this.body);
    paintGrid(drawing, count, colors, (k, left, top, size) =>
      drawing.context.drawImage(pixels(x, shape, k, this.#tile), left, top, size, size),
    );
  }

  /** @type {(drawing: Drawing, x: Float32Array, field: Sample["field"], colors: Colors) => void} */
  #paintPoints(drawing, x, field, colors) {
    const { data, shape } = /** @type {Body} */ (this.body);
    const [dimension] = shape;
    const model = this.bench.page.boot.models.find(({ name }) => name === data);
    const components = model?.components ? mixture(model.components, dimension) : null;
    paintCloud(drawing, { x, dimension, components, field }, colors);
  }

  /** @override */
  picture() {
    return this.chart.picture();
  }
}

/**
 * All curves faint, that of one checkpoint strong.
 * @param {Figure} figure
 * @param {Body} body
 * @param {number} index
 * @returns {Figure}
 */
function present(figure, { checkpoints, color }, index) {
  const [loss, progress] = figure.panels;
  const count = checkpoints.length;
  const lines = (loss.lines ?? []).map((line, k) => {
    if (k >= count) return line;
    if (k === index) return { ...line, opacity: 1, width: 3 };
    return { ...line, low: null, high: null, opacity: 0.3, width: 1.3, name: null };
  });
  const [curve] = progress.lines ?? [];
  const now = { mode: "markers", color, size: 12, x: [curve.x[index]], y: [curve.y[index]] };
  const most = 1.15 * Math.max(...curve.y.map((value) => value ?? 0));
  const range = [(curve.x[0] ?? 0) / 1.4, (curve.x[count - 1] ?? 0) * 1.4];
  const second = {
    ...progress,
    x: { ...progress.x, range },
    y: { ...progress.y, range: [0, most] },
    lines: [{ ...curve, opacity: 0.55, width: 1.5 }, now],
  };
  return { ...figure, panels: [weighed({ ...loss, lines }, "own"), second] };
}

/** @type {(drawing: Drawing, colors: Colors) => void} */
function wait({ context, width, height }, colors) {
  context.fillStyle = colors.mute;
  context.font = "13px system-ui, sans-serif";
  context.textAlign = "center";
  context.fillText("the samples of this checkpoint are being computed …", width / 2, height / 2);
}
