// What is trained, and how: a start button that works at once, and the choices behind it.
import { button, element } from "../shared/dom.js";
import { hint } from "../shared/hints.js";
import { Store } from "../shared/store.js";
import { copy } from "../shared/takeaway.js";
import { pastOf } from "../shared/told.js";
import { automatic, changedText } from "../shared/values.js";
import { choice, segments, slider, text, toggle } from "../shared/widgets.js";
import { Datasets } from "./datasets.js";
import { Device } from "./device.js";
import { Estimate } from "./estimate.js";
import { Own } from "./own.js";
import { Reading } from "./reading.js";

/** @typedef {import("../shared/types.d.ts").Values} Values */
/** @typedef {import("../shared/types.d.ts").Knob} Knob */

/**
 * values: what is set. effective: what counts for all fields. byImages: the length is given in images.
 * @typedef {{ values: Values, effective: Values, byImages: boolean }} State
 */

const WAIT = 250; // ms of rest before an estimate is asked for
const MORE = ["batch", "P_mean", "P_std", "augment", "label_dropout", "seed"];
const TOGGLES = ["conditional", "greyscale", "crop", "compile", "tf32", "deterministic", "checkpointing", "early"]; // true, false or automatic

export class Form {
  /** @type {Store<State>} */
  store = new Store({ values: {}, effective: {}, byImages: false });
  /** @type {Record<string, HTMLElement>} The row of each field, for what is said about it. */
  rows = {};
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #shown = false;
  /** @type {import("../shared/types.d.ts").Colors | null} */
  #colors = null;

  /**
   * @param {HTMLElement} box
   * @param {import("./types.d.ts").TrainPage} tab
   */
  constructor(box, tab) {
    const { boot, page } = tab;
    this.tab = tab;
    this.boot = boot;
    /** @type {Record<string, Knob>} */
    this.knobs = { ...boot.fields, ...boot.short };
    const back = (/** @type {Values} */ changes) => {
      if ("images" in changes) this.store.set({ byImages: changes.images != null });
      this.#apply(changes);
    };
    this.past = pastOf(this.knobs, (name) => this.store.state.values[name], back);
    this.startButton = button({ class: "primary", "data-action": "start" }, "Start");
    this.contrast = button({ class: "pin", "data-action": "contrast" }, "VP against EDM");
    this.estimate = new Estimate(page.server, {
      text: () => this.text(),
      rows: this.rows,
      planned: ({ values, command }) => {
        this.commandArea.value = command;
        this.store.set({ effective: values });
      },
      change: (changes) => this.set(changes),
      finished: (serial) => {
        this.node.dataset.planned = String(serial);
      },
    });
    this.commandArea = element("textarea", { readonly: true, rows: 3, "aria-label": "The same from a terminal" });
    this.datasets = new Datasets(boot.datasets, this.#binding("data"));
    this.own = new Own(this, () => this.#colors);
    this.reading = new Reading(this, page);
    this.device = new Device(this.knobs.device, this.#binding("device"));
    Object.assign(this.rows, { data: this.datasets.node, device: this.device.node });
    this.node = element(
      "div",
      { class: "form" },
      element("div", { class: "start" }, this.startButton, this.contrast),
      this.estimate.node,
      element("h2", { class: "split" }, "Data", this.own.sources.node),
      this.datasets.node,
      this.own.node,
      ...[this.reading.node, this.#row("examples")],
      element("h2", {}, "Size · design"),
      this.#short("size"),
      this.#designs(),
      element("h2", { class: "split" }, "Length", this.#units()),
      this.#row("minutes"),
      this.#row("images"),
      ...this.#where(),
      this.#more(),
    );
    this.store.follow(() => {
      [this.rows.minutes.hidden, this.rows.images.hidden] = [this.store.state.byImages, !this.store.state.byImages];
    });
    this.#listen();
    box.append(this.node);
  }

  // ---- values ----

  /** As text: what a request or an address carries. */
  text() {
    return changedText(this.store.state.values, {});
  }

  query() {
    return Object.fromEntries(Object.entries(this.text()).filter(([name]) => name in this.knobs));
  }

  /** @param {Values} given */
  load(given) {
    const values = Object.fromEntries(Object.entries(given).filter(([name]) => name in this.knobs));
    this.store.set({ values, byImages: "images" in values });
    this.#ask();
  }

  /** @param {boolean} active  It is looked at, and estimates may take the processor. */
  set active(active) {
    this.#shown = active;
    if (active && !this.estimate.asked) this.#ask();
  }

  /**
   * The value that counts.
   * @param {string} name
   */
  value(name) {
    const { values, effective } = this.store.state;
    const fixed = { minutes: this.boot.minutes, ...effective }[name];
    const value = values[name] ?? fixed ?? this.knobs[name].default;
    const written = typeof value === "string" && value !== "" && !Number.isNaN(Number(value));
    return this.knobs[name].slider && written ? Number(value) : value;
  }

  /**
   * What a person changes; null or "": automatic again.
   * @param {Values} given
   */
  set(given) {
    const changes = this.reading.withdrawn(given);
    this.past.note(Object.fromEntries(Object.entries(changes).map(([name, value]) => [name, value || null])));
    this.#apply(changes);
  }

  /** Automatic again, for good. @param {string} name */
  drop(name) {
    this.#apply({ [name]: null });
  }

  /** @param {Values} changes */
  #apply(changes) {
    this.tab.changed();
    const all = Object.entries({ ...this.store.state.values, ...changes });
    this.store.set({ values: Object.fromEntries(all.filter(([, value]) => value != null && value !== "")) });
    this.tab.page.changed();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#ask(), WAIT);
  }

  // ---- the estimate ----

  #ask() {
    if (this.#shown) this.estimate.ask();
  }

  /** @param {import("../shared/messages.d.ts").Allowed} room */
  set room(room) {
    if (this.estimate.enter(room)) this.startButton.disabled = this.contrast.disabled = !room.starting;
  }

  /** @param {boolean} on  A start is under way. */
  set starting(on) {
    this.startButton.textContent = on ? "Starting …" : "Start";
  }

  #listen() {
    const once = (/** @type {boolean} */ contrast) => (/** @type {MouseEvent} */ event) =>
      event.detail < 2 && this.tab.start(contrast); // the second half of a double click is no other press
    this.startButton.addEventListener("click", once(false));
    this.contrast.addEventListener("click", once(true));
    hint(this.contrast, "Two runs with the same seed and length, drawn over each other: only the design differs");
  }

  #designs() {
    const made = this.#short("design");
    for (const node of made.querySelectorAll("button"))
      node.prepend(element("span", { class: "dot", style: `background: var(--ex-${node.dataset.value})` }));
    return made;
  }

  /** Minutes, or images. */
  #units() {
    const box = element("div", { class: "seg kinds", role: "radiogroup", "aria-label": "Unit of the length" });
    for (const unit of ["minutes", "images"]) {
      const node = button({ role: "radio", "data-unit": unit }, unit);
      node.addEventListener("click", () => {
        this.store.set({ byImages: unit === "images" });
        this.set(unit === "images" ? { minutes: null, images: this.store.state.effective.images } : { images: null });
      });
      this.store.follow(() => {
        node.setAttribute("aria-checked", String(this.store.state.byImages === (unit === "images")));
      });
      box.append(node);
    }
    return box;
  }

  /** @param {string} name */
  #short(name) {
    return this.#keep(name, segments(this.knobs[name], this.#binding(name)));
  }

  /** @param {string} name */
  #row(name) {
    const knob = this.knobs[name];
    const optional = { ...knob, default: null };
    const binding = this.#binding(name);
    const given = () => this.store.state.values[name] ?? null;
    if (TOGGLES.includes(name)) return this.#keep(name, toggle(optional, binding));
    if (knob.slider) {
      const all = name === "examples"; // which none stands for
      const effective = () => this.value(name) ?? knob.slider?.[all ? 1 : 0];
      const more = { get: given, effective, word: all ? "all" : undefined };
      return this.#keep(name, slider(optional, { ...binding, ...more }));
    }
    if (knob.choices) return this.#keep(name, (knob.choices.length > 4 ? choice : segments)(knob, binding));
    const placeholder = () => automatic(this.store.state.effective[name]);
    return this.#keep(name, text(optional, { ...binding, get: given, placeholder }));
  }

  /** @param {string} name */
  #binding(name) {
    return {
      name,
      get: () => this.value(name),
      set: (/** @type {any} */ value) => this.set({ [name]: value }),
      follow: (/** @type {() => void} */ refresh) => this.store.follow(refresh),
    };
  }

  /**
   * @param {string} name
   * @param {HTMLElement} node
   */
  #keep(name, node) {
    this.rows[name] = node;
    return node;
  }

  /** Where there is only the CPU, it is one of many knobs. */
  #where() {
    const { node, about, several } = this.device;
    return several ? [element("h2", {}, "Device"), element("div", { class: "device" }, node, about)] : [];
  }

  #more() {
    const others = Object.keys(this.boot.fields).filter((name) => !["examples", ...MORE].includes(name));
    /** @type {(name: string) => Node[]} */
    const titled = (name) => {
      const { choices, symbol } = this.knobs[name];
      return choices ? [element("h2", { html: symbol }), this.#row(name)] : [this.#row(name)];
    };
    const inner = element("details", {}, element("summary", {}, "Network, loss and loop"), ...others.flatMap(titled));
    const copier = button({ class: "pin" }, "Copy");
    copier.addEventListener("click", () => copy(this.commandArea, copier));
    const terminal = element("div", { class: "terminal" }, this.commandArea, copier);
    const name = [this.#row("name"), ...(this.device.several ? [] : [this.device.node])];
    const rows = [...name, ...MORE.map((other) => this.#row(other))];
    return element("details", { class: "more" }, element("summary", {}, "More"), ...rows, inner, terminal);
  }

  /** @param {import("../shared/types.d.ts").Colors} colors */
  recolor(colors) {
    this.#colors = colors;
    this.datasets.recolor(colors.data);
    this.own.sources.brought.recolor(colors);
    this.reading.recolor(colors);
  }
}
