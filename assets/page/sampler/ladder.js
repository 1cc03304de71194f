// The noise levels σ_i on a log axis: ticks that can be dragged make a hand-made list.
import { watchSize } from "../shared/dom.js";
import { marked, SIGNS } from "../shared/marked.js";
import { clamp, number } from "../shared/numbers.js";

const SVG = "http://www.w3.org/2000/svg";
const PAD = 12;
const NEAR = 14; // pixels within which a level is taken hold of

export class Ladder {
  /** @type {number[]} σ_0 … σ_N with the final 0. */
  levels = [];
  /** @type {number[] | null} The pinned result's levels. */
  other = null;
  /** @type {number[] | null} Levels that are being tried, in place of the result's, which stay beside them. */
  preview = null;
  /** @type {[number | null, number | null]} The noise levels that the model is for; null: no bound. */
  range = [null, null];
  /** @type {[number, number] | null} Above the first and up to the second it is guided; null: nowhere. */
  guided = null;
  #band = ""; // what is drawn of it
  /** Where the time slider is. */
  u = 0;
  /** The level that has the focus, or would have it. */
  active = 0;
  /** @type {number | null} The level that is dragged. */
  #pressed = null;
  #placing = false; // of a prediction
  /** @type {SVGElement[]} */
  #dots = [];

  /**
   * @param {SVGSVGElement} svg
   * @param {(sigmas: number[]) => void} changed  A person moved a level.
   */
  constructor(svg, changed) {
    this.svg = svg;
    this.changed = changed;
    svg.addEventListener("pointerdown", (event) => this.#press(event));
    svg.addEventListener("pointermove", (event) => this.#drag(event));
    for (const name of ["pointerup", "pointercancel"])
      svg.addEventListener(name, () => {
        this.#pressed = null;
        this.#placing = false;
      });
    svg.addEventListener("keydown", (event) => this.#key(event));
    watchSize(svg, () => this.draw());
    marked.follow(() => this.draw());
  }

  /**
   * @param {number[]} levels
   * @param {number} u
   * @param {number[] | null} other
   * @param {[number | null, number | null]} range
   * @param {[number, number] | null} guided
   */
  update(levels, u, other, range, guided) {
    this.guided = guided;
    const [shown, beside] = this.preview ? [this.preview, other ?? levels] : [levels, other];
    const band = String(this.guided);
    const same = this.levels === shown && this.other === beside && this.#band === band;
    this.#band = band;
    this.u = u;
    this.range = range;
    if (this.#pressed == null) [this.levels, this.other] = [shown, beside];
    if (same) this.#mark();
    else this.draw();
  }

  /** The axis as it is now: its ends, and where σ is on it. */
  #axis() {
    const { width } = this.svg.getBoundingClientRect();
    const positive = this.levels.filter((sigma) => sigma > 0);
    const [high, low] = [Math.max(...positive, 80) * 1.3, Math.min(...positive, 0.002) / 1.3];
    /** @param {number} sigma */
    const toX = (sigma) => PAD + ((width - 2 * PAD) * Math.log(high / sigma)) / Math.log(high / low);
    /** @param {number} x */
    const toSigma = (x) => high * (low / high) ** clamp((x - PAD) / (width - 2 * PAD), 0, 1);
    return { width, high, low, toX, toSigma };
  }

  draw() {
    if (this.levels.length < 2) return;
    const { width, high, low, toX } = this.#axis();
    if (width < 2 * PAD) return;
    const nodes = [node("line", { x1: PAD, x2: width - PAD, y1: 24, y2: 24, class: "rail" })];
    if (this.guided) nodes.push(this.#guidedBand(this.guided, toX, [low, high]));
    for (let power = Math.ceil(Math.log10(low)); power <= Math.log10(high); power++) {
      const x = toX(10 ** power);
      nodes.push(node("text", { x, y: 47 }, number(10 ** power)));
      nodes.push(node("line", { x1: x, x2: x, y1: 20, y2: 28, class: "rail" }));
    }
    for (const sigma of this.other ?? [])
      if (sigma > 0) nodes.push(node("circle", { cx: toX(sigma), cy: 33, r: 2.2, class: "other" }));
    this.#dots = this.levels.slice(0, -1).map((sigma, i) => this.#dot(sigma, i, toX(sigma)));
    const focused = this.svg.contains(document.activeElement);
    this.svg.replaceChildren(...nodes, ...this.#dots, ...predicted(toX, [low, high]));
    if (focused) this.#dots[this.active]?.focus();
    this.#mark();
  }

  /** @type {(sigma: number, i: number, x: number) => SVGElement} */
  #dot(sigma, i, x) {
    return node("circle", {
      cx: x,
      cy: 24,
      r: 4.2,
      role: "slider",
      tabindex: i === this.active ? 0 : -1,
      "aria-label": `noise level ${i} of ${this.levels.length - 1}`,
      "aria-valuenow": sigma,
      "aria-valuetext": `σ = ${number(sigma)}`,
      "data-level": i,
    });
  }

  /**
   * Where it is guided: behind the levels of which that is so.
   * @type {(guided: [number, number], toX: (sigma: number) => number, ends: [number, number]) => SVGElement}
   */
  #guidedBand(guided, toX, [low, high]) {
    const [right, left] = guided.map((sigma) => toX(clamp(sigma, low, high)));
    const band = node("line", { x1: left, x2: right, y1: 24, y2: 24, class: "guided" });
    const inside = this.levels.filter((sigma) => sigma > guided[0] && sigma <= guided[1]).length;
    band.append(node("title", {}, `guided at ${inside} of ${this.levels.length - 1} noise levels`));
    return band;
  }

  #mark() {
    const now = Math.floor(this.u);
    this.#dots.forEach((dot, i) => {
      const sigma = this.levels[i];
      dot.classList.toggle("led", this.guided != null && sigma > this.guided[0] && sigma <= this.guided[1]);
      dot.classList.toggle("passed", i < now);
      dot.classList.toggle("now", i === Math.min(now, this.#dots.length - 1));
    });
  }

  /** @param {PointerEvent} event */
  #press(event) {
    const x = event.clientX - this.svg.getBoundingClientRect().left;
    const { toX } = this.#axis();
    if (marked.state.place) {
      this.#placing = true;
      this.svg.setPointerCapture(event.pointerId);
      this.#drag(event);
      return;
    }
    const distances = this.levels.slice(0, -1).map((sigma) => Math.abs(toX(sigma) - x));
    const nearest = distances.indexOf(Math.min(...distances));
    if (!(distances[nearest] <= NEAR)) return;
    this.#pressed = this.active = nearest;
    this.svg.setPointerCapture(event.pointerId);
    event.preventDefault();
  }

  /** @param {PointerEvent} event */
  #drag(event) {
    const sigma = this.#axis().toSigma(event.clientX - this.svg.getBoundingClientRect().left);
    if (this.#placing) marked.state.place?.(sigma);
    else if (this.#pressed != null) this.#move(this.#pressed, sigma);
  }

  /**
   * A level stays strictly between its neighbours.
   * @type {(i: number, sigma: number) => void}
   */
  #move(i, sigma) {
    const above = i > 0 ? this.levels[i - 1] * 0.999 : (this.range[1] ?? 1e4);
    const below = i + 2 < this.levels.length ? this.levels[i + 1] * 1.001 : (this.range[0] ?? 1e-4);
    if (below > above) return;
    const levels = [...this.levels];
    levels[i] = Number(clamp(sigma, below, above).toPrecision(5));
    this.levels = levels;
    this.draw();
    this.changed(levels.slice(0, -1).map((level) => Number(level.toPrecision(6))));
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const last = this.levels.length - 2;
    const { level } = /** @type {SVGElement} */ (event.target).dataset;
    this.active = Number(level ?? this.active);
    const walk = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const push = { ArrowUp: 1.05, ArrowDown: 1 / 1.05 }[event.key];
    if (walk) {
      this.active = clamp(this.active + walk, 0, last);
      this.draw();
      this.#dots[this.active].focus();
    } else if (push) this.#move(this.active, this.levels[this.active] * push);
    else return;
    event.preventDefault();
  }
}

/**
 * @param {string} tag
 * @param {Record<string, string | number>} attributes
 * @param {string} [text]
 * @returns {SVGElement}
 */
function node(tag, attributes, text) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  if (text) made.textContent = text;
  return /** @type {SVGElement} */ (made);
}

/**
 * A prediction above the axis, and what came of it.
 * @type {(toX: (sigma: number) => number, ends: [number, number]) => SVGElement[]}
 */
function predicted(toX, [low, high]) {
  return /** @type {const} */ (["guess", "truth"]).flatMap((kind) => {
    const sigma = marked.state[kind];
    if (sigma == null) return [];
    return [node("text", { x: toX(clamp(sigma, low, high)), y: 17, class: `marked ${kind}` }, SIGNS[kind])];
  });
}
