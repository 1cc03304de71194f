// @ts-nocheck
// The noise levels σ_i on a log axis: ticks that can be dragged make a hand-made list.
import { clamp, number } from "../shared/numbers.js";

const SVG = "http://www.w3.org/2000/svg";
const PAD = 12;

export class Ladder {
  // changed(levels): a person moved a level.
  constructor(svg, { changed }) {
    Object.assign(this, { svg, changed, levels: [], active: 0 });
    svg.addEventListener("pointerdown", (event) => this.press(event));
    svg.addEventListener("pointermove", (event) => this.pressed != null && this.drag(event));
    for (const name of ["pointerup", "pointercancel"]) svg.addEventListener(name, () => (this.pressed = null));
    svg.addEventListener("keydown", (event) => this.key(event));
    new ResizeObserver(() => this.draw()).observe(svg);
  }

  // levels: σ_0 … σ_N with the final 0; u: where the time slider is; other: the pinned result's levels; range: the
  // noise levels that the model is for (null: no bound).
  update(levels, u, other, range) {
    Object.assign(this, { u, range });
    const same = this.levels === levels && this.other === other;
    if (this.pressed == null) Object.assign(this, { levels, other });
    if (same) this.mark();
    else this.draw();
  }

  get width() {
    return this.svg.getBoundingClientRect().width;
  }

  bounds() {
    const positive = this.levels.filter((sigma) => sigma > 0);
    return [Math.max(...positive, 80) * 1.3, Math.min(...positive, 0.002) / 1.3];
  }

  toX(sigma) {
    const [high, low] = this.bounds();
    return PAD + ((this.width - 2 * PAD) * Math.log(high / sigma)) / Math.log(high / low);
  }

  toSigma(x) {
    const [high, low] = this.bounds();
    return high * (low / high) ** clamp((x - PAD) / (this.width - 2 * PAD), 0, 1);
  }

  draw() {
    if (this.levels.length < 2 || this.width < 2 * PAD) return;
    const [high, low] = this.bounds();
    const nodes = [node("line", { x1: PAD, x2: this.width - PAD, y1: 24, y2: 24, class: "rail" })];
    for (let power = Math.ceil(Math.log10(low)); power <= Math.log10(high); power++) {
      nodes.push(node("text", { x: this.toX(10 ** power), y: 47 }, number(10 ** power)));
      nodes.push(node("line", { x1: this.toX(10 ** power), x2: this.toX(10 ** power), y1: 20, y2: 28, class: "rail" }));
    }
    for (const sigma of this.other ?? [])
      if (sigma > 0) nodes.push(node("circle", { cx: this.toX(sigma), cy: 33, r: 2.2, class: "other" }));
    this.dots = this.levels.slice(0, -1).map((sigma, i) =>
      node("circle", {
        cx: this.toX(sigma),
        cy: 24,
        r: 4.2,
        role: "slider",
        tabindex: i === this.active ? 0 : -1,
        "aria-label": `noise level ${i} of ${this.levels.length - 1}`,
        "aria-valuenow": sigma,
        "aria-valuetext": `σ = ${number(sigma)}`,
        "data-level": i,
      }),
    );
    const focused = this.svg.contains(document.activeElement);
    this.svg.replaceChildren(...nodes, ...this.dots);
    if (focused) this.dots[this.active]?.focus();
    this.mark();
  }

  mark() {
    this.dots?.forEach((dot, i) => {
      dot.classList.toggle("passed", i < Math.floor(this.u));
      dot.classList.toggle("now", i === Math.min(Math.floor(this.u), this.dots.length - 1));
    });
  }

  press(event) {
    const x = event.clientX - this.svg.getBoundingClientRect().left;
    const distances = this.levels.slice(0, -1).map((sigma) => Math.abs(this.toX(sigma) - x));
    const nearest = distances.indexOf(Math.min(...distances));
    if (distances[nearest] > 14) return;
    this.pressed = this.active = nearest;
    this.svg.setPointerCapture(event.pointerId);
    event.preventDefault();
  }

  drag(event) {
    this.move(this.pressed, this.toSigma(event.clientX - this.svg.getBoundingClientRect().left));
  }

  // A level stays strictly between its neighbours.
  move(i, sigma) {
    const above = i > 0 ? this.levels[i - 1] * 0.999 : (this.range[1] ?? 1e4);
    const below = i + 2 < this.levels.length ? this.levels[i + 1] * 1.001 : (this.range[0] ?? 1e-4);
    if (below > above) return;
    const levels = [...this.levels];
    levels[i] = Number(clamp(sigma, below, above).toPrecision(5));
    this.levels = levels;
    this.draw();
    this.changed(levels.slice(0, -1).map((level) => Number(level.toPrecision(6))));
  }

  key(event) {
    const last = this.levels.length - 2;
    this.active = Number(event.target.dataset.level ?? this.active);
    const walk = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const push = { ArrowUp: 1.05, ArrowDown: 1 / 1.05 }[event.key];
    if (walk) {
      this.active = clamp(this.active + walk, 0, last);
      this.draw();
      this.dots[this.active].focus();
    } else if (push) this.move(this.active, this.levels[this.active] * push);
    else return;
    event.preventDefault();
  }
}

function node(tag, attributes, text) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text) made.textContent = text;
  return made;
}
