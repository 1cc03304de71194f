// @ts-nocheck
// The sweep: a grid of cells, each a picture or a number; a click takes its settings to the Sampler tab.
import { fit, pixels } from "../shared/canvas.js";
import { element } from "../shared/dom.js";
import { clamp, number } from "../shared/numbers.js";
import { float32, uint8 } from "../shared/packed.js";
import { Instrument } from "./instrument.js";

const MARGIN = { left: 86, top: 22, right: 10, bottom: 40 };
const REACH = 1.3; // half width of a cell's picture of points, in the data's units

export default class Sweep extends Instrument {
  fill() {
    this.canvas = element("canvas", {
      class: "grid",
      tabindex: 0,
      "aria-label": "Cells: walk with the arrow keys, open one with Enter; a summary follows below",
    });
    this.tip = element("div", { class: "tip", hidden: true });
    this.stage.append(this.canvas, this.tip);
    this.atlas = document.createElement("canvas");
    this.canvas.addEventListener("pointermove", (event) => this.point(this.at(event)));
    this.canvas.addEventListener("pointerleave", () => this.point(null));
    this.canvas.addEventListener("click", (event) => this.choose(this.at(event)));
    this.canvas.addEventListener("keydown", (event) => this.key(event));
    new ResizeObserver(() => this.paint()).observe(this.stage);
  }

  changed(names) {
    // what was allowed to take long was that sweep, not the next one
    if (!names.includes("run") && this.values.run) this.values.run = false;
    super.changed(names);
  }

  mark(busy) {
    super.mark(busy);
    const waiting = !busy && this.body?.waiting;
    this.halt.hidden = !busy && !waiting && !this.body;
    this.halt.textContent = busy ? "Stop" : waiting ? "Run" : "Again";
  }

  stop() {
    super.stop();
    if (this.body) this.state.textContent = `${this.body.cells.length} cells done`;
  }

  press() {
    if (!this.busy && this.body?.waiting) this.set({ run: true });
    else super.press();
  }

  show(body) {
    this.cells = new Map(body.cells.map((cell) => [`${cell.row},${cell.column}`, cell]));
    this.mark(this.busy);
    this.paint();
  }

  // Rectangle of a cell in CSS pixels.
  box(row, column) {
    const { x, y } = this.body.axes;
    const [w, h] = [
      (this.width - MARGIN.left - MARGIN.right) / x.values.length,
      (this.height - MARGIN.top - MARGIN.bottom) / y.values.length,
    ];
    return [MARGIN.left + column * w, MARGIN.top + row * h, w, h];
  }

  paint() {
    if (!this.body?.axes || !this.colors) return;
    const { context, width, height } = fit(this.canvas);
    Object.assign(this, { width, height });
    const { x, y } = this.body.axes;
    const values = this.body.cells
      .map(({ value }) => value)
      .filter((value) => value > 0)
      .map(Math.log);
    const [low, high] = [Math.min(...values), Math.max(...values)];
    y.values.forEach((_, row) => x.values.forEach((__, column) => this.paintCell(context, row, column, low, high)));
    if (this.body.curve) this.paintCurve(context);
    this.paintLabels(context, x, y);
    this.node.dataset.cells = this.body.cells.length;
  }

  paintCell(context, row, column, low, high) {
    const { colors } = this;
    const [left, top, w, h] = this.box(row, column);
    const cell = this.cells.get(`${row},${column}`);
    context.fillStyle = colors.panel;
    context.fillRect(left + 1, top + 1, w - 2, h - 2);
    context.strokeStyle = colors.line;
    context.lineWidth = 1;
    context.strokeRect(left + 1.5, top + 1.5, w - 3, h - 3);
    if (cell?.samples) this.paintSamples(context, cell, left, top, w, h);
    else if (cell?.value != null && !this.body.curve) {
      const share = high > low ? (Math.log(Math.max(cell.value, 1e-300)) - low) / (high - low) : 0;
      context.fillStyle = `rgba(${colors.noiseRgb.join(",")},${0.08 + 0.8 * clamp(share, 0, 1)})`;
      context.fillRect(left + 1, top + 1, w - 2, h - 2);
    }
    context.fillStyle = colors.ink;
    context.textAlign = "center";
    context.font = "12px system-ui, sans-serif";
    if (cell?.value != null && w > 34 && !this.body.curve) {
      context.fillText(cell.value.toPrecision(2), left + w / 2, top + h / 2 + (cell.high != null ? -2 : 4));
      context.font = "10px system-ui, sans-serif";
      if (cell.high != null && h > 34 && w > 60)
        context.fillText(`± ${((cell.high - cell.low) / 2).toPrecision(1)}`, left + w / 2, top + h / 2 + 12);
    } else if (cell?.problem) {
      context.fillStyle = colors.mute;
      context.fillText("—", left + w / 2, top + h / 2 + 4);
    }
    if (this.pointed?.row === row && this.pointed.column === column) {
      context.strokeStyle = colors.data;
      context.lineWidth = 2.5;
      context.strokeRect(left + 1, top + 1, w - 2, h - 2);
    }
  }

  // One knob against a number: a curve through the cells, with its intervals.
  paintCurve(context) {
    const { colors } = this;
    const cells = this.body.cells.filter(({ value }) => value != null).sort((a, b) => a.column - b.column);
    if (!cells.length) return;
    const [, top, , h] = this.box(0, 0);
    const ends = cells.flatMap(({ value, low, high }) => [value, low ?? value, high ?? value]);
    const [least, most] = [Math.max(0, Math.min(...ends)), Math.max(...ends)];
    const room = most - least || Math.abs(most) || 1;
    const height = (value) => top + h - 24 - ((value - least) / room) * (h - 56);
    context.font = "11px system-ui, sans-serif";
    context.textAlign = "right";
    context.fillStyle = colors.mute;
    for (let k = 0; k <= 4; k++) {
      const value = least + (k / 4) * room;
      context.fillText(Number(value.toPrecision(2)), MARGIN.left - 7, height(value) + 4);
      context.fillRect(MARGIN.left, height(value), this.width - MARGIN.left - MARGIN.right, 0.25);
    }
    const middle = ({ column }) => this.box(0, column)[0] + this.box(0, column)[2] / 2;
    context.strokeStyle = context.fillStyle = colors.noise;
    context.lineWidth = 1.5;
    context.beginPath();
    cells.forEach((cell, i) => context[i ? "lineTo" : "moveTo"](middle(cell), height(cell.value)));
    context.stroke();
    for (const cell of cells) {
      const x = middle(cell);
      if (cell.high != null) {
        context.fillRect(x - 1, height(cell.high), 2, height(Math.max(cell.low, 0)) - height(cell.high));
        for (const end of [cell.low, cell.high]) context.fillRect(x - 6, height(Math.max(end, 0)) - 1, 12, 2);
      }
      context.beginPath();
      context.arc(x, height(cell.value), 4.5, 0, 7);
      context.fill();
    }
  }

  paintSamples(context, cell, left, top, w, h) {
    const { shape } = this.body;
    if (shape.length === 3) {
      const source = uint8(cell.samples);
      const columns = Math.ceil(Math.sqrt((cell.count * w) / h));
      const side = Math.min((w - 4) / Math.min(columns, cell.count), (h - 4) / Math.ceil(cell.count / columns));
      context.imageSmoothingEnabled = false;
      const used = Math.min(columns, cell.count) * side;
      for (let k = 0; k < cell.count; k++)
        context.drawImage(
          pixels(source, shape, k, this.atlas),
          left + (w - used) / 2 + (k % columns) * side,
          top + 2 + Math.floor(k / columns) * side,
          side - 1,
          side - 1,
        );
      return;
    }
    const points = float32(cell.samples);
    const unit = Math.min(w, h) / 2 / REACH;
    const size = Math.max(1.5, unit / 30);
    context.fillStyle = this.colors.noise;
    for (let i = 0; i < points.length; i += shape[0]) {
      const [px, py] = [points[i] * unit, shape[0] > 1 ? points[i + 1] * unit : (((i * 7919) % 31) - 15) * (unit / 25)];
      if (Math.abs(px) < w / 2 && Math.abs(py) < h / 2)
        context.fillRect(left + w / 2 + px - size / 2, top + h / 2 - py - size / 2, size, size);
    }
  }

  paintLabels(context, x, y) {
    const { colors } = this;
    context.fillStyle = colors.mute;
    context.font = "11px system-ui, sans-serif";
    const every = (count, room, least) => Math.ceil((least * count) / room);
    const [skipX, skipY] = [
      every(x.values.length, this.width - MARGIN.left, 34),
      every(y.values.length, this.height - MARGIN.bottom, 14),
    ];
    context.textAlign = "center";
    x.values.forEach((value, column) => {
      const [left, , w] = this.box(0, column);
      if (column % skipX === 0) context.fillText(short(value), left + w / 2, this.height - MARGIN.bottom + 15);
    });
    context.textAlign = "right";
    y.values.forEach((value, row) => {
      const [, top, , h] = this.box(row, 0);
      if (row % skipY === 0) context.fillText(short(value), MARGIN.left - 7, top + h / 2 + 4);
    });
    context.fillStyle = colors.ink;
    context.font = "italic 14px Georgia, serif";
    context.fillText(y.name, MARGIN.left - 7, 14);
    context.textAlign = "center";
    context.fillText(x.name, MARGIN.left + (this.width - MARGIN.left) / 2, this.height - 6);
  }

  // The cell under a pointer, or null.
  at(event) {
    if (!this.body?.axes) return null;
    const frame = this.canvas.getBoundingClientRect();
    const { x, y } = this.body.axes;
    const [, , w, h] = this.box(0, 0);
    const column = Math.floor((event.clientX - frame.left - MARGIN.left) / w);
    const row = Math.floor((event.clientY - frame.top - MARGIN.top) / h);
    return row >= 0 && column >= 0 && row < y.values.length && column < x.values.length ? { row, column } : null;
  }

  point(place) {
    if (place?.row === this.pointed?.row && place?.column === this.pointed?.column) return;
    this.pointed = place;
    this.paint();
    const cell = place && this.cells.get(`${place.row},${place.column}`);
    this.tip.hidden = !place;
    if (!place) return;
    const { x, y } = this.body.axes;
    const where = [`${x.name} = ${x.values[place.column]}`, y.name && `${y.name} = ${y.values[place.row]}`]
      .filter(Boolean)
      .join(", ");
    const value =
      cell?.value == null
        ? ""
        : `: ${number(cell.value)}${cell.high == null ? "" : ` (${number(cell.low)} … ${number(cell.high)})`}`;
    this.tip.textContent =
      where +
      value +
      (cell?.problem ? ` — ${cell.problem}` : "") +
      (cell?.document ? " · click to open it in the Sampler" : "");
    const [left, top, , h] = this.box(place.row, place.column);
    this.tip.style.left = `${clamp(left, 0, this.width - 300)}px`;
    this.tip.style.top = `${top + h + 44 > this.height ? top - 30 : top + h + 4}px`;
  }

  choose(place) {
    const cell = place && this.cells.get(`${place.row},${place.column}`);
    if (cell?.document) this.bench.page.load({ ...JSON.parse(cell.document), count: null });
  }

  key(event) {
    const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    if (event.key === "Enter") return this.choose(this.pointed);
    if (!step || !this.body?.axes) return;
    event.preventDefault();
    const { x, y } = this.body.axes;
    const { row, column } = this.pointed ?? { row: -step[0], column: -step[1] };
    this.point({
      row: clamp(row + step[0], 0, y.values.length - 1),
      column: clamp(column + step[1], 0, x.values.length - 1),
    });
  }

  picture() {
    const sheet = element("canvas", { width: this.canvas.width, height: this.canvas.height });
    const context = sheet.getContext("2d");
    context.fillStyle = this.colors.bg;
    context.fillRect(0, 0, sheet.width, sheet.height);
    context.drawImage(this.canvas, 0, 0);
    return sheet;
  }
}

const short = (text) => (text.length > 13 ? `${text.slice(0, 12)}…` : text);
