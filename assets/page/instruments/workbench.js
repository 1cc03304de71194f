// A tab made of instruments: their list and the knobs of the present one at the left, what it shows at the right.
import { button, element } from "../shared/dom.js";
import { Store } from "../shared/store.js";
import { pastOf } from "../shared/told.js";
import { changedText, defaultsOf } from "../shared/values.js";
import { widget } from "../shared/widgets.js";
import { lanesList, pairsRange } from "./pairing_list.js";
import { PAIR } from "./pairings.js";

/** @typedef {import("../shared/types.d.ts").Tab} Tab */
/** @typedef {import("../shared/types.d.ts").Values} Values */
/** @typedef {import("../shared/types.d.ts").Instrument} Declared */
/** @typedef {import("./instrument.js").Instrument<any>} View */

/** @implements {Tab} */
export class Workbench {
  /** @type {Map<string, Store<Values>>} The values of each instrument. */
  #stores = new Map();
  /** @type {Map<string, import("../shared/past.js").Past>} What somebody has changed of each. */
  #pasts = new Map();
  /** @type {Map<string, View>} Of those that were opened. */
  #views = new Map();
  /** @type {Declared | null} */
  #present = null;
  /** @type {import("../shared/types.d.ts").Colors | null} */
  #colors = null;
  #shown = false;
  #knobsEnd = new AbortController();

  /**
   * @param {import("../shared/types.d.ts").Page} page
   * @param {import("../shared/types.d.ts").BenchBoot} tab
   * @param {HTMLElement} box
   */
  constructor(page, tab, box) {
    this.page = page;
    this.tab = tab;
    for (const { name, knobs } of tab.instruments) {
      const store = new Store(defaultsOf(knobs));
      this.#stores.set(name, store);
      this.#pasts.set(
        name,
        pastOf(
          knobs,
          (knob) => store.state[knob],
          (changes) => this.#apply(name, changes),
        ),
      );
    }
    this.buttons = tab.instruments.map(({ name, title, question }) => {
      const choice = button({ role: "radio", "data-instrument": name, title: question }, title);
      choice.addEventListener("click", () => this.page.visit(() => this.#show(name)));
      return choice;
    });
    const list = { class: "instruments", role: "radiogroup", "aria-label": "Instrument", "data-row": "show" };
    this.knobs = element("div", { class: "knobs" });
    const choices = element("div", list, ...this.buttons);
    const panel = element("aside", { "aria-label": "Settings" }, choices, this.knobs);
    this.stage = element("section", {});
    box.append(element("div", { class: "room" }, panel, this.stage));
  }

  /** The theme's, which main.js hands over before anything is opened. */
  get colors() {
    if (!this.#colors) throw new Error("this tab has no colours yet");
    return this.#colors;
  }

  /** What the present instrument shows, once its script is here. */
  get view() {
    return this.#present ? this.#views.get(this.#present.name) : undefined;
  }

  /** @param {string} name */
  storeOf(name) {
    const store = this.#stores.get(name);
    if (!store) throw new Error(`there is no instrument ${name} in this tab`);
    return store;
  }

  /** @param {string} name */
  changedValues(name) {
    const { knobs } = this.#declared(name);
    return changedText(this.storeOf(name).state, defaultsOf(knobs));
  }

  /** @param {string} name */
  #declared(name) {
    const known = this.tab.instruments.find((instrument) => instrument.name === name);
    if (!known) throw new Error(`there is no instrument ${name} in this tab`);
    return known;
  }

  // ---- the tab ----

  /** @param {boolean} active */
  set active(active) {
    this.#shown = active;
    if (active && !this.#present) this.#show(this.tab.instruments[0].name);
    else if (this.view) this.view.active = active;
  }

  /** @param {import("../shared/types.d.ts").Opening} opening */
  open({ show, values, notice }) {
    this.#show(show ?? this.tab.instruments[0].name, { values, notice });
  }

  /** @returns {import("../shared/types.d.ts").Saved} */
  state() {
    if (!this.#present) return { values: {} };
    const { name } = this.#present;
    return { show: name, values: this.storeOf(name).state };
  }

  get past() {
    return (this.#present && this.#pasts.get(this.#present.name)) ?? null;
  }

  query() {
    if (!this.#present) return {};
    const { name } = this.#present;
    const values = Object.entries(this.changedValues(name)).map(([knob, value]) => [`${name}.${knob}`, value]);
    return Object.fromEntries([["show", name], ...values]);
  }

  /**
   * @param {import("../shared/messages.d.ts").Models["choices"]} choices
   * @param {string[]} replaced
   */
  offer(choices, replaced) {
    let present = false;
    for (const { name, knobs } of this.tab.instruments) {
      const store = this.storeOf(name);
      for (const [knob, offered] of Object.entries(choices[name] ?? {})) {
        if (JSON.stringify(offered.choices) === JSON.stringify(knobs[knob].choices)) continue;
        knobs[knob] = { ...knobs[knob], ...offered, folded: this.#olderOf(offered.choices) };
        present ||= name === this.#present?.name;
        const value = store.state[knob];
        if (Array.isArray(value) && !knobs[knob].pairs)
          store.set({ [knob]: value.filter((one) => offered.choices.includes(one)) });
        else if (Array.isArray(value)) continue;
        else if (value != null && !offered.choices.includes(value)) store.set({ [knob]: knobs[knob].default });
      }
    }
    if (!this.#present) return;
    if (present) this.#buildKnobs(this.#present);
    const shown = JSON.stringify(this.storeOf(this.#present.name).state);
    if (replaced.some((name) => shown.includes(`"${name}"`))) this.view?.ask();
  }

  texts() {
    return { python: this.view?.python ?? "", command: "" };
  }

  savePng() {
    this.view?.savePng();
  }

  saveCsv() {
    this.view?.saveCsv();
  }

  /** @param {string | null} sentence */
  say(sentence) {
    this.view?.say(sentence);
  }

  /** @param {import("../shared/types.d.ts").Colors} colors */
  recolor(colors) {
    this.#colors = colors;
    this.view?.recolor(colors);
  }

  // ---- the instruments ----

  /**
   * Show an instrument, with these values where they are given (others at their defaults).
   * @param {string} name
   * @param {{ values: Values, notice: string | null } | null} [opening]
   */
  async #show(name, opening = null) {
    const known = this.#declared(name);
    if (opening) this.storeOf(name).replace({ ...defaultsOf(known.knobs), ...opening.values });
    if (this.view) this.view.active = false;
    this.#present = known;
    for (const choice of this.buttons) choice.setAttribute("aria-checked", String(choice.dataset.instrument === name));
    this.#buildKnobs(known);
    /** @type {{ default: new (declared: Declared, bench: Workbench) => View }} */
    const { default: Kind } = await import(`./${known.script}.js`);
    if (this.#present !== known) return; // another one was chosen meanwhile
    const view = this.#views.get(name) ?? new Kind(known, this);
    this.#views.set(name, view);
    view.recolor(this.colors);
    this.stage.replaceChildren(view.node);
    if (opening) {
      view.ofLink = opening.notice;
      view.say(opening.notice);
    }
    view.active = this.#shown;
    if (this.#shown) this.page.changed();
  }

  /** @param {Declared} declared */
  #buildKnobs({ name, knobs }) {
    this.#knobsEnd.abort(); // nobody follows for those that were here
    this.#knobsEnd = new AbortController();
    const { signal } = this.#knobsEnd;
    const store = this.storeOf(name);
    /** @type {Map<string, HTMLElement[]>} */
    const sections = new Map();
    for (const [knob, declared] of Object.entries(knobs)) {
      if (declared.hidden) continue;
      /** @type {import("../shared/widgets.js").Binding} */
      const bound = {
        name: knob,
        get: () => store.state[knob],
        set: (value) => this.set({ [knob]: value }),
        follow: (refresh) => store.follow(refresh, signal),
        idle: () => this.#views.get(name)?.idle(knob) ?? false,
      };
      const paired = () => store.state[knob.split("_")[0]] === PAIR;
      const made =
        declared.pairs === "lanes"
          ? lanesList(declared, bound, this.page.boot)
          : declared.pairs === "range"
            ? pairsRange(declared, bound, this.page.boot, paired)
            : widget(declared, bound);
      const when = Object.entries(declared.when ?? {});
      store.follow(() => {
        made.hidden = !when.every(([other, values]) => values.includes(store.state[other]));
      }, signal);
      const title = declared.section ?? "Settings";
      sections.set(title, [...(sections.get(title) ?? []), made]);
    }
    const nodes = [...sections].map(([title, widgets]) => element("div", {}, element("h2", {}, title), ...widgets));
    this.knobs.replaceChildren(...nodes);
  }

  /**
   * What a person changes, of the present instrument.
   * @param {Values} changes
   */
  set(changes) {
    if (!this.#present) return;
    const { name, knobs } = this.#present;
    const shown = Object.entries(changes).filter(([knob]) => !knobs[knob]?.hidden);
    if (shown.length) this.past?.note(Object.fromEntries(shown));
    this.#apply(name, changes);
  }

  /**
   * @param {string} name
   * @param {Values} changes
   */
  #apply(name, changes) {
    this.storeOf(name).set(changes);
    this.#views.get(name)?.changed(Object.keys(changes));
    this.page.changed();
  }

  /**
   * Checkpoints of runs beside the youngest: many, and rarely wanted.
   * @param {string[]} names
   */
  #olderOf(names) {
    const models = this.page.boot.models.filter(({ run }) => run);
    const older = models.filter((model, k) => models[k + 1]?.family === model.family).map(({ name }) => name);
    return names.filter((name) => older.includes(name));
  }
}
