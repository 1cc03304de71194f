// @ts-nocheck
// Training time as an axis: the loss and the samples of each checkpoint, scrubbed without the server.
import { fit, pixels } from "../shared/canvas.js";
import { Chart } from "../shared/chart.js";
import { element } from "../shared/dom.js";
import { float32, mixture, uint8 } from "../shared/packed.js";
import { timeline } from "../shared/player.js";
import { paintCloud, paintGrid } from "../shared/samples.js";
import { Steps } from "../shared/steps.js";
import { Instrument } from "./instrument.js";
import { weighed } from "./weighed.js";

export default class TrainingTime extends Instrument {
  fill() {
    this.canvas = element("canvas", { "aria-label": "Samples of the checkpoint; a summary follows below" });
    this.side = element("div", { class: "side" });
    this.chart = new Chart(this.side);
    this.stage.classList.add("beside");
    this.stage.append(element("div", { class: "picture" }, this.canvas), this.side);
    const line = timeline("Training time: images seen");
    this.player = new Steps(line, { run: () => this.run, moved: () => (this.dirty = true) });
    this.player.fraction = 1;
    this.stage.after(line.node);
    this.tile = element("canvas");
    new ResizeObserver(() => (this.dirty = true)).observe(this.stage);
    this.animate();
  }

  get run() {
    return this.body && { images: this.body.checkpoints.map(({ images }) => images) };
  }

  show(body) {
    body.measured ??= body.figure;
    const read = body.shape.length === 1 ? float32 : uint8;
    this.samples = body.checkpoints.map(({ sample }) => sample && { ...sample, x: read(sample.x) });
    this.drawn = null;
    this.dirty = true;
  }

  // All curves faint, that of the present checkpoint strong.
  present(index) {
    this.drawn = index;
    const { body } = this;
    const [loss, progress] = body.measured.panels;
    const count = body.checkpoints.length;
    const lines = loss.lines.map((line, k) => {
      if (k >= count) return line;
      return k === index
        ? { ...line, opacity: 1, width: 3 }
        : { ...line, low: null, high: null, opacity: 0.3, width: 1.3, name: null };
    });
    const [curve] = progress.lines;
    const now = { mode: "markers", color: body.color, size: 12, x: [curve.x[index]], y: [curve.y[index]] };
    const most = 1.15 * Math.max(...curve.y);
    const range = [curve.x[0] / 1.4, curve.x[count - 1] * 1.4];
    const second = {
      ...progress,
      x: { ...progress.x, range },
      y: { ...progress.y, range: [0, most] },
      lines: [{ ...curve, opacity: 0.55, width: 1.5 }, now],
    };
    body.figure = { ...body.measured, panels: [weighed({ ...loss, lines }, "own"), second] };
    this.chart.show(body.figure, this.colors);
  }

  paint() {
    this.dirty = false;
    this.player.show();
    const { index } = this.player;
    if (this.drawn !== index) this.present(index);
    const drawing = fit(this.canvas);
    const sample = this.samples[index];
    if (!sample) return this.wait(drawing);
    if (this.body.shape.length === 3) this.paintImages(drawing, sample);
    else this.paintPoints(drawing, sample);
    this.node.dataset.checkpoint = this.body.checkpoints[index].name;
  }

  wait({ context, width, height }) {
    context.fillStyle = this.colors.mute;
    context.font = "13px system-ui, sans-serif";
    context.textAlign = "center";
    context.fillText("the samples of this checkpoint are being computed …", width / 2, height / 2);
  }

  paintImages(drawing, { count, x }) {
    const paint = (k, px, py, size) =>
      drawing.context.drawImage(pixels(x, this.body.shape, k, this.tile), px, py, size, size);
    paintGrid(drawing, count, this.colors, paint);
  }

  paintPoints(drawing, { x, field }) {
    const data = this.bench.page.boot.models.find(({ name }) => name === this.body.data);
    const [dimension] = this.body.shape;
    const components = data?.components && mixture(data.components, dimension);
    const arrows = field && { positions: float32(field.positions), arrows: float32(field.arrows) };
    paintCloud(drawing, { x, dimension, components, field: arrows }, this.colors);
  }
}
