// The sweep: a grid of cells, each a picture or a number, or one of them with a slider for each axis; a click takes its
// settings to the Sampler tab.
import { contextOf, fit, paper } from "../shared/canvas.js";
import { element, watchSize } from "../shared/dom.js";
import { symbolOf, typeset } from "../shared/mathematics.js";
import { clamp, number } from "../shared/numbers.js";
import { StepPlayer, timeline } from "../shared/player.js";
import { changeView, showSwitches } from "../shared/stages/switches.js";
import { Cells } from "./cells.js";
import { Costly } from "./costly.js";
import { PAIR, pairingOf } from "./pairings.js";

/** @typedef {import("../shared/messages.d.ts").Sweep} Body */
/** @typedef {import("./cells.js").Place} Place */

const CROWDED = 90; // pixels of a cell's width, below which one cell is shown at first
/** @type {import("../shared/types.d.ts").Switch[]} */
const SWITCHES = [["as", { grid: "all", one: "one" }, "All cells side by side, or one with a slider for each axis"]];
const LABEL = "Cells: walk with the arrow keys, open one with Enter; a summary follows below";

/** @extends {Costly<Body>} */
export default class Sweep extends Costly {
  /** @type {Cells | null} */
  #cells = null;
  /** @type {Place | null} */
  #pointed = null;
  /** @type {import("../shared/types.d.ts").View} as: what somebody has chosen. */
  #view = {};

  /** @param {ConstructorParameters<typeof Costly>} parts */
  constructor(...parts) {
    super(...parts);
    this.canvas = element("canvas", { class: "grid", tabindex: 0, "aria-label": LABEL });
    this.tip = element("div", { class: "tip", hidden: true });
    this.stage.append(this.canvas, this.tip);
    this.canvas.addEventListener("pointermove", (event) => this.#point(this.#at(event)));
    this.canvas.addEventListener("pointerleave", () => this.#point(null));
    this.canvas.addEventListener("click", (event) => this.#choose(this.#at(event)));
    this.canvas.addEventListener("keydown", (event) => this.#key(event));
    this.views = element("div", { class: "views" });
    this.heading.append(this.views);
    this.sliders = { x: this.#slider("Columns"), y: this.#slider("Rows") };
    this.stage.after(this.sliders.x.line.node, this.sliders.y.line.node);
    const { x, y } = this.sliders;
    this.animate({
      get playing() {
        return x.player.playing || y.player.playing;
      },
      tick: (now) => [x, y].map(({ player }) => player.tick(now)).some(Boolean),
    });
    watchSize(this.stage, () => this.paint());
  }

  /**
   * Along an axis, without the server.
   * @param {string} label
   */
  #slider(label) {
    const line = timeline(label);
    /** @type {{ line: typeof line, player: StepPlayer, values: string[] }} */
    const slider = {
      line,
      player: new StepPlayer(line, {
        run: () => ({ images: [...slider.values.keys()] }),
        moved: () => this.repaint(),
      }),
      values: [],
    };
    slider.player.fraction = 0.5;
    return slider;
  }

  /** Whether one cell is shown, with its sliders. */
  get #alone() {
    if (!this.#cells || this.#cells.curve) return false;
    return (this.#view.as ?? (this.#cells.crowded(this.stage.clientWidth, CROWDED) ? "one" : "grid")) === "one";
  }

  /** The cell at which the sliders stand. @returns {Place} */
  get #chosen() {
    const { x, y } = this.sliders;
    const [column, row] = [x, y].map(({ player, values }) => player.at([...values.keys()]));
    return { row, column };
  }

  #showSliders() {
    const alone = this.#alone;
    showSwitches(this.views, SWITCHES, { as: alone ? "one" : "grid" }, (changes) => {
      changeView(this.#view, changes);
      this.#point(null);
      this.paint();
    });
    this.views.hidden = !this.#cells || this.#cells.curve;
    for (const axis of /** @type {const} */ (["x", "y"])) {
      const { line, player } = this.sliders[axis];
      const { name, values } = this.#cells?.axes[axis] ?? { name: "", values: [] };
      this.sliders[axis].values = values;
      line.node.hidden = !alone || values.length < 2;
      const value = alone && values.length ? values[player.at([...values.keys()])] : "";
      if (value) player.mark(name === PAIR ? value : `${name} = ${value}`);
    }
  }

  /**
   * @override
   * @param {string[]} names
   */
  changed(names) {
    for (const axis of names.filter((name) => ["x", "y"].includes(name))) this.#begin(axis);
    super.changed(names);
  }

  /**
   * What an axis that has just become a solver with its time steps begins with, or has ended to be one.
   * @param {string} axis
   */
  #begin(axis) {
    const range = `${axis}_range`;
    const paired = String(this.values[range]).includes("/");
    const { boot } = this.bench.page;
    if (this.values[axis] === PAIR && !paired)
      this.store.set({ [range]: boot.designs.map((design) => pairingOf(design)).join(",") });
    else if (this.values[axis] !== PAIR && paired) this.store.set({ [range]: this.declared.knobs[range].default });
  }

  /** @override */
  stop() {
    super.stop();
    if (this.body) this.state.textContent = `${this.body.cells.length} cells done`;
  }

  /**
   * @override
   * @param {Body} body
   */
  show(body) {
    const { x, y } = body.axes;
    this.#cells = new Cells({ ...body, axes: { x: this.#named(x), y: this.#named(y) } });
    this.mark(this.busy);
    this.paint();
  }

  /**
   * An axis by its knob's symbol.
   * @param {Body["axes"]["x"]} axis
   */
  #named(axis) {
    return { ...axis, name: symbolOf(this.bench.page.boot.knobs[axis.name]) ?? axis.name };
  }

  /** @override */
  paint() {
    if (!this.#cells) return;
    this.#showSliders();
    if (this.#alone) this.#cells.paintOne(fit(this.canvas), this.#chosen, this.colors);
    else this.#cells.paint(fit(this.canvas), this.#pointed, this.colors);
    this.node.dataset.cells = String(this.#cells.count);
  }

  /**
   * The cell under a pointer, or null.
   * @param {MouseEvent} event
   */
  #at(event) {
    if (this.#alone) return this.#chosen;
    const { left, top } = this.canvas.getBoundingClientRect();
    return this.#cells?.at(event.clientX - left, event.clientY - top) ?? null;
  }

  /** @param {Place | null} place */
  #point(place) {
    if (place?.row === this.#pointed?.row && place?.column === this.#pointed?.column) return;
    if (this.#alone) return;
    this.#pointed = place;
    this.paint();
    this.tip.hidden = !place;
    if (!place || !this.#cells) return;
    const { x, y } = this.#cells.axes;
    const cell = this.#cells.find(place);
    const here = [`${x.name} = ${x.values[place.column]}`, y.name && `${y.name} = ${y.values[place.row]}`];
    const within = cell?.high == null ? "" : ` (${number(cell.low)} … ${number(cell.high)})`;
    const value = cell?.value == null ? "" : `: ${number(cell.value)}${within}`;
    const problem = cell?.problem ? ` — ${cell.problem}` : "";
    const use = cell?.document ? " · click to open it in the Sampler" : "";
    this.tip.replaceChildren(...typeset(here.filter(Boolean).join(", ") + value + problem + use));
    const [left, top, , h] = this.#cells.box(place);
    const { width, height } = this.#cells;
    this.tip.style.left = `${clamp(left, 0, width - 300)}px`;
    this.tip.style.top = `${top + h + 44 > height ? top - 30 : top + h + 4}px`;
  }

  /** @param {Place | null} place */
  #choose(place) {
    const cell = place && this.#cells?.find(place);
    if (cell?.document) this.bench.page.load({ ...JSON.parse(cell.document), count: null });
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    if (event.key === "Enter") this.#choose(this.#alone ? this.#chosen : this.#pointed);
    if (!step || !this.#cells) return;
    event.preventDefault();
    const { x, y } = this.#cells.axes;
    if (this.#alone) {
      for (const [{ player, values }, by] of /** @type {const} */ ([
        [this.sliders.y, step[0]],
        [this.sliders.x, step[1]],
      ]))
        if (by) player.seek(clamp(player.fraction + by / Math.max(1, values.length - 1), 0, 1));
      return;
    }
    const { row, column } = this.#pointed ?? { row: -step[0], column: -step[1] };
    this.#point({
      row: clamp(row + step[0], 0, y.values.length - 1),
      column: clamp(column + step[1], 0, x.values.length - 1),
    });
  }

  /** @override */
  picture() {
    const { canvas } = paper(this.canvas.width, this.canvas.height, this.colors);
    contextOf(canvas).drawImage(this.canvas, 0, 0);
    return canvas;
  }
}
