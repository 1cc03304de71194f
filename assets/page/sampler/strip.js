// The algorithm as a strip under the stage: what a step does, one thing after the other. Each lights up as the player
// passes it, and unfolds to its formula.
import { button, element } from "../shared/dom.js";
import { hint } from "../shared/hints.js";
import { typeset } from "../shared/mathematics.js";
import { keep, kept } from "../shared/storage.js";
import { explained } from "../shared/terms.js";

/** @typedef {import("../shared/messages.d.ts").Doing} Doing */

const KEPT = "edm-algorithm";
const ROOM = "(min-width: 1500px) and (min-height: 900px)"; // where the formulas take nothing from the picture

const NAMED = ["churn", "remembered", "step", "correction", "last", "noise", "restart"]; // what no symbol says

/** Whether step i does this. @type {(doing: Doing, step: number) => boolean} */
export const acts = ({ acts }, step) => acts == null || acts[step] === "1";

/**
 * What is being done at position u among the levels: the parts of a step share its time evenly. −1: all is done.
 * @param {Doing[]} doings
 * @param {number} u
 * @param {number} steps
 */
export function doingAt(doings, u, steps) {
  const step = Math.floor(u);
  if (step >= steps) return -1;
  const own = doings.flatMap((doing, k) => (acts(doing, step) ? [k] : []));
  return own[Math.min(Math.floor((u - step) * own.length), own.length - 1)] ?? -1;
}

/**
 * The position in the middle of part k of the step where u is, or of the first step from there on that has it.
 * @param {Doing[]} doings
 * @param {number} k
 * @param {number} u
 * @param {number} steps
 */
export function placeOf(doings, k, u, steps) {
  const from = Math.min(Math.floor(u), steps - 1);
  const order = Array.from({ length: steps }, (_, i) => (from + i) % steps);
  const step = order.find((i) => acts(doings[k], i)) ?? from;
  const own = doings.flatMap((doing, j) => (acts(doing, step) ? [j] : []));
  return step + (own.indexOf(k) + 0.5) / own.length;
}

export class Strip {
  /** @type {import("../shared/types.d.ts").Result | null} */
  #result = null;
  #key = "";
  #lit = -1;
  #step = -1;
  #u = 0;
  /** @type {HTMLElement[]} */
  #chips = [];
  #room = matchMedia(ROOM);
  #left = kept(KEPT);

  /** @param {import("./sampler.js").Sampler} tab */
  constructor(tab) {
    this.tab = tab;
    this.node = tab.parts.strip;
    this.toggle = button({ class: "unfold", "aria-expanded": "false" }, "One step");
    hint(this.toggle, "What the sampler does in each step; unfolded, with its formulas and the chosen rows of Table 1");
    this.list = element("ol", {});
    this.rows = element("p", { class: "rows" });
    this.node.replaceChildren(this.toggle, this.list, this.rows);
    this.toggle.addEventListener("click", () => {
      this.#left = this.open ? "closed" : "open";
      keep(KEPT, this.#left);
      tab.setView({ algorithm: null });
      this.#unfold();
    });
    this.#room.addEventListener("change", () => this.#unfold());
    this.#unfold();
  }

  /** As the address asks, as somebody has left it, or where there is room. */
  get open() {
    const wanted = this.tab.view.algorithm ?? this.#left;
    return wanted ? wanted === "open" : this.#room.matches;
  }

  #unfold() {
    const said = String(this.open);
    if (this.toggle.getAttribute("aria-expanded") === said) return;
    this.toggle.setAttribute("aria-expanded", said);
    this.node.classList.toggle("open", this.open);
  }

  /**
   * The steps of this picture, where the player stands.
   * @param {import("../shared/types.d.ts").Result} result
   * @param {number} u  Among the levels.
   */
  show(result, u) {
    this.#unfold();
    if (result !== this.#result) this.#write(result);
    this.#u = u;
    const { doings } = result.algorithm;
    const [step, steps] = [Math.floor(u), result.levels.length - 1];
    const lit = doingAt(doings, u, steps);
    if (step !== this.#step) {
      this.#step = step;
      for (const [k, chip] of this.#chips.entries())
        chip.classList.toggle("rests", step < steps && !acts(doings[k], step));
    }
    if (lit === this.#lit) return;
    this.#chips[this.#lit]?.classList.remove("lit");
    this.#chips[lit]?.classList.add("lit");
    this.#lit = lit;
  }

  /**
   * Anew only where other things are done: not while N or a noise level is dragged.
   * @param {import("../shared/types.d.ts").Result} result
   */
  #write(result) {
    this.#result = result;
    this.#step = -1;
    const { doings, rows } = result.algorithm;
    const key = JSON.stringify([doings.map(({ symbol, formula, help }) => [symbol, formula, help]), rows]);
    if (key === this.#key) return;
    this.#key = key;
    this.#lit = -1;
    this.#chips = doings.map((doing, k) => this.#chip(doing, k));
    this.list.replaceChildren(...this.#chips.map((chip) => element("li", {}, chip)));
    const seen = new Set();
    this.rows.replaceChildren(
      ...rows.map(([title, formula]) =>
        element("span", {}, element("em", {}, title), " ", ...explained(formula, seen)),
      ),
    );
  }

  /** @type {(doing: Doing, k: number) => HTMLElement} */
  #chip({ name, symbol, formula, help }, k) {
    const written = element("span", { class: "formula" }, ...typeset(formula));
    const named = NAMED.includes(name) ? element("em", {}, ` ${name}`) : null;
    const chip = button({ "data-doing": name }, element("b", {}, ...typeset(symbol)), named, written);
    hint(chip, `${help}: ${formula}`);
    chip.addEventListener("click", () => {
      if (!this.#result) return;
      const steps = this.#result.levels.length - 1;
      this.tab.player.play(false);
      this.tab.player.seek(placeOf(this.#result.algorithm.doings, k, this.#u, steps) / steps);
    });
    return chip;
  }
}
