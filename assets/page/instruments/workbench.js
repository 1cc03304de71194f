// @ts-nocheck
// A tab made of instruments: their list and the knobs of the present one at the left, what it shows at the right.
import { element } from "../shared/dom.js";
import { changedText } from "../shared/values.js";
import { helper, widget } from "../shared/widgets.js";
import { Instrument } from "./instrument.js";

export class Workbench {
  // tab: {name, title, instruments: [{name, title, question, knobs}]}. page: {boot, server, root, changed, yours, load}.
  constructor(box, tab, page) {
    Object.assign(this, { box, tab, page, values: {}, views: {} });
    for (const { name, knobs } of tab.instruments) this.values[name] = defaults(knobs);
    this.build();
  }

  build() {
    this.list = element("div", { class: "instruments", role: "radiogroup", "aria-label": "Instrument" });
    this.buttons = this.tab.instruments.map(({ name, title, question }) => {
      const button = element(
        "button",
        { type: "button", role: "radio", "data-instrument": name, title: question },
        title,
      );
      button.addEventListener("click", () => this.open(name));
      this.list.append(button);
      return button;
    });
    this.knobs = element("div", { class: "knobs" });
    this.help = element("p", { class: "help", "aria-hidden": "true" });
    const panel = element("aside", { "aria-label": "Settings" }, this.list, this.knobs, this.help);
    this.stage = element("section", {});
    this.box.append(element("main", {}, panel, this.stage));
  }

  get present() {
    return this.tab.instruments.find(({ name }) => name === this.name);
  }

  // Show an instrument, with these values where they are given (others at their defaults).
  async open(name, values = null, notice = null) {
    const known = this.tab.instruments.find((instrument) => instrument.name === name);
    if (values) this.values[name] = { ...defaults(known.knobs), ...values };
    if (this.view) this.view.active = false;
    this.name = name;
    this.buttons.forEach((button) => button.setAttribute("aria-checked", String(button.dataset.instrument === name)));
    this.buildKnobs(known);
    const Kind = known.script ? (await import(`./${known.script}.js`)).default : Instrument;
    if (this.name !== name) return; // another one was chosen meanwhile
    this.views[name] ??= new Kind(known, this);
    this.view.recolor(this.colors);
    this.stage.replaceChildren(this.view.node);
    if (values) {
      this.view.ofLink = notice;
      this.view.say(notice);
    }
    this.view.active = this.shown;
    if (this.shown) this.page.changed();
  }

  get view() {
    return this.views[this.name];
  }

  buildKnobs({ name, knobs }) {
    const describe = helper(this.help);
    const sections = new Map();
    this.refreshers = [];
    for (const [knob, declared] of Object.entries(knobs)) {
      if (declared.hidden) continue;
      const made = widget(declared, {
        name: knob,
        get: () => this.values[name][knob],
        set: (value) => this.set({ [knob]: value }),
        idle: () => this.views[name]?.idle(knob) ?? false,
        describe,
      });
      this.refreshers.push(() => {
        const { when = {} } = declared;
        made.node.hidden = !Object.entries(when).every(([other, values]) => values.includes(this.values[name][other]));
        made.refresh();
      });
      const title = declared.section ?? "Settings";
      if (!sections.has(title)) sections.set(title, []);
      sections.get(title).push(made.node);
    }
    const nodes = [...sections].map(([title, widgets]) => element("div", {}, element("h3", {}, title), ...widgets));
    this.knobs.replaceChildren(...nodes);
    this.refresh();
  }

  refresh() {
    for (const refresh of this.refreshers) refresh();
  }

  set(changes) {
    Object.assign(this.values[this.name], changes);
    this.refresh();
    this.view?.changed(Object.keys(changes));
    this.page.changed();
  }

  // Models have come, or gone: what the knobs offer now, by instrument and knob; replaced: names of others than before.
  offer(choices, replaced) {
    let present = false;
    for (const { name, knobs } of this.tab.instruments) {
      for (const [knob, offered] of Object.entries(choices[name] ?? {})) {
        if (JSON.stringify(offered.choices) === JSON.stringify(knobs[knob].choices)) continue;
        Object.assign(knobs[knob], offered, { folded: this.olderOf(offered.choices) });
        present ||= name === this.name;
        const value = this.values[name][knob];
        const left = Array.isArray(value) ? value.filter((one) => offered.choices.includes(one)) : value;
        if (!Array.isArray(value) && value != null && !offered.choices.includes(value))
          this.values[name][knob] = knobs[knob].default;
        else if (Array.isArray(value)) this.values[name][knob] = left;
      }
    }
    if (present) this.buildKnobs(this.present);
    const shown = JSON.stringify(this.values[this.name] ?? {});
    if (replaced.some((name) => shown.includes(`"${name}"`))) this.view?.ask();
  }

  // Checkpoints of runs beside the youngest: many, and rarely wanted.
  olderOf(names) {
    const models = this.page.boot.models.filter(({ run }) => run);
    const older = new Set(models.filter((model, k) => models[k + 1]?.family === model.family).map(({ name }) => name));
    return names.filter((name) => older.has(name));
  }

  changedValues(name) {
    const { knobs } = this.tab.instruments.find((instrument) => instrument.name === name);
    return changedText(this.values[name], defaults(knobs));
  }

  set active(active) {
    this.shown = active;
    if (active && !this.name) this.open(this.tab.instruments[0].name);
    else if (this.view) this.view.active = active;
  }

  // What the address says of this tab.
  query() {
    const values = Object.entries(this.changedValues(this.name)).map(([knob, value]) => [
      `${this.name}.${knob}`,
      value,
    ]);
    return Object.fromEntries([["show", this.name], ...values]);
  }

  texts() {
    return { python: this.view?.body?.python ?? "", command: "" };
  }

  savePng() {
    return this.view?.savePng();
  }

  saveCsv() {
    return this.view?.saveCsv();
  }

  recolor(colors) {
    this.colors = colors;
    this.view?.recolor(colors);
  }
}

const defaults = (knobs) => Object.fromEntries(Object.entries(knobs).map(([name, knob]) => [name, knob.default]));
