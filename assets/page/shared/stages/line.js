// @ts-nocheck
// The stage of a 1-D model: the paper's Figure 3. The state x against time t (or σ), density behind, t growing to the right.
import { fit } from "../canvas.js";
import { bracket } from "../levels.js";
import { clamp, lerp, number } from "../numbers.js";
import { float32, mixture } from "../packed.js";
import { paintShade } from "./shade.js";

const COLUMNS = 220;
const ROWS = 150;
const MARGIN = { left: 44, right: 14, top: 44, bottom: 34 };

export class Line {
  constructor(canvas, options) {
    Object.assign(this, { canvas, options, result: null });
    this.shade = document.createElement("canvas");
  }

  setResult(result) {
    this.result = result;
    this.x = float32(result.run.x);
    this.components = mixture(result.components, 1);
  }

  // The largest σ in the picture.
  get limit() {
    const zoom = { all: Infinity, near: 1 }[this.options.view.zoom] ?? 25;
    return Math.min(zoom, this.result.levels[0]);
  }

  draw(u, colors) {
    const { context, width, height } = fit(this.canvas);
    if (!this.result) return;
    const frame = this.frame(width, height);
    this.drawDensity(context, frame, colors);
    context.save();
    context.beginPath();
    context.rect(frame.left, frame.top, frame.width, frame.height);
    context.clip();
    this.drawPaths(context, frame, colors);
    this.drawParticles(context, frame, u, colors);
    context.restore();
    this.drawAxes(context, frame, colors);
  }

  // The axes: which time is where, and how high the picture is.
  frame(width, height) {
    const { axis, sigmaData } = this.result;
    const byTime = this.options.view.axis !== "sigma";
    const column = byTime ? axis.t : axis.sigma;
    const inside = axis.sigma.findIndex((sigma) => sigma <= this.limit * (1 + 1e-9));
    const end = byTime ? interpolate(axis.sigma, axis.t, this.limit) : this.limit;
    let reach = 0;
    for (let i = inside; i < axis.sigma.length; i++)
      reach = Math.max(reach, axis.scale[i] * 2.4 * Math.hypot(axis.sigma[i], sigmaData));
    return {
      left: MARGIN.left,
      top: this.options.contain ? 8 : MARGIN.top,
      width: width - MARGIN.left - MARGIN.right,
      height: height - (this.options.contain ? 8 : MARGIN.top) - MARGIN.bottom,
      column,
      end,
      reach: Math.max(reach, 1.2),
      byTime,
    };
  }

  xPixel(frame, time) {
    return frame.left + (time / frame.end) * frame.width;
  }

  yPixel(frame, x) {
    return frame.top + frame.height / 2 - (x / frame.reach) * (frame.height / 2);
  }

  // p(x; σ) at each time, every column brightest where it peaks.
  drawDensity(context, frame, colors) {
    const { axis, sigmaData } = this.result;
    const key = [this.result.id, frame.end, frame.reach, frame.byTime, colors.data].join();
    if (this.shadeKey !== key) {
      this.shadeKey = key;
      const values = new Float32Array(COLUMNS * ROWS);
      for (let i = 0; i < COLUMNS; i++) {
        const time = ((i + 0.5) / COLUMNS) * frame.end;
        const sigma = frame.byTime ? interpolate(axis.t, axis.sigma, time) : time;
        const scale = interpolate(frame.column, axis.scale, time);
        let peak = 1e-12;
        for (let j = 0; j < ROWS; j++) {
          const y = ((1 - (2 * (j + 0.5)) / ROWS) * frame.reach) / scale;
          let sum = 0;
          for (const { weight, std, mean } of this.components) {
            const variance = Math.max(std, 0.03) ** 2 + sigma * sigma;
            sum += (weight / Math.sqrt(variance)) * Math.exp(-((y - mean[0]) ** 2) / (2 * variance));
          }
          values[j * COLUMNS + i] = sum;
          peak = Math.max(peak, sum);
        }
        const faint = 0.35 + 0.65 / (1 + sigma / sigmaData);
        for (let j = 0; j < ROWS; j++) values[j * COLUMNS + i] *= faint / peak;
      }
      paintShade(this.shade, values, COLUMNS, ROWS, colors.dataRgb, 0.55);
    }
    context.drawImage(this.shade, frame.left, frame.top, frame.width, frame.height);
  }

  // The state's own variable: x/s times s.
  at(frame, k, j) {
    const { run } = this.result;
    const time = frame.byTime ? run.t[j] : run.sigma[j];
    return [this.xPixel(frame, time), this.yPixel(frame, this.x[j * run.count + k] * run.scale[j])];
  }

  drawPaths(context, frame, colors) {
    const { run } = this.result;
    context.strokeStyle = colors.noise;
    context.lineWidth = 1.2;
    context.globalAlpha = clamp(25 / run.count, 0.15, 0.8);
    for (let k = 0; k < run.count; k++) {
      context.beginPath();
      for (let j = 0; j < run.index.length; j++) context.lineTo(...this.at(frame, k, j));
      context.stroke();
    }
    context.globalAlpha = 1;
  }

  drawParticles(context, frame, u, colors) {
    const [j, next, f] = bracket(this.result.run, u);
    context.fillStyle = colors.noise;
    context.beginPath();
    for (let k = 0; k < this.result.run.count; k++) {
      const [a, b] = [this.at(frame, k, j), this.at(frame, k, next)];
      const [x, y] = [lerp(a[0], b[0], f), lerp(a[1], b[1], f)];
      context.moveTo(x + 3.2, y);
      context.arc(x, y, 3.2, 0, 7);
    }
    context.fill();
  }

  drawAxes(context, frame, colors) {
    context.strokeStyle = colors.mute;
    context.fillStyle = colors.mute;
    context.lineWidth = 1;
    context.strokeRect(frame.left + 0.5, frame.top + 0.5, frame.width - 1, frame.height - 1);
    context.font = "11px system-ui, sans-serif";
    context.textAlign = "center";
    const bottom = frame.top + frame.height;
    for (const tick of ticks(frame.end)) context.fillText(number(tick), this.xPixel(frame, tick), bottom + 14);
    const name = frame.byTime ? "time t" : "noise level σ";
    const where = this.options.contain ? "" : ` · data at the left, noise at the right (σ = ${number(this.limit)})`;
    context.fillText(name + where, frame.left + frame.width / 2, bottom + 29);
    context.textAlign = "right";
    for (const tick of ticks(frame.reach)) {
      for (const value of tick ? [tick, -tick] : [0])
        context.fillText(number(value), frame.left - 6, this.yPixel(frame, value) + 4);
    }
  }
}

function ticks(end) {
  const rough = end / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough);
  return Array.from({ length: Math.floor(end / step + 1e-9) + 1 }, (_, i) => i * step);
}

// y at x, from tables that fall with the index.
function interpolate(xs, ys, x) {
  let [low, high] = [0, xs.length - 1];
  if (x >= xs[0]) return ys[0];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (xs[middle] >= x) low = middle;
    else high = middle;
  }
  const f = xs[low] === xs[high] ? 0 : (x - xs[low]) / (xs[high] - xs[low]);
  return lerp(ys[low], ys[high], clamp(f, 0, 1));
}
