// @ts-nocheck
// The stage of a 2-D model: density, trajectories, arrows, moving particles, a particle to drag, a pad to draw on.
import { fit } from "../canvas.js";
import { bracket, sigmaAt } from "../levels.js";
import { clamp, lerp } from "../numbers.js";
import { float32, mixture } from "../packed.js";
import { paintShade, splat } from "./shade.js";

export const WINDOW = 1.3; // half height in units of the data's coordinates
export const FOLLOW_WINDOW = 2.6; // half height in units of √(σ² + σ_data²)
const DENSITY_ROWS = 110;
const MAX_DRAWN = 400;

export class Plane {
  constructor(canvas, options) {
    Object.assign(this, { canvas, options, result: null, probe: null, drawing: null, cursor: null });
    this.layer = document.createElement("canvas");
    this.shade = document.createElement("canvas");
    canvas.addEventListener("pointerdown", (event) => this.press(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, () => this.release());
    canvas.addEventListener("keydown", (event) => this.key(event));
  }

  setResult(result) {
    this.result = result;
    this.x = float32(result.run.x);
    this.components = mixture(result.components, 2);
    this.field = result.field && { positions: float32(result.field.positions), arrows: float32(result.field.arrows) };
    this.layerKey = null;
  }

  get follow() {
    return this.options.view.coordinates !== "data";
  }

  // From data units to canvas pixels at noise level σ.
  scaleAt(sigma) {
    const unit = (this.options.contain ? Math.min(this.width, this.height) : this.height) / 2;
    return this.follow ? unit / FOLLOW_WINDOW / Math.hypot(sigma, this.result.sigmaData || 0.5) : unit / WINDOW;
  }

  draw(u, colors) {
    const { context, width, height, ratio } = fit(this.canvas);
    Object.assign(this, { width, height, u });
    if (!this.result) return;
    const sigma = sigmaAt(this.result.levels, u);
    if (this.drawing) return this.drawPad(context, colors);
    this.drawDensity(context, sigma, colors);

    this.drawPaths(context, ratio, colors);
    if (this.field) this.drawField(context, u, colors);
    this.drawParticles(context, u, colors);
    this.drawProbe(context, u, colors);
  }

  // The data's density; where the window follows σ, that of the noisy data.
  drawDensity(context, sigmaNow, colors) {
    const sigma = this.follow ? sigmaNow : 0;
    const scale = this.scaleAt(sigma);
    const rows = DENSITY_ROWS;
    const columns = Math.max(1, Math.round((rows * this.width) / this.height));
    const key = [columns, scale, sigma, colors.data, this.result.id].join();
    if (this.shadeKey !== key) {
      this.shadeKey = key;
      const values = splat(this.components, sigma, columns, rows, this.width / 2 / scale, this.height / 2 / scale);
      paintShade(this.shade, values, columns, rows, colors.dataRgb, 0.6);
    }
    context.imageSmoothingEnabled = true;
    context.imageSmoothingQuality = "high";
    context.drawImage(this.shade, 0, 0, this.width, this.height);
  }

  // All trajectories, painted once for each result, view and size.
  drawPaths(context, ratio, colors) {
    const { run } = this.result;
    const key = [this.result.id, this.width, this.height, this.follow, colors.noise].join();
    if (this.layerKey !== key) {
      this.layerKey = key;
      this.layer.width = Math.round(this.width * ratio);
      this.layer.height = Math.round(this.height * ratio);
      const layer = this.layer.getContext("2d");
      layer.setTransform(ratio, 0, 0, ratio, 0, 0);
      layer.strokeStyle = colors.noise;
      layer.lineWidth = 0.8;
      layer.globalAlpha = clamp(70 / run.count, 0.1, 0.55);
      for (let k = 0; k < run.count; k++) {
        layer.beginPath();
        this.trace(layer, k);
        layer.stroke();
      }
    }
    context.drawImage(this.layer, 0, 0, this.width, this.height);
  }

  trace(context, k) {
    const { run } = this.result;
    const stride = run.count * 2;
    for (let j = 0, at = 2 * k; j < run.index.length; j++, at += stride) {
      const scale = this.scaleAt(run.sigma[j]);
      context.lineTo(this.width / 2 + this.x[at] * scale, this.height / 2 - this.x[at + 1] * scale);
    }
  }

  // Particle k at position u, in data units.
  particle(k, [j, next, f]) {
    const stride = this.result.run.count * 2;
    const [a, b] = [j * stride + 2 * k, next * stride + 2 * k];
    return [lerp(this.x[a], this.x[b], f), lerp(this.x[a + 1], this.x[b + 1], f)];
  }

  // In the picture that follows σ, positions between states move on straight lines of the picture.
  pixel([x, y], sigma) {
    const scale = this.scaleAt(sigma);
    return [this.width / 2 + x * scale, this.height / 2 - y * scale];
  }

  between(k, place) {
    const { run } = this.result;
    const [j, next, f] = place;
    const a = this.pixel(this.particle(k, [j, j, 0]), run.sigma[j]);
    const b = this.pixel(this.particle(k, [next, next, 0]), run.sigma[next]);
    return [lerp(a[0], b[0], f), lerp(a[1], b[1], f)];
  }

  drawParticles(context, u, colors) {
    const place = bracket(this.result.run, u);
    context.fillStyle = colors.noise;
    context.globalAlpha = 0.95;
    const radius = this.result.run.count > 1000 ? 1.4 : 2.2;
    context.beginPath();
    for (let k = 0; k < this.result.run.count; k++) {
      const [x, y] = this.between(k, place);
      context.moveTo(x + radius, y);
      context.arc(x, y, radius, 0, 7);
    }
    context.fill();
    context.globalAlpha = 1;
  }

  drawField(context, u, colors) {
    const { positions, arrows } = this.field;
    const [j] = bracket(this.result.run, u);
    const count = positions.length;
    const unit = this.height / 2 / (this.follow ? FOLLOW_WINDOW : WINDOW);
    let longest = 1e-9;
    for (let i = 0; i < count; i += 2)
      longest = Math.max(longest, Math.hypot(arrows[j * count + i], arrows[j * count + i + 1]));
    context.strokeStyle = colors.mute;
    context.lineWidth = 1.1;
    context.globalAlpha = 0.8;
    context.beginPath();
    for (let i = 0; i < count; i += 2) {
      const [dx, dy] = [arrows[j * count + i], -arrows[j * count + i + 1]];
      const size = Math.hypot(dx, dy);
      const length = (13 * Math.sqrt(size / longest)) / (size || 1);
      const [x, y] = [this.width / 2 + positions[i] * unit, this.height / 2 - positions[i + 1] * unit];
      const [tx, ty] = [x + dx * length, y + dy * length];
      context.moveTo(x, y);
      context.lineTo(tx, ty);
      context.moveTo(tx - (dx - dy * 0.6) * length * 0.35, ty - (dy + dx * 0.6) * length * 0.35);
      context.lineTo(tx, ty);
      context.lineTo(tx - (dx + dy * 0.6) * length * 0.35, ty - (dy - dx * 0.6) * length * 0.35);
    }
    context.stroke();
    context.globalAlpha = 1;
  }

  // The particle one can drag: its path in bold, a ring where it is now.
  drawProbe(context, u, colors) {
    context.strokeStyle = colors.ink;
    context.lineWidth = 2;
    context.lineJoin = "round";
    context.beginPath();
    let ring;
    if (this.probe) {
      const { level, sigma, path } = this.probe;
      const pixels = path.map((point, i) => this.pixel(point, sigma[i] ?? 0));
      for (const [x, y] of pixels) context.lineTo(x, y);
      const at = clamp(u - level, 0, path.length - 1);
      const i = Math.min(Math.floor(at), path.length - 2);
      ring = [0, 1].map((axis) => lerp(pixels[i][axis], pixels[i + 1][axis], at - i));
    } else {
      this.trace(context, 0);
      ring = this.between(0, bracket(this.result.run, u));
    }
    context.stroke();
    this.ring = ring;
    context.fillStyle = colors.noise;
    context.beginPath();
    context.arc(...ring, 6.5, 0, 7);
    context.fill();
    context.lineWidth = 2.5;
    context.stroke();
  }

  drawPad(context, colors) {
    const scale = this.height / 2 / WINDOW;
    context.strokeStyle = colors.line;
    context.strokeRect(this.width / 2 - scale, this.height / 2 - scale, 2 * scale, 2 * scale);
    context.fillStyle = colors.data;
    for (const [x, y] of this.drawing) {
      context.beginPath();
      context.arc(this.width / 2 + x * scale, this.height / 2 - y * scale, 3, 0, 7);
      context.fill();
    }
    if (this.cursor) {
      const [x, y] = [this.width / 2 + this.cursor[0] * scale, this.height / 2 - this.cursor[1] * scale];
      context.strokeStyle = colors.ink;
      context.strokeRect(x - 6, y - 6, 12, 12);
    }
  }

  place(event) {
    const box = this.canvas.getBoundingClientRect();
    const sigma = this.drawing ? 0 : sigmaAt(this.result.levels, Math.floor(this.u));
    const scale = this.drawing ? this.height / 2 / WINDOW : this.scaleAt(sigma);
    return [(event.clientX - box.left - this.width / 2) / scale, (this.height / 2 - event.clientY + box.top) / scale];
  }

  press(event) {
    if (!this.result || event.button) return;
    this.pressed = true;
    this.canvas.setPointerCapture(event.pointerId);
    if (this.drawing) this.stroke(this.place(event));
    else this.options.onProbe(this.place(event));
  }

  move(event) {
    if (!this.pressed) return;
    if (this.drawing) this.stroke(this.place(event));
    else this.options.onProbe(this.place(event));
  }

  release() {
    if (this.pressed && this.drawing) this.options.onDrawn(this.drawing);
    this.pressed = false;
  }

  // A brush of some width, so that a line drawn is a ridge of points.
  stroke([x, y]) {
    const last = this.drawing[this.drawing.length - 1];
    if (last && Math.hypot(last[0] - x, last[1] - y) < 0.035) return;
    const blur = () => (last ? (Math.random() + Math.random() + Math.random() - 1.5) * 0.03 : 0);
    for (let i = 0; i < (last ? 2 : 1) && this.drawing.length < MAX_DRAWN; i++)
      this.drawing.push([clamp(x + blur(), -4, 4), clamp(y + blur(), -1.3, 1.3)].map((v) => +v.toFixed(3)));
    this.options.repaint();
  }

  key(event) {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (event.key === "Escape") return this.options.onProbe(null);
    if (this.drawing && (event.key === " " || event.key === "Enter")) {
      event.preventDefault();
      if (this.cursor) this.stroke(this.cursor);
      return this.options.onDrawn(this.drawing);
    }
    if (!step || !this.result) return;
    event.preventDefault();
    if (this.drawing) {
      this.cursor = (this.cursor ?? [0, 0]).map((v, i) => clamp(v + step[i] * 0.05, -1.25, 1.25));
      return this.options.repaint();
    }
    const scale = this.scaleAt(sigmaAt(this.result.levels, Math.floor(this.u)));
    const [x, y] = [(this.ring[0] - this.width / 2) / scale, (this.height / 2 - this.ring[1]) / scale];
    this.options.onProbe([x + (step[0] * 8) / scale, y + (step[1] * 8) / scale]);
  }
}
