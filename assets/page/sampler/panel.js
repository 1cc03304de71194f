// @ts-nocheck
// The column of knobs, built from the declarations of edm.settings.
import { element } from "../shared/dom.js";
import { compact } from "../shared/numbers.js";
import { paintThumbnail } from "../shared/thumbnails.js";
import { changedText } from "../shared/values.js";
import { helper, offer, segments, slider } from "../shared/widgets.js";

export class Panel {
  // values: every setting by name (null: automatic). changed(): called after a person changed some.
  constructor(root, boot, { changed, draw }) {
    Object.assign(this, { root, boot, changed, draw, values: {}, refreshers: [], thumbs: new Map() });
    this.defaults = Object.fromEntries(Object.entries(boot.knobs).map(([name, knob]) => [name, knob.default]));
    this.build();
  }

  get model() {
    return this.boot.models.find((model) => model.name === this.values.model);
  }

  get isImage() {
    return this.model.shape.length === 3;
  }

  // The value that counts: the given one, or the automatic one.
  effective(name) {
    const value = this.values[name];
    if (value != null) return value === "Infinity" ? Infinity : value;
    if (name === "sigma_min")
      return Math.max(this.boot.ranges[this.values.discretization][0], this.model.range[0] ?? 0);
    if (name === "sigma_max")
      return Math.min(this.boot.ranges[this.values.discretization][1], this.model.range[1] ?? Infinity);
    if (name === "count") return this.model.count;
    return value;
  }

  // The settings that differ from their defaults, as text: what an address or a request carries.
  changedValues(values = this.values) {
    return changedText(values, this.defaults);
  }

  // Take over a document of settings (nested as edm.Experiment writes it).
  load(document) {
    const { sampling, ...rest } = document;
    this.values = { ...rest, ...sampling };
    this.refresh();
  }

  set(changes) {
    for (const [name, { instead = [] }] of Object.entries(this.boot.knobs))
      if (!(name in changes) && instead.some((other) => other in changes)) changes[name] = null;
    Object.assign(this.values, changes);
    this.refresh();
    this.changed();
  }

  // The trained or exact models, and the same data as now where there is a model of it.
  showTrained(trained) {
    const fitting = this.boot.models.filter((model) => model.trained === trained && model.name !== "drawn");
    const same = fitting.filter((model) => model.dataset === this.model.dataset);
    this.chooseModel((same.find((model) => model.name.endsWith("edm")) ?? same.at(-1) ?? fitting[0]).name);
  }

  // The checkpoints of the run that the model is of, the youngest first.
  checkpoints(model = this.model) {
    return this.boot.models.filter((other) => other.family === model.family).sort((a, b) => a.images - b.images);
  }

  chooseModel(name) {
    if (name === "drawn") return this.draw(true);
    this.draw(false);
    this.set({ model: name, points: null, label: null, count: null });
  }

  // In the colours of the theme.
  paintThumbnails(color) {
    this.color = color;
    for (const { canvas, model } of this.thumbs.values()) paintThumbnail(canvas, model, color);
  }

  refresh() {
    this.family = this.model?.family;
    for (const refresher of this.refreshers) refresher();
  }

  // The design whose rows of Table 1 are all as they stand now, or null.
  design() {
    const same = (name, value) => (this.values[name] ?? null) === (value ?? null);
    return this.boot.designs.find((d) => Object.entries(d.sampling).every(([name, value]) => same(name, value)));
  }

  build() {
    const { root } = this;
    this.help = element("p", { class: "help", "aria-hidden": "true" });
    this.describe = helper(this.help);
    const section = (title, ...content) => root.append(element("h3", {}, title), ...content);
    root.append(element("h3", { class: "split" }, "Model", this.trainingTime(), this.kinds()), this.thumbnails());
    section("Design", this.designs());
    section("Time steps", this.choice("discretization"), ...this.rows("steps", "rho", "sigma_min", "sigma_max"));
    section("Solver", this.choice("solver"), ...this.rows("alpha"));
    const pair = element("div", { class: "pair" }, this.choice("schedule", "σ ="), this.choice("scaling", "s ="));
    section("Schedule · scaling", pair);
    section("Stochasticity", ...this.rows("S_churn", "S_tmin", "S_tmax", "S_noise", "seed"), ...this.rows("count"));
    root.append(this.classes(), this.help);
  }

  // Exact or trained: two pages of thumbnails.
  kinds() {
    const box = element("div", { class: "seg kinds", role: "radiogroup", "aria-label": "Kind of model" });
    for (const [trained, title, help] of [
      [false, "exact", "Closed-form denoisers: what you see is the sampler's own error"],
      [true, "trained", "Networks that have learned these data"],
    ]) {
      const button = element("button", { type: "button", role: "radio", "data-kind": title }, title);
      button.addEventListener("click", () => this.model.trained !== trained && this.showTrained(trained));
      this.describe(button, help);
      this.refreshers.push(() => button.setAttribute("aria-checked", String(this.model.trained === trained)));
      box.append(button);
    }
    box.hidden = !this.boot.models.some((model) => model.trained);
    return box;
  }

  // How long the model has been trained: the checkpoints of its run.
  trainingTime() {
    const select = element("select", { "aria-label": "Training time", "data-knob": "trained" });
    select.addEventListener("change", () => this.chooseModel(select.value));
    this.describe(select, "Checkpoints of one training run, by the number of images seen");
    this.refreshers.push(() => {
      const all = this.model.trained ? this.checkpoints() : [];
      select.hidden = all.length < 2;
      offer(
        select,
        all.map((model) => [model.name, `${compact(model.images)} images`]),
      );
      select.value = this.model.name;
    });
    return select;
  }

  thumbnails() {
    this.thumbBox = element("div", { class: "thumbs", role: "radiogroup", "aria-label": "Model" });
    this.refreshers.push(() => {
      for (const { button, model } of this.thumbs.values()) {
        button.hidden = model.trained !== this.model.trained;
        button.setAttribute("aria-checked", String(this.model.family === model.family));
      }
    });
    this.offerThumbnails();
    return this.thumbBox;
  }

  // One for each family: that of its youngest checkpoint. Those that are there already stay in place.
  offerThumbnails() {
    const shown = this.boot.models.filter((model) => !model.trained || this.checkpoints(model).at(-1) === model);
    for (const [family, { button }] of this.thumbs) {
      if (shown.some((model) => model.family === family)) continue;
      button.remove();
      this.thumbs.delete(family);
    }
    for (const model of shown) {
      const known = this.thumbs.get(model.family);
      if (known?.model === model) continue;
      if (known) {
        known.model = model;
        known.button.dataset.model = model.name;
        paintThumbnail(known.canvas, model, this.color);
        continue;
      }
      const canvas = element("canvas", { width: 80, height: 80 });
      const button = element(
        "button",
        { type: "button", role: "radio", title: model.title, "aria-label": model.title, "data-model": model.name },
        canvas,
      );
      button.addEventListener("click", () => this.chooseModel(button.dataset.model));
      this.thumbBox.append(button);
      const column = model.trained && this.boot.designs.find((design) => model.name.endsWith(`_${design.name}`));
      if (column) button.append(element("span", { class: "dot", style: `background: var(--ex-${column.name})` }));
      this.thumbs.set(model.family, { button, canvas, model });
      if (this.color) paintThumbnail(canvas, model, this.color);
    }
  }

  // Models have come, or gone: if that is the chosen one, the run's youngest takes its place.
  offer() {
    this.offerThumbnails();
    if (!this.values.model) return;
    const family = this.family;
    if (!this.model) {
      const youngest = this.boot.models.filter((model) => model.family === family).at(-1);
      this.chooseModel(youngest?.name ?? this.defaults.model);
    } else this.refresh();
  }

  designs() {
    const box = element("div", { class: "seg", role: "radiogroup", "aria-label": "Design" });
    for (const design of this.boot.designs) {
      const button = element(
        "button",
        { type: "button", role: "radio", title: design.about, "data-design": design.name },
        element("span", { class: "dot", style: `background: var(--ex-${design.name})` }),
        design.title,
      );
      button.addEventListener("click", () => this.set({ ...design.sampling }));
      this.describe(button, design.about);
      this.refreshers.push(() => button.setAttribute("aria-checked", String(this.design() === design)));
      box.append(button);
    }
    const yours = element("span", { class: "yours", title: "Any other mixture of the rows of Table 1" }, "yours");
    this.refreshers.push(() => yours.classList.toggle("on", !this.design()));
    box.append(yours);
    return box;
  }

  choice(name, prefix = null) {
    const knob = this.boot.knobs[name];
    const drawn = () => name === "discretization" && this.values.sigmas;
    const box = segments(knob, {
      name,
      get: () => (drawn() ? null : this.values[name]),
      set: (value) => this.set({ [name]: value }),
      describe: this.describe,
    });
    if (prefix) box.node.prepend(element("span", { class: "prefix" }, prefix));
    this.refreshers.push(box.refresh);
    return box.node;
  }

  rows(...names) {
    return names.map((name) => this.row(name));
  }

  row(name) {
    const row = slider(this.boot.knobs[name], {
      name,
      get: () => this.values[name],
      set: (value) => this.set({ [name]: value }),
      effective: () => this.effective(name),
      shown: () => (name === "steps" && this.values.sigmas ? this.values.sigmas.length : this.effective(name)),
      bounds: () => (name === "count" && this.isImage ? [1, 64] : this.boot.knobs[name].slider),
      idle: () => this.idle(name),
      describe: this.describe,
    });
    this.refreshers.push(row.refresh);
    return row.node;
  }

  // A knob that changes nothing with the present choices is dimmed, and still works.
  idle(name) {
    const { values } = this;
    const knobs = Object.entries(this.boot.knobs);
    if (knobs.some(([other, { instead = [] }]) => instead.includes(name) && values[other] != null)) return true;
    const { needs } = this.boot.knobs[name];
    if (needs && values[needs] === 0) return true;
    return knobs.some(([other, { choices, uses }]) => {
      const own = uses?.some((used) => used?.includes(name));
      return own && !(uses[choices.indexOf(values[other])]?.includes(name) ?? true);
    });
  }

  classes() {
    const select = element("select", { "aria-label": "Class", "data-knob": "label" });
    const row = element("div", { class: "knob classes" }, element("label", {}, "class"), select);
    select.addEventListener("change", () => this.set({ label: select.value === "" ? null : select.value }));
    this.describe(row, this.boot.knobs.label.help);
    this.refreshers.push(() => {
      const { classes } = this.model;
      row.hidden = classes.length === 0;
      offer(select, [["", "all"], ...classes]);
      select.value = this.values.label ?? "";
    });
    return row;
  }
}
