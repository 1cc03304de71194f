// @ts-nocheck
// Learned against ideal denoiser: |D_θ − D*| over the plane at a σ that one scrubs, or the rows of Figure 1, and a curve.
import { fit, pixels } from "../shared/canvas.js";
import { Chart, panelOf } from "../shared/chart.js";
import { element } from "../shared/dom.js";
import { bracket } from "../shared/levels.js";
import { lerp, number, rounded } from "../shared/numbers.js";
import { float32, uint8 } from "../shared/packed.js";
import { Player, timeline } from "../shared/player.js";
import { Instrument } from "./instrument.js";

const LIGHT = ["scale", "arrows"]; // knobs of the picture only
const LABELS = 86; // pixels at the left of the rows of images

export default class Oracle extends Instrument {
  fill() {
    this.canvas = element("canvas", {
      "aria-label": "Where learned and ideal denoiser differ; a summary follows below",
    });
    this.box = element("div", { class: "picture" }, this.canvas);
    this.side = element("div", { class: "side" });
    this.cursor = element("i", { class: "cursor", hidden: true });
    this.chart = new Chart(this.side);
    this.side.append(this.cursor);
    this.stage.classList.add("beside");
    this.stage.append(this.box, this.side);
    const line = timeline("Noise level σ: from noise to data");
    this.player = new Player(line, { run: () => this.run, moved: () => (this.dirty = true) });
    this.time = line.node;
    this.time.hidden = true;
    this.stage.after(this.time);
    this.tile = element("canvas");
    this.chart.onDrawn = () => (this.dirty = true);
    new ResizeObserver(() => this.measure()).observe(this.stage);
    this.animate();
  }

  get run() {
    return this.body?.plane ? { levels: this.body.levels, sigmaData: this.body.sigmaData } : null;
  }

  idle(knob) {
    if (!this.body) return false;
    return knob === "image" ? !this.body.images : LIGHT.includes(knob) && !this.body.plane;
  }

  changed(names) {
    if (!names.every((name) => LIGHT.includes(name))) return super.changed();
    this.dirty = true;
  }

  show(body) {
    const first = !this.plane && body.plane;
    this.stage.classList.toggle("above", Boolean(body.images));
    this.stage.classList.toggle("beside", !body.images);
    this.box.hidden = !body.images && !body.plane;
    this.time.hidden = !body.plane;
    this.cursor.hidden = !body.plane;
    this.plane = body.plane && {
      ...body.plane,
      y: float32(body.plane.y),
      n: float32(body.plane.n),
      fields: body.plane.fields.map((field) => this.unpack(field)),
    };
    this.rows = body.images?.rows.map(({ title, images }) => ({ title, images: uint8(images) }));
    this.node.dataset.levels = this.plane?.fields.length ?? 0;
    const kind = `${Boolean(body.plane)}${Boolean(body.images)}`;
    if (this.kind !== kind) this.bench.refresh();
    this.kind = kind;
    super.show(body);
    if (first) {
      this.player.seek(0.55);
      if (!this.player.calm) this.player.play(false);
    }
    this.measure();
  }

  // Rows of images are as high as they need to be; the chart takes the rest.
  measure() {
    this.dirty = true;
    const { width, height } = this.stage.getBoundingClientRect();
    const high =
      this.rows && Math.min(0.62 * height, ((width - LABELS) / this.body.images.sigmas.length) * this.rows.length + 22);
    this.box.style.height = this.rows ? `${high}px` : "";
  }

  // The numbers of a level, unpacked once.
  unpack({ index, most, gap, likely, arrows }) {
    const known = this.plane?.fields.find((field) => field.index === index && field.text === gap);
    return known ?? { index, most, text: gap, gap: float32(gap), likely: float32(likely), arrows: float32(arrows) };
  }

  paint() {
    this.dirty = false;
    const drawing = fit(this.canvas);
    if (this.plane) this.paintPlane(drawing);
    if (this.rows) this.paintRows(drawing);
    this.node.dataset.paints = Number(this.node.dataset.paints ?? 0) + 1;
  }

  paintPlane({ context, width, height }) {
    const [u, sigma] = this.player.show();
    const { fields, cells, arrows, window } = this.plane;
    const index = fields.map((field) => field.index);
    const [j, next, f] = bracket({ index }, u);
    const [a, b] = [fields[j], fields[Math.min(next, fields.length - 1)]];
    const most = this.values.scale === "all" ? Math.max(...fields.map((field) => field.most)) : lerp(a.most, b.most, f);
    const size = Math.min(width, height);
    const [left, top] = [(width - size) / 2, (height - size) / 2];
    context.save();
    context.beginPath();
    context.rect(left, top, size, size);
    context.clip();
    const seen = (i) => lerp(a.likely[i], b.likely[i], f);
    this.heat(cells, (i) => Math.min(1, lerp(a.gap[i], b.gap[i], f) / most) * (0.12 + 0.88 * seen(i)));
    context.imageSmoothingEnabled = true;
    context.imageSmoothingQuality = "high";
    context.drawImage(this.tile, left, top, size, size);
    const place = (x, y) => [left + (size / 2) * (1 + x / window), top + (size / 2) * (1 - y / window)];
    this.dots(context, place, sigma);
    const cell = (k) => Math.floor(((k + 0.5) / arrows) * cells);
    const hidden = (k) => seen(cell(Math.floor(k / arrows)) * cells + cell(k % arrows)) < 0.3;
    const value = (i) => (hidden(i >> 1) ? 0 : lerp(a.arrows[i], b.arrows[i], f) / most);
    if (this.values.arrows) this.quiver(context, place, arrows, value, (size / arrows) * 0.8);
    context.restore();
    context.strokeStyle = this.colors.line;
    context.strokeRect(left, top, size, size);
    context.font = "12px system-ui, sans-serif";
    const text = `full colour: |D − D*| = ${rounded(most)}; faded where no sample comes`;
    const wide = context.measureText(text).width + 16;
    context.fillStyle = this.colors.panel;
    context.fillRect(left + 6, top + 6, wide, 22);
    context.fillStyle = this.colors.ink;
    context.fillText(text, left + 14, top + 21);
    this.follow(sigma);
  }

  // The grid is x-major and rises in y; the picture falls.
  heat(cells, value) {
    [this.tile.width, this.tile.height] = [cells, cells];
    const context = this.tile.getContext("2d");
    const image = context.createImageData(cells, cells);
    const [r, g, b] = this.colors[`${this.body.color}Rgb`];
    for (let i = 0; i < cells; i++)
      for (let j = 0; j < cells; j++) {
        image.data.set([r, g, b, 235 * value(i * cells + cells - 1 - j)], 4 * (j * cells + i));
      }
    context.putImageData(image, 0, 0);
  }

  // Noisy samples y + σn, where the loss is measured.
  dots(context, place, sigma) {
    const { y, n } = this.plane;
    const scale = 1 / Math.hypot(sigma, this.body.sigmaData);
    context.fillStyle = this.colors.data;
    context.globalAlpha = 0.55;
    for (let k = 0; k < y.length; k += 2) {
      const [px, py] = place((y[k] + sigma * n[k]) * scale, (y[k + 1] + sigma * n[k + 1]) * scale);
      context.fillRect(px - 1.1, py - 1.1, 2.2, 2.2);
    }
    context.globalAlpha = 1;
  }

  quiver(context, place, count, value, cell) {
    const { window } = this.plane;
    context.strokeStyle = this.colors.ink;
    context.lineWidth = 1.1;
    context.globalAlpha = 0.75;
    context.beginPath();
    for (let k = 0; k < count * count; k++) {
      const at = (i) => (((i + 0.5) / count) * 2 - 1) * window;
      const [x, y] = place(at(Math.floor(k / count)), at(k % count));
      let [dx, dy] = [value(2 * k), -value(2 * k + 1)];
      const length = Math.hypot(dx, dy);
      if (length < 0.02) continue;
      const drawn = (cell * Math.min(1, Math.sqrt(length))) / length;
      [dx, dy] = [dx * drawn, dy * drawn];
      context.moveTo(x - dx / 2, y - dy / 2);
      context.lineTo(x + dx / 2, y + dy / 2);
      for (const side of [-1, 1]) {
        context.moveTo(x + dx / 2, y + dy / 2);
        context.lineTo(x + dx * 0.2 + side * dy * 0.18, y + dy * 0.2 - side * dx * 0.18);
      }
    }
    context.stroke();
    context.globalAlpha = 1;
  }

  // Where the slider stands, on the curve.
  follow(sigma) {
    const panel = panelOf(this.chart, 0);
    if (!panel) return;
    Object.assign(this.cursor.style, {
      left: `${panel.left + panel.across(sigma)}px`,
      top: `${panel.top}px`,
      height: `${panel.height}px`,
    });
  }

  // Figure 1: each column is a noise level.
  paintRows({ context, width, height }) {
    const { shape, sigmas } = this.body.images;
    const size = Math.min((width - LABELS) / sigmas.length - 5, (height - 26) / this.rows.length - 5);
    const left = LABELS + (width - LABELS - sigmas.length * (size + 5)) / 2;
    context.imageSmoothingEnabled = false;
    context.font = "12px system-ui, sans-serif";
    this.rows.forEach(({ title, images }, row) => {
      const y = row * (size + 5);
      context.fillStyle = this.colors.mute;
      context.textAlign = "right";
      context.fillText(title, left - 10, y + size / 2 + 4);
      sigmas.forEach((_, k) =>
        context.drawImage(pixels(images, shape, k, this.tile), left + k * (size + 5), y, size, size),
      );
    });
    context.textAlign = "center";
    const below = this.rows.length * (size + 5) + 12;
    sigmas.forEach((sigma, k) =>
      context.fillText(
        `${k ? "" : "σ = "}${number(Number(sigma.toPrecision(2)))}`,
        left + k * (size + 5) + size / 2,
        below,
      ),
    );
  }

  async picture() {
    const chart = await this.chart.picture(1);
    const { width, height } = this.box.hidden ? { width: 0, height: 0 } : this.canvas;
    const beside = this.stage.classList.contains("beside");
    const ratio = window.devicePixelRatio || 1;
    const [w, h] = [chart.width * ratio, chart.height * ratio];
    const sheet = element(
      "canvas",
      beside ? { width: width + w, height: Math.max(height, h) } : { width: Math.max(width, w), height: height + h },
    );
    const context = sheet.getContext("2d");
    context.fillStyle = this.colors.bg;
    context.fillRect(0, 0, sheet.width, sheet.height);
    if (width) context.drawImage(this.canvas, 0, 0);
    context.drawImage(chart, beside ? width : 0, beside ? 0 : height, w, h);
    return sheet;
  }
}
