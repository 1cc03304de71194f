// @ts-nocheck
// The churn microscope: the moments of one step, played or one by one; or rows of rounds with their chart.
import { fit, pixels } from "../shared/canvas.js";
import { Chart } from "../shared/chart.js";
import { element } from "../shared/dom.js";
import { clamp, lerp, number } from "../shared/numbers.js";
import { float32, uint8 } from "../shared/packed.js";
import { sheet } from "../shared/sheet.js";
import { Instrument } from "./instrument.js";

const SECONDS = 1.3; // for each moment
const REACH = 2.4; // half height of the picture of a step in units of √(σ̂² + σ_data²)
const SHOWN = 3; // images
const BOLD = 3; // particles whose way is drawn strong

export default class Churn extends Instrument {
  fill() {
    this.at = 0;
    this.canvas = element("canvas", { "aria-label": "The microscope's picture; a summary follows below" });
    this.plot = element("div");
    this.frame = element("div", { class: "microscope" }, element("div", {}, this.canvas), this.plot);
    this.stage.append(this.frame);
    this.chart = new Chart(this.plot);
    this.play = element("button", { type: "button", class: "play", "aria-label": "Play" });
    this.play.addEventListener("click", () => this.start(!this.playing));
    this.steps = element("div", { class: "seg", role: "radiogroup", "aria-label": "Moments of the step" });
    this.output = element("output");
    this.bar = element("div", { class: "time moments", hidden: true }, this.play, this.steps, this.output);
    this.stage.after(this.bar);
    this.tile = document.createElement("canvas");
    this.calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    new ResizeObserver(() => (this.dirty = true)).observe(this.canvas.parentElement);
    this.tick();
  }

  show({ stage, figure }) {
    const fresh = this.now?.kind !== "step";
    this.now = unpack(stage);
    const stepping = stage.kind === "step";
    this.frame.classList.toggle("charted", !stepping);
    this.plot.hidden = stepping;
    if (!stepping) this.chart.show(figure, this.colors);
    this.bar.hidden = !stepping || stage.shape.length > 1;
    if (stepping) this.offer(stage.moments);
    if (stepping && fresh) this.start(!this.calm);
    this.dirty = true;
  }

  // A button for each moment.
  offer(moments) {
    const key = moments.map(({ title }) => title).join();
    if (this.steps.dataset.key === key) return;
    this.steps.dataset.key = key;
    this.at = Math.min(this.at, moments.length - 1);
    this.steps.replaceChildren(
      ...moments.map(({ name, title }, i) => {
        const button = element("button", { type: "button", role: "radio", "data-moment": name }, title);
        button.addEventListener("click", () => {
          this.start(false);
          this.at = i;
          this.dirty = true;
        });
        return button;
      }),
    );
  }

  start(playing) {
    this.playing = playing;
    this.play.classList.toggle("playing", playing);
    this.play.setAttribute("aria-label", playing ? "Pause" : "Play");
  }

  tick(time) {
    const passed = Math.min((time - (this.before ?? time)) / 1000, 0.1) || 0;
    this.before = time;
    if (this.playing && this.shown && this.now?.kind === "step" && !this.bar.hidden) {
      // beyond the last moment it rests, then begins again
      this.at = this.at + passed / SECONDS > this.now.moments.length + 0.2 ? 0 : this.at + passed / SECONDS;
      this.dirty = true;
    }
    if (this.dirty && this.shown && this.now && this.colors) this.paint();
    requestAnimationFrame((next) => this.tick(next));
  }

  recolor(colors) {
    super.recolor(colors);
    this.dirty = true;
  }

  paint() {
    this.dirty = false;
    const { context, width, height } = fit(this.canvas);
    const { kind, shape } = this.now;
    if (kind === "rounds") this.paintRounds(context, width, height);
    else if (shape.length === 1) this.paintStep(context, width, height);
    else this.paintImages(context, width, height);
    this.node.dataset.paints = Number(this.node.dataset.paints ?? 0) + 1;
  }

  // ---- one step, points ----

  paintStep(context, width, height) {
    const { moments, count, data, sigmaData } = this.now;
    const reached = Math.min(this.at, moments.length - 1);
    const whole = Math.floor(reached);
    const share = ease(reached - whole);
    [...this.steps.children].forEach((button, i) => button.setAttribute("aria-checked", String(i === whole)));
    this.output.textContent = moments[whole].note;
    const highest = Math.max(...moments.map(({ sigma }) => sigma));
    const unit = Math.min(width, height) / 2 / (REACH * Math.hypot(highest, sigmaData || 0.5));
    const place = (values, k) => [width / 2 + values[2 * k] * unit, height / 2 - values[2 * k + 1] * unit];
    context.fillStyle = this.colors.data;
    context.globalAlpha = 0.3;
    for (let k = 0; k < data.length / 2; k++) context.fillRect(...place(data, k).map((v) => v - 1), 2, 2);
    for (let k = count - 1; k >= 0; k--) this.paintWay(context, k, whole, share, place);
    context.globalAlpha = 1;
    this.paintLegend(context);
  }

  // What one particle has done so far.
  paintWay(context, k, whole, share, place) {
    const { moments } = this.now;
    const strong = k < BOLD;
    const points = moments.map(({ x }) => place(x, k));
    const hat = moments[1].name === "noise" ? 1 : 0;
    let head = points[0];
    context.lineWidth = strong ? 2.4 : 1;
    moments.forEach(({ name }, i) => {
      const f = i <= whole ? 1 : i === whole + 1 ? share : 0;
      if (i === 0 || f === 0) return;
      const from = name === "noise" ? points[0] : points[hat];
      const to = [0, 1].map((axis) => lerp(from[axis], points[i][axis], f));
      context.strokeStyle = this.colors[COLOR[name]];
      // the way to D is a hint of direction, and what the correction replaces stays only as one
      context.globalAlpha = (strong ? 1 : 0.5) * (name === "denoised" ? 0.45 : 1);
      context.setLineDash(name === "denoised" ? [3, 4] : []);
      arrow(context, from, to, name === "denoised" ? 0 : strong ? 7 : 4);
      if (name !== "denoised") head = to;
    });
    context.setLineDash([]);
    context.globalAlpha = strong ? 1 : 0.75;
    context.fillStyle = this.colors.noise;
    dot(context, head, strong ? 4.5 : 2.2);
    if (!strong) return;
    context.strokeStyle = this.colors.ink;
    context.lineWidth = 1.5;
    context.stroke();
  }

  paintLegend(context) {
    context.font = "12px system-ui, sans-serif";
    context.textAlign = "left";
    this.now.moments.slice(1).forEach(({ name }, i) => {
      const y = 16 + 18 * i;
      context.strokeStyle = this.colors[COLOR[name]];
      context.lineWidth = 2;
      context.setLineDash(name === "denoised" ? [3, 4] : []);
      arrow(context, [6, y - 4], [34, y - 4], name === "denoised" ? 0 : 5);
      context.setLineDash([]);
      context.fillStyle = this.colors.mute;
      context.fillText(WORDS[name], 42, y);
    });
  }

  // ---- one step, images: a column for each moment, x above D ----

  paintImages(context, width, height) {
    const { moments, count, shape } = this.now;
    const [left, top, gap] = [92, 44, 6];
    const rows = Math.min(count, SHOWN);
    const size = Math.min((height - top) / (2 * rows) - gap, (width - left) / moments.length - 14);
    context.imageSmoothingEnabled = false;
    context.font = "12px system-ui, sans-serif";
    moments.forEach(({ title, sigma, x, denoised }, i) => {
      const column = left + i * (size + 14);
      this.caption(context, title, `σ = ${number(Number(sigma.toPrecision(3)))}`, column + size / 2);
      for (let k = 0; k < rows; k++) {
        const y = top + k * 2 * (size + gap);
        this.image(context, x, shape, k, column, y, size);
        if (sigma > 0) this.image(context, denoised, shape, k, column, y + size, size);
      }
    });
    context.textAlign = "right";
    context.fillStyle = this.colors.mute;
    for (let k = 0; k < rows; k++) {
      context.fillText("x", left - 10, top + k * 2 * (size + gap) + size / 2 + 4);
      context.fillText("D(x; σ)", left - 10, top + k * 2 * (size + gap) + size * 1.5 + 4);
    }
  }

  caption(context, title, note, x) {
    context.textAlign = "center";
    context.fillStyle = this.colors.ink;
    context.fillText(title, x, 16);
    context.fillStyle = this.colors.mute;
    context.fillText(note, x, 32);
  }

  image(context, source, shape, k, x, y, size) {
    context.drawImage(pixels(source, shape, k, this.tile), x, y, size, size);
  }

  // ---- again and again ----

  paintRounds(context, width, height) {
    const { rows, columns, shape, count } = this.now;
    const points = shape.length === 1;
    const [left, top, gap] = [104, 22, 6];
    const lines = rows.length * (points ? 1 : 2); // an image's x and D one below the other
    const across = points ? 1 : count;
    const size = Math.min((height - top) / lines - gap, ((width - left) / columns.length - 12) / across);
    const step = Math.min((width - left) / columns.length, size * across + 24);
    context.imageSmoothingEnabled = false;
    context.font = "12px system-ui, sans-serif";
    context.textAlign = "center";
    context.fillStyle = this.colors.mute;
    columns.forEach((index, i) =>
      context.fillText(index === 0 ? "start" : `${index}`, left + i * step + (size * across) / 2, 14),
    );
    rows.forEach(({ title, color, rounds }, r) => {
      const y = top + (r * lines * (size + gap)) / rows.length;
      context.textAlign = "right";
      context.fillStyle = this.colors[color];
      context.fillText(title, left - 10, y + 14);
      context.fillStyle = this.colors.mute;
      context.fillText(points ? "x and D" : "x", left - 10, y + size / 2 + 10);
      if (!points) context.fillText("D(x; σ)", left - 10, y + size * 1.5 + gap);
      rounds.forEach(({ index, picture }) => {
        const x = left + columns.indexOf(index) * step;
        if (points) return this.scatter(context, picture, x, y, size);
        for (let k = 0; k < count; k++) {
          this.image(context, picture.x, shape, k, x + k * size, y, size - 2);
          this.image(context, picture.denoised, shape, k, x + k * size, y + size, size - 2);
        }
      });
    });
  }

  scatter(context, { x, denoised }, left, top, size) {
    const unit = size / 2 / this.now.reach;
    context.strokeStyle = this.colors.line;
    context.lineWidth = 1;
    context.strokeRect(left + 0.5, top + 0.5, size - 1, size - 1);
    context.globalAlpha = 0.7;
    for (const [values, color] of [
      [x, "noise"],
      [denoised, "data"],
    ]) {
      context.fillStyle = this.colors[color];
      for (let k = 0; k < values.length; k += 2) {
        const [u, v] = [values[k] * unit, values[k + 1] * unit].map((p) => clamp(p, -size / 2 + 1, size / 2 - 1));
        context.fillRect(left + size / 2 + u - 0.8, top + size / 2 - v - 0.8, 1.6, 1.6);
      }
    }
    context.globalAlpha = 1;
  }

  picture() {
    return sheet(this.stage, [this.chart], [this.canvas], this.colors);
  }
}

const COLOR = { noise: "noise", denoised: "data", euler: "ink", corrected: "c3" };
const WORDS = { noise: "fresh noise", denoised: "towards D(x; σ)", euler: "Euler", corrected: "corrected" };

function unpack(stage) {
  const open = stage.shape.length === 1 ? float32 : uint8;
  const both = ({ x, denoised, ...rest }) => ({ ...rest, x: open(x), denoised: open(denoised) });
  if (stage.kind === "step")
    return { ...stage, moments: stage.moments.map(both), data: stage.data && float32(stage.data) };
  const rows = stage.rows.map((row) => ({
    ...row,
    rounds: row.rounds.map((round) => ({ ...round, picture: both(round.picture) })),
  }));
  return { ...stage, rows };
}

const ease = (f) => f * f * (3 - 2 * f);

function dot(context, [x, y], radius) {
  context.beginPath();
  context.arc(x, y, radius, 0, 7);
  context.fill();
}

// A line with a head of that size, 0 for none; short ones have none.
function arrow(context, [x, y], [u, v], head) {
  const length = Math.hypot(u - x, v - y);
  context.beginPath();
  context.moveTo(x, y);
  context.lineTo(u, v);
  if (head && length > head) {
    const [a, b] = [((u - x) / length) * head, ((v - y) / length) * head];
    context.moveTo(u - a - b * 0.5, v - b + a * 0.5);
    context.lineTo(u, v);
    context.lineTo(u - a + b * 0.5, v - b - a * 0.5);
  }
  context.stroke();
}
