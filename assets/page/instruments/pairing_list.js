// A list of solvers with their time steps, to be changed, added to, taken from and put in another order: the lanes of a
// comparison, or an axis of a sweep.
import { button, element } from "../shared/dom.js";
import { plain, symbolOf } from "../shared/mathematics.js";
import { chips, offer, text as textField } from "../shared/widgets.js";
import { moved, pairingOf, readPairing, writePairing } from "./pairings.js";

/** @typedef {import("../shared/types.d.ts").Knob} Knob */
/** @typedef {import("../shared/widgets.js").Binding} Binding */
/** @typedef {import("../shared/messages.d.ts").Boot} Boot */
/** @typedef {import("./pairings.js").Pairing} Pairing */

const HIDDEN = ["sigma_min"]; // knobs of time steps that are not these lists' own
const MANY = 4; // knobs of one solver with its time steps, which are folded away
const KINDS = /** @type {const} */ ({ solver: "solver", grid: "discretization" });

/**
 * Lanes: the columns as chips, and all lanes in their order.
 * @param {Knob} knob
 * @param {Binding} bound
 * @param {Boot} boot
 */
export function lanesList(knob, bound, boot) {
  const columns = knob.choices ?? [];
  const plainOnes = () => /** @type {string[]} */ (bound.get()).filter((lane) => columns.includes(lane));
  /** A column that is switched on or off; those of other lanes stay where they are. @param {string[]} chosen */
  const set = (chosen) => {
    const now = /** @type {string[]} */ (bound.get());
    const kept = now.filter((lane) => !columns.includes(lane) || chosen.includes(lane));
    const all = [...kept, ...chosen.filter((lane) => !now.includes(lane))];
    bound.set(all.every((lane) => columns.includes(lane)) ? chosen : all);
  };
  const list = new PairingList(boot, { what: "Lane", get: bound.get, set: bound.set, knob });
  bound.follow(() => list.show());
  return element("div", {}, chips(knob, { ...bound, get: plainOnes, set }), list.node);
}

/**
 * A range of values as text, and where its axis is a solver with its time steps, as a list, too.
 * @param {Knob} knob
 * @param {Binding} bound
 * @param {Boot} boot
 * @param {() => boolean} paired
 */
export function pairsRange(knob, bound, boot, paired) {
  const get = () =>
    String(bound.get())
      .split(",")
      .map((one) => one.trim())
      .filter(Boolean);
  const set = (/** @type {string[]} */ list) => bound.set(list.join(","));
  const list = new PairingList(boot, { what: "Pair", get, set, knob: null });
  bound.follow(() => {
    list.node.hidden = !paired();
    if (paired()) list.show();
  });
  return element("div", {}, textField(knob, bound), list.node);
}

class PairingList {
  #shown = "";

  /**
   * @param {Boot} boot
   * @param {{ what: string, get: () => string[], set: (list: string[]) => void, knob: Knob | null }} parts  knob: the
   *   columns that may stand alone; null: none may.
   */
  constructor(boot, { what, get, set, knob }) {
    this.boot = boot;
    this.what = what;
    this.get = get;
    this.set = set;
    this.columns = knob?.choices ?? [];
    this.titles = knob?.titles ?? [];
    this.alone = knob != null;
    this.rows = element("ol", {});
    this.more = button({ class: "plain", "data-action": `add-${what.toLowerCase()}` }, `+ ${what.toLowerCase()}`);
    this.more.title = "Any solver on any time steps";
    this.more.addEventListener("click", () => this.set([...this.get(), this.#next()]));
    this.node = element("div", { class: "pairings" }, this.rows, this.more);
  }

  /** The next one to begin with: as the last, or a column's. */
  #next() {
    const last = this.get().at(-1);
    if (last && !this.columns.includes(last)) return last;
    return this.#of(last) ?? pairingOf(this.boot.designs[this.boot.designs.length - 1]);
  }

  /** @param {string | undefined} column */
  #of(column) {
    const design = this.boot.designs.find(({ name }) => name === column);
    return design && pairingOf(design);
  }

  show() {
    const list = this.get();
    const shown = JSON.stringify(list);
    if (shown === this.#shown) return;
    this.#shown = shown;
    const at = this.rows.contains(document.activeElement) ? document.activeElement?.getAttribute("data-at") : null;
    this.rows.replaceChildren(...list.map((text, k) => this.#row(text, k, list)));
    const again = at && this.rows.querySelector(`[data-at="${CSS.escape(at)}"]`);
    if (again instanceof HTMLElement) again.focus();
  }

  /**
   * @param {string} text
   * @param {number} k
   * @param {string[]} list
   */
  #row(text, k, list) {
    const named = `${this.what} ${k + 1}`;
    /** @param {string} sign @param {string} does @param {() => string[]} next @param {boolean} [off] */
    const act = (sign, does, next, off = false) => {
      const made = button({ class: "plain", "aria-label": `${named}: ${does}`, "data-at": `${k} ${does}` }, sign);
      made.title = does;
      made.disabled = off;
      made.addEventListener("click", () => this.set(next()));
      return made;
    };
    const own = this.#of(text);
    const change = (/** @type {string} */ other) => list.map((one, j) => (j === k ? other : one));
    const buttons = element(
      "span",
      { class: "acts" },
      ...(own && this.alone ? [act("≠", "another solver or other time steps", () => change(own))] : []),
      act("↑", "up", () => moved(list, k, k - 1), k === 0),
      act("↓", "down", () => moved(list, k, k + 1), k === list.length - 1),
      act("✕", "remove", () => list.filter((_, j) => j !== k)),
    );
    const place = this.columns.indexOf(text);
    if (place >= 0) {
      const title = element("span", {}, plain(this.titles[place] ?? text));
      return element("li", { "data-lane": text }, element("div", { class: "top" }, title, buttons));
    }
    const pairing = readPairing(text);
    const set = (/** @type {Pairing} */ changed) => this.set(change(writePairing(changed)));
    const top = element("div", { class: "top" }, this.#column(pairing, k, named, set), buttons);
    const parts = /** @type {const} */ (["solver", "grid"]).map((kind) => this.#part(kind, pairing, k, named, set));
    const fields = parts.flatMap(({ fields }) => fields);
    const few = element("div", { class: "few" }, ...fields);
    const given = [pairing.solver, pairing.grid].some(({ knobs }) => Object.keys(knobs).length);
    const folded = element("details", { open: given }, element("summary", {}, "knobs"), few);
    const shown = fields.length > MANY ? [folded] : fields.length ? [few] : [];
    return element("li", { "data-lane": text }, top, ...parts.map(({ select }) => select), ...shown);
  }

  /**
   * Whose σ(t), s(t) and range count.
   * @param {Pairing} pairing
   * @param {number} k
   * @param {string} named
   * @param {(changed: Pairing) => void} set
   */
  #column(pairing, k, named, set) {
    const label = `${named}: σ(t), s(t) and range`;
    const select = element("select", { "aria-label": label, "data-at": `${k} column`, title: label });
    const named_ = this.boot.designs.map(({ name, title }) => /** @type {[string, string]} */ ([name, `in ${title}`]));
    const yours = this.columns.filter((name) => !named_.some(([known]) => known === name));
    const more = yours.map((name) => /** @type {[string, string]} */ ([name, `in ${name}`]));
    const as = /** @type {[string, string][]} */ (this.alone ? [] : [["", "σ(t), s(t) as they are"]]);
    offer(select, [...as, ...named_, ...more]);
    select.value = pairing.column;
    select.addEventListener("change", () => set({ ...pairing, column: select.value }));
    return select;
  }

  /**
   * A list of solvers or of time steps, and the knobs of the chosen one.
   * @param {"solver" | "grid"} kind
   * @param {Pairing} pairing
   * @param {number} k
   * @param {string} named
   * @param {(changed: Pairing) => void} set
   */
  #part(kind, pairing, k, named, set) {
    const knob = this.boot.knobs[KINDS[kind]];
    const { name } = pairing[kind];
    const title = kind === "solver" ? "solver" : "time steps";
    const select = element("select", { "aria-label": `${named}: ${title}`, "data-at": `${k} ${kind}` });
    const known = (knob.choices ?? []).map(
      (value, i) => /** @type {[string, string]} */ ([value, knob.titles?.[i] ?? value]),
    );
    const own = /** @type {[string, string]} */ (["", `${title} as they are`]);
    const other = name && !knob.choices?.includes(name) ? [/** @type {[string, string]} */ ([name, name])] : [];
    const families = knob.families ? ["", ...knob.families, ...other.map(() => "")] : null;
    if (this.alone || name) offer(select, [...known, ...other], families?.slice(1));
    else offer(select, [own, ...known, ...other], families);
    select.value = name;
    select.addEventListener("change", () => set({ ...pairing, [kind]: { name: select.value, knobs: {} } }));
    const uses = (knob.uses?.[knob.choices?.indexOf(name) ?? -1] ?? []).filter((one) => !HIDDEN.includes(one));
    return { select, fields: uses.map((one) => this.#field(one, kind, pairing, k, named, set)) };
  }

  /**
   * One knob of a solver or of time steps: empty is its own value.
   * @param {string} one
   * @param {"solver" | "grid"} kind
   * @param {Pairing} pairing
   * @param {number} k
   * @param {string} named
   * @param {(changed: Pairing) => void} set
   */
  #field(one, kind, pairing, k, named, set) {
    const knob = this.boot.knobs[one];
    const { name, knobs } = pairing[kind];
    const place = this.boot.knobs[KINDS[kind]].choices?.indexOf(name) ?? -1;
    const forms = one === "variant" ? this.boot.knobs.solver.forms?.[place] : null;
    const words = forms ?? (typeof knob.default === "boolean" ? ["false", "true"] : null);
    const own = this.boot.knobs.solver.own?.[place]?.[one] ?? knob.default ?? "auto";
    const label = symbolOf(knob) ?? one;
    const attributes = { "aria-label": `${named}: ${plain(label)}`, "data-at": `${k} ${one}`, title: knob.help };
    /** @type {HTMLInputElement | HTMLSelectElement} */
    let input;
    if (words) {
      input = element("select", attributes);
      offer(
        input,
        words.map((word) => [word, { false: "no", true: "yes" }[word] ?? word]),
      );
      input.value = knobs[one] ?? String(own);
    } else {
      input = element("input", { type: "text", inputmode: "decimal", placeholder: String(own), ...attributes });
      input.value = knobs[one] ?? "";
    }
    input.addEventListener("change", () => {
      const { [one]: _, ...rest } = knobs;
      const value = input.value.trim();
      set({ ...pairing, [kind]: { name, knobs: value && value !== String(own) ? { ...rest, [one]: value } : rest } });
    });
    return element("label", { class: "small" }, element("span", { html: knob.symbol }), input);
  }
}
