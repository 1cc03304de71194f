// @ts-nocheck
// Local truncation error: charts, and trajectories painted by the error of each of their steps.
import { fit } from "../shared/canvas.js";
import { Chart } from "../shared/chart.js";
import { element } from "../shared/dom.js";
import { lerp, rounded } from "../shared/numbers.js";
import { float32 } from "../shared/packed.js";
import { sheet } from "../shared/sheet.js";
import { Instrument } from "./instrument.js";

const REACH = 2.6; // half height of the picture in units of √(σ² + σ_data²)
const SHADES = 24;

export default class Truncation extends Instrument {
  fill() {
    this.canvas = element("canvas", { "aria-label": "Trajectories, painted by the local error of each step" });
    this.key = element("span", { class: "key" });
    this.painting = element("div", {}, this.canvas, this.key);
    const boxes = [element("div"), element("div"), element("div")];
    this.quarters = element("div", { class: "quarters" }, boxes[0], this.painting, boxes[1], boxes[2]);
    this.stage.append(this.quarters);
    this.charts = boxes.map((box) => new Chart(box));
    new ResizeObserver(() => this.paint()).observe(this.painting);
  }

  show({ figure, painted }) {
    this.painting.hidden = !painted;
    this.quarters.classList.toggle("unpainted", !painted);
    figure.panels.forEach((panel, k) => this.charts[k].show({ panels: [panel] }, this.colors));
    this.painted = painted && {
      ...painted,
      x: float32(painted.x),
      error: float32(painted.error),
      data: float32(painted.data),
    };
    this.paint();
  }

  paint() {
    if (!this.painted || !this.colors) return;
    const { context, width, height } = fit(this.canvas);
    const { x, error, count, sigma, sigmaData, data } = this.painted;
    const unit = Math.min(width, height) / 2 / REACH;
    const pixel = (values, at, s) => {
      const scale = unit / Math.hypot(s, sigmaData || 0.5);
      return [width / 2 + values[at] * scale, height / 2 - values[at + 1] * scale];
    };
    context.fillStyle = this.colors.data;
    context.globalAlpha = 0.35;
    for (let k = 0; k < data.length; k += 2) context.fillRect(...pixel(data, k, 0).map((v) => v - 1), 2, 2);
    context.globalAlpha = 0.9;
    const [low, high] = span(error);
    const buckets = Array.from({ length: SHADES + 1 }, () => []);
    for (let i = 0; i + 1 < sigma.length; i++)
      for (let k = 0; k < count; k++) {
        const share = (Math.log(error[i * count + k] || 1e-300) - low) / (high - low || 1);
        const shade = Math.round(SHADES * Math.min(Math.max(share, 0), 1) ** 1.6);
        buckets[shade].push([
          pixel(x, 2 * (i * count + k), sigma[i]),
          pixel(x, 2 * ((i + 1) * count + k), sigma[i + 1]),
        ]);
      }
    buckets.forEach((lines, shade) => this.strokes(context, lines, shade / SHADES));
    context.globalAlpha = 1;
    this.key.textContent = `x/√(σ² + σ_data²), painted by local error: ${rounded(Math.exp(low))} grey … ${rounded(Math.exp(high))} orange`;
    this.node.dataset.paints = Number(this.node.dataset.paints ?? 0) + 1;
  }

  strokes(context, lines, share) {
    const [calm, hot] = [this.colors.muteRgb, this.colors.noiseRgb];
    context.strokeStyle = `rgba(${calm.map((v, i) => Math.round(lerp(v, hot[i], share))).join(",")},${0.25 + 0.7 * share})`;
    context.lineWidth = 0.8 + 1.4 * share;
    context.beginPath();
    for (const [from, to] of lines) {
      context.moveTo(...from);
      context.lineTo(...to);
    }
    context.stroke();
  }

  picture() {
    return sheet(this.stage, this.charts, this.painted ? [this.canvas] : [], this.colors);
  }
}

// ln of the errors that are calm and hot: from the 20th percentile to the 99th.
function span(errors) {
  const known = Array.from(errors)
    .filter((v) => v > 0)
    .map(Math.log)
    .sort((a, b) => a - b);
  if (known.length === 0) return [0, 1];
  return [known[Math.floor(known.length * 0.2)], known[Math.floor((known.length - 1) * 0.99)]];
}
