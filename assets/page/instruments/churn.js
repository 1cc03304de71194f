// The churn microscope: the moments of one step, played or one by one; or rows of rounds with their chart.
import { fit } from "../shared/canvas.js";
import { Chart } from "../shared/chart.js";
import { button, countUp, element, watchSize } from "../shared/dom.js";
import { float32, uint8 } from "../shared/packed.js";
import { sheet } from "../shared/sheet.js";
import { Instrument } from "./instrument.js";
import { paintImages, paintPoints } from "./moments.js";
import { heightOfRounds, paintRounds } from "./rounds.js";

/** @typedef {import("../shared/messages.d.ts").Churn} Body */
/** @typedef {import("./moments.js").Step} Step */
/** @typedef {import("./rounds.js").Rounds} Rounds */

const SECONDS = 1.3; // for each moment

/** @extends {Instrument<Body>} */
export default class Churn extends Instrument {
  /** @type {Step | Rounds | null} */
  #now = null;
  /** Which moment is reached, and how far the next one. */
  #at = 0;
  playing = false;
  /** @type {number | null} */
  #before = null;
  #calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  #tile = element("canvas");

  /** @param {ConstructorParameters<typeof Instrument>} parts */
  constructor(...parts) {
    super(...parts);
    this.canvas = element("canvas", { "aria-label": "The microscope's picture; a summary follows below" });
    this.plot = element("div");
    const box = element("div", {}, this.canvas);
    this.frame = element("div", { class: "microscope" }, box, this.plot);
    this.stage.append(this.frame);
    this.chart = new Chart(this.plot);
    this.play = button({ class: "play", "aria-label": "Play" });
    this.play.addEventListener("click", () => this.#start(!this.playing));
    this.steps = element("div", { class: "seg", role: "radiogroup", "aria-label": "Moments of the step" });
    this.output = element("output");
    this.bar = element("div", { class: "time moments", hidden: true }, this.play, this.steps, this.output);
    this.stage.after(this.bar);
    watchSize(box, () => this.repaint());
    this.animate(this);
  }

  /**
   * @override
   * @param {Body} body
   */
  show({ stage, figure }) {
    const fresh = this.#now?.kind !== "step";
    const stepping = stage.kind === "step";
    this.#now = stage.kind === "step" ? stepOf(stage) : roundsOf(stage);
    this.frame.classList.toggle("charted", !stepping);
    this.plot.hidden = stepping;
    if (!stepping && figure) this.chart.show(figure, this.colors);
    this.bar.hidden = !stepping || stage.shape.length > 1;
    if (stage.kind === "step") this.#offer(stage.moments);
    if (stepping && fresh) this.#start(!this.#calm);
    this.repaint();
  }

  /**
   * A button for each moment.
   * @param {{ name: string, title: string }[]} moments
   */
  #offer(moments) {
    const key = moments.map(({ title }) => title).join();
    if (this.steps.dataset.key === key) return;
    this.steps.dataset.key = key;
    this.#at = Math.min(this.#at, moments.length - 1);
    const buttons = moments.map(({ name, title }, i) => {
      const node = button({ role: "radio", "data-moment": name }, title);
      node.addEventListener("click", () => {
        this.#start(false);
        this.#at = i;
      });
      return node;
    });
    this.steps.replaceChildren(...buttons);
  }

  /** @param {boolean} playing */
  #start(playing) {
    this.playing = playing;
    this.#before = null;
    this.play.classList.toggle("playing", playing);
    this.play.setAttribute("aria-label", playing ? "Pause" : "Play");
    this.repaint();
  }

  /**
   * At every frame, while it plays: beyond the last moment it rests, then begins again.
   * @param {number} now
   */
  tick(now) {
    const passed = Math.min((now - (this.#before ?? now)) / 1000, 0.1);
    this.#before = now;
    if (!this.playing || this.#now?.kind !== "step" || this.bar.hidden) return false;
    const next = this.#at + passed / SECONDS;
    this.#at = next > this.#now.moments.length + 0.2 ? 0 : next;
    return true;
  }

  /** @override */
  paint() {
    if (!this.#now) return;
    if (this.#now.kind === "rounds")
      this.frame.style.setProperty("--strips", `${heightOfRounds(this.#now, this.frame.clientWidth)}px`);
    const drawing = fit(this.canvas);
    if (this.#now.kind === "rounds") paintRounds(drawing, this.#now, this.#tile, this.colors);
    else if (this.#now.shape.length > 1) paintImages(drawing, this.#now, this.#tile, this.colors);
    else {
      const { moments } = this.#now;
      const reached = Math.min(this.#at, moments.length - 1);
      const whole = Math.floor(reached);
      [...this.steps.children].forEach((node, i) => node.setAttribute("aria-checked", String(i === whole)));
      this.output.textContent = moments[whole].note;
      paintPoints(drawing, this.#now, reached, this.colors);
    }
    countUp(this.node, "paints");
  }

  /** @override */
  picture() {
    return sheet(this.stage, [this.chart], [this.canvas], this.colors);
  }
}

/**
 * x and D(x; σ), unpacked: points, or images.
 * @param {number[]} shape
 */
function opened(shape) {
  const open = shape.length === 1 ? float32 : uint8;
  return (/** @type {{ x: string, denoised: string }} */ { x, denoised }) => ({ x: open(x), denoised: open(denoised) });
}

/**
 * @param {import("../shared/messages.d.ts").Step} stage
 * @returns {Step}
 */
function stepOf({ kind, shape, count, moments, data, sigmaData }) {
  const open = opened(shape);
  return {
    kind,
    shape,
    count,
    moments: moments.map((moment) => ({ ...moment, ...open(moment) })),
    data: float32(data ?? ""),
    sigmaData: sigmaData || 0.5,
  };
}

/**
 * @param {import("../shared/messages.d.ts").Cycles} stage
 * @returns {Rounds}
 */
function roundsOf({ kind, shape, count, rows, columns, reach }) {
  const open = opened(shape);
  const unpacked = rows.map(({ title, color, rounds }) => ({
    title,
    color,
    rounds: rounds.map(({ index, picture }) => ({ index, ...open(picture) })),
  }));
  return { kind, shape, count, rows: unpacked, columns, reach: reach ?? 1 };
}
