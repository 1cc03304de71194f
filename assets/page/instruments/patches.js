// Copy or create: samples of patches of k×k beside a network's, under each the training image that is nearest to it, and
// how many are copies. The side k is scrubbed without the server.
import { fit, paper, pixels } from "../shared/canvas.js";
import { Chart } from "../shared/chart.js";
import { element, watchSize } from "../shared/dom.js";
import { uint8 } from "../shared/packed.js";
import { StepPlayer, timeline } from "../shared/player.js";
import { Instrument } from "./instrument.js";

/** @typedef {import("../shared/canvas.js").Drawing} Drawing */
/** @typedef {import("../shared/messages.d.ts").Copies} Body */
/** @typedef {import("../shared/types.d.ts").Figure} Figure */
/** @typedef {Omit<import("../shared/messages.d.ts").Drawn, "x" | "nearest"> & { x: Uint8Array, nearest: Uint8Array }} Samples */

const [HEAD, GAP, EDGE] = [22, 7, 2];
const LIGHT = ["patch"]; // knobs of the picture only

/** @extends {Instrument<Body>} */
export default class Patches extends Instrument {
  /** @type {Map<number | null, Samples>} By the side of its patches; null: the network's. */
  #drawn = new Map();
  /** @type {number | null} The side whose curve is strong. */
  #strong = null;
  #tile = element("canvas");

  /** @param {ConstructorParameters<typeof Instrument>} parts */
  constructor(...parts) {
    super(...parts);
    this.canvas = element("canvas", {
      "aria-label": "Samples, and under each the training image nearest to it; a summary follows below",
    });
    const side = element("div", { class: "side" });
    this.chart = new Chart(side);
    this.stage.classList.add("beside");
    this.stage.append(element("div", { class: "picture" }, this.canvas), side);
    const line = timeline("Side k of the patches that a pixel sees");
    this.player = new StepPlayer(line, {
      run: () => this.body && { images: this.body.sides },
      moved: () => this.#moved(),
    });
    this.stage.after(line.node);
    watchSize(this.stage, () => this.repaint());
    this.animate(this.player);
  }

  /**
   * @override
   * @param {string[]} names
   */
  changed(names) {
    if (!names.every((name) => LIGHT.includes(name))) super.changed(names);
    else this.#stand();
  }

  /** The side that is looked at. */
  get side() {
    const { sides } = /** @type {Body} */ (this.body);
    return sides[this.player.at(sides)];
  }

  /** Where the values say. */
  #stand() {
    const { sides } = this.body ?? { sides: [] };
    const far = sides.map((side) => Math.abs(side - this.values.patch));
    if (sides.length > 1) this.player.fraction = far.indexOf(Math.min(...far)) / (sides.length - 1);
    this.repaint();
  }

  /** Somebody has moved the slider, or it plays. */
  #moved() {
    if (this.body && this.side !== this.values.patch && !this.player.playing) this.set({ patch: this.side });
    this.repaint();
  }

  /**
   * @override
   * @param {Body} body
   */
  show({ network, patches }) {
    /** @type {[number | null, import("../shared/messages.d.ts").Drawn | null][]} */
    const all = [[null, network], ...patches.map(({ side, drawn }) => /** @type {[number, any]} */ ([side, drawn]))];
    this.#drawn = new Map(
      all.flatMap(([side, drawn]) =>
        drawn ? [[side, { ...drawn, x: uint8(drawn.x), nearest: uint8(drawn.nearest) }]] : [],
      ),
    );
    const done = patches.filter(({ drawn }) => drawn).length;
    this.node.dataset.sides = String(done);
    this.#strong = null;
    if (!this.player.playing) this.#stand();
    else this.repaint();
  }

  /**
   * @override
   * @param {boolean} busy
   */
  mark(busy) {
    super.mark(busy);
    const { patches } = this.body ?? { patches: [] };
    const done = patches.filter(({ drawn }) => drawn).length;
    if (busy && done) this.state.textContent = `computing … ${done} of ${patches.length} sides`;
  }

  /** @override */
  paint() {
    const { body, colors, side } = this;
    if (!body) return;
    this.player.mark(`k = ${side}${side === body.sides.at(-1) ? ", the whole image" : ""}`);
    if (this.#strong !== side && body.figure) {
      this.#strong = side;
      this.chart.show(strong(body.figure, side), colors);
    }
    const drawing = fit(this.canvas);
    const stacked = drawing.width < 420;
    const half = stacked ? drawing.height / 2 : drawing.width / 2;
    const [width, height] = stacked ? [drawing.width, half - 6] : [half - 8, drawing.height];
    const whole = side === body.sides.at(-1) ? ": the ideal denoiser" : "";
    this.#part(drawing, [0, 0, width, height], `${side}×${side} pixels${whole}`, this.#drawn.get(side));
    const [x, y] = stacked ? [0, half + 6] : [half + 8, 0];
    this.#part(drawing, [x, y, width, height], body.title, this.#drawn.get(null));
    this.node.dataset.side = String(side);
  }

  /** @type {(drawing: Drawing, place: number[], title: string, samples: Samples | undefined) => void} */
  #part({ context }, [left, top, width, height], title, samples) {
    const { colors } = this;
    const { shape } = /** @type {Body} */ (this.body);
    context.textAlign = "left";
    context.font = "600 12.5px system-ui, sans-serif";
    context.fillStyle = colors.ink;
    context.fillText(title, left, top + 14, width);
    const indent = context.measureText(`${title}  `).width;
    context.font = "12px system-ui, sans-serif";
    context.fillStyle = colors.mute;
    const said = samples ? `${Math.round(100 * samples.share)} % copies` : "being computed …";
    if (indent < width - 60) context.fillText(said, left + indent, top + 14, width - indent);
    if (!samples) return;
    const { columns, size } = pairs(samples.count, width - 2 * EDGE, height - HEAD - EDGE);
    context.imageSmoothingEnabled = false;
    for (let k = 0; k < samples.count; k++) {
      const x = left + EDGE + (k % columns) * (size + GAP);
      const y = top + HEAD + EDGE + Math.floor(k / columns) * (2 * size + 2 + GAP);
      context.drawImage(pixels(samples.x, shape, k, this.#tile), x, y, size, size);
      context.globalAlpha = 0.55; // what it is near to stands back
      context.drawImage(pixels(samples.nearest, shape, k, this.#tile), x, y + size + 2, size, size);
      context.globalAlpha = 1;
      context.lineWidth = samples.copies[k] ? 2 : 1;
      context.strokeStyle = samples.copies[k] ? colors.noise : colors.line;
      context.strokeRect(x - 1, y - 1, size + 2, 2 * size + 4);
    }
    context.lineWidth = 1;
  }

  /** @override */
  async picture() {
    const chart = await this.chart.picture(1);
    const ratio = window.devicePixelRatio || 1;
    const [w, h] = [chart.width * ratio, chart.height * ratio];
    const { width, height } = this.canvas;
    const { canvas, context } = paper(width + w, Math.max(height, h), this.colors);
    context.drawImage(this.canvas, 0, 0);
    context.drawImage(chart, width, 0, w, h);
    return canvas;
  }
}

/**
 * In how many columns so many pairs of images are largest, one above the other.
 * @param {number} count
 * @param {number} width
 * @param {number} height
 */
function pairs(count, width, height) {
  const all = Array.from({ length: count }, (_, k) => {
    const rows = Math.ceil(count / (k + 1));
    const size = Math.min((width - GAP * k) / (k + 1), ((height + GAP) / rows - GAP - 2) / 2);
    return { columns: k + 1, size: Math.max(1, size) };
  });
  return all.reduce((best, one) => (one.size > best.size ? one : best));
}

/**
 * The curve and the point of one side strong, all others faint.
 * @param {Figure} figure
 * @param {number} side
 * @returns {Figure}
 */
function strong(figure, side) {
  const [near, copied] = figure.panels;
  const lines = (near.lines ?? []).map((line) => {
    if (line.mode) return line; // the nearest, marked
    return line.name === `k = ${side}`
      ? { ...line, color: "data", width: 2.6 }
      : { ...line, name: null, width: 1.2, opacity: 0.45 };
  });
  const [curve] = copied.lines ?? [];
  const at = curve ? curve.x.indexOf(side) : -1;
  const here = { mode: "markers", color: "data", size: 13, x: [side], y: [at < 0 ? null : curve.y[at]] };
  return {
    ...figure,
    panels: [
      { ...near, lines },
      { ...copied, lines: curve ? [curve, here] : [] },
    ],
  };
}
