// @ts-nocheck
// What is trained, and how: a start button that works at once, and the choices behind it.
import { element } from "../shared/dom.js";
import { Latest } from "../shared/latest.js";
import { bytes, compact, duration } from "../shared/numbers.js";
import { copy } from "../shared/takeaway.js";
import { paintThumbnail } from "../shared/thumbnails.js";
import { changedText } from "../shared/values.js";
import { choice, helper, segments, slider, text, toggle } from "../shared/widgets.js";
import { Sources } from "./sources.js";

const WAIT = 250; // ms of rest before an estimate is asked for
const MORE = ["batch", "P_mean", "P_std", "augment", "label_dropout", "seed"];

export class Form {
  // page: {server, changed, asking, start(contrast), boot}.
  constructor(box, boot, page) {
    Object.assign(this, { boot, page, values: {}, effective: {}, refreshers: [], painters: [], rows: {} });
    this.knobs = { ...boot.fields, ...boot.short };
    this.requests = new Latest({
      send: (serial, payload) => page.server.plan({ serial, ...payload }),
      build: () => ({ values: this.text() }),
      silent: () => this.tell("The server does not answer. Is it still running?"),
    });
    addEventListener("edm-plan", (event) => this.receive(event.detail));
    this.node = element("div", { class: "form" });
    box.append(this.node);
    this.build();
    this.refresh();
  }

  build() {
    this.help = element("p", { class: "help", "aria-hidden": "true" });
    this.describe = helper(this.help);
    this.startButton = element("button", { type: "button", class: "primary", "data-action": "start" }, "Start");
    this.contrast = element("button", { type: "button", class: "pin", "data-action": "contrast" }, "VP against EDM");
    const once = (does) => (event) => event.detail < 2 && does(); // the second half of a double click is no other press
    this.startButton.addEventListener(
      "click",
      once(() => this.page.start(false)),
    );
    this.contrast.addEventListener(
      "click",
      once(() => this.page.start(true)),
    );
    this.describe(
      this.contrast,
      "Two runs with the same seed and length, drawn over each other: only the design differs",
    );
    this.sentence = element("p", { class: "estimate", "aria-live": "polite" });
    const data = element("h3", { class: "split" }, "Data", this.sources());
    this.node.append(
      element("div", { class: "start" }, this.startButton, this.contrast),
      this.sentence,
      data,
      this.thumbnails(),
    );
    this.node.append(
      element("h3", {}, "Size · design"),
      this.short("size"),
      this.designs(),
      element("h3", { class: "split" }, "Length", this.units()),
    );
    this.node.append(this.row("minutes"), this.row("images"), this.more(), this.help);
    this.refreshers.push(() => {
      this.rows.minutes.hidden = this.byImages;
      this.rows.images.hidden = !this.byImages;
    });
  }

  // ---- values ----

  // As text: what a request or an address carries.
  text() {
    return changedText(this.values, {});
  }

  query() {
    return Object.fromEntries(Object.entries(this.text()).filter(([name]) => name in this.knobs));
  }

  load(values) {
    this.values = Object.fromEntries(Object.entries(values).filter(([name]) => name in this.knobs));
    this.byImages = "images" in this.values;
    this.refresh();
    this.ask();
  }

  set active(active) {
    this.shown = active;
    if (active && !this.requests.serial) this.ask();
  }

  value(name) {
    const fixed = { minutes: this.boot.minutes, ...this.effective }[name];
    const value = this.values[name] ?? fixed ?? this.knobs[name].default;
    return this.knobs[name].slider && typeof value === "string" && value !== "" && !Number.isNaN(Number(value))
      ? Number(value)
      : value;
  }

  set(changes) {
    Object.assign(this.values, changes);
    for (const [name, value] of Object.entries(this.values))
      if (value == null || value === "") delete this.values[name];
    this.refresh();
    this.page.changed();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(), WAIT);
  }

  refresh() {
    for (const refresher of this.refreshers) refresher();
  }

  // ---- the estimate ----

  ask() {
    if (this.shown) this.requests.ask();
  }

  receive(message) {
    if (!this.requests.accept(message.serial)) return;
    const { error, fields = [], values, command, cost, notes = {} } = message.body ?? { error: message.error };
    for (const [name, row] of Object.entries(this.rows))
      this.blame(row, fields.includes(name) ? error : (notes[name] ?? null));
    if (error) this.tell(fields.some((name) => name in this.rows) ? "" : error, true);
    else {
      this.effective = values;
      this.commandArea.value = this.command = command;
      this.refresh();
      this.tell(this.allowed?.sentence ?? told(values, cost));
    }
    if (message.finished) this.node.dataset.planned = message.serial;
    this.requests.settle();
  }

  tell(sentence, wrong = false) {
    this.sentence.textContent = sentence;
    this.sentence.classList.toggle("wrong", wrong);
  }

  // A sentence under the knob that it is about.
  blame(row, sentence) {
    const next = row.nextElementSibling;
    const said = next?.classList.contains("blame") ? next : null;
    row.classList.toggle("wrong", sentence != null);
    if (!sentence) return said?.remove();
    if (said) said.textContent = sentence;
    else row.after(element("p", { class: "blame", role: "alert" }, sentence));
    for (let parent = row.closest("details"); parent; parent = parent.parentElement.closest("details"))
      parent.open = true;
  }

  // Whether this visitor may start runs.
  set room(room) {
    const same = JSON.stringify(room) === JSON.stringify(this.allowed);
    this.allowed = room;
    if (same) return;
    this.startButton.disabled = this.contrast.disabled = !room.starting;
    if (room.sentence) this.tell(room.sentence);
  }

  // ---- the parts ----

  thumbnails() {
    this.datasets = element("div", {
      class: "thumbs",
      role: "radiogroup",
      "aria-label": "Dataset",
      "data-row": "data",
    });
    for (const dataset of this.boot.datasets) this.datasets.append(this.thumbnail(dataset));
    this.rows.data = this.datasets;
    return this.datasets;
  }

  thumbnail(dataset) {
    const { name, title } = dataset;
    const canvas = element("canvas", { width: 80, height: 80 });
    const button = element(
      "button",
      { type: "button", role: "radio", title, "aria-label": title, "data-dataset": name },
      canvas,
    );
    button.addEventListener("click", () => this.set({ data: name }));
    this.refreshers.push(() => button.setAttribute("aria-checked", String(this.value("data") === name)));
    this.painters.push((color) => paintThumbnail(canvas, dataset, color));
    if (this.colors) paintThumbnail(canvas, dataset, this.colors.data);
    return button;
  }

  sources() {
    const page = { ...this.page, colors: () => this.colors };
    const added = (dataset) => {
      this.addDataset(dataset);
      this.set({ data: dataset.name });
    };
    const remove = element(
      "button",
      { type: "button", "data-action": "forget", title: "Remove this upload from the server" },
      "remove",
    );
    remove.addEventListener("click", () => this.forget(this.value("data")));
    this.refreshers.push(() => (remove.hidden = !this.value("data").startsWith("own:")));
    const { node } = new Sources(page, { added, say: this.page.say, describe: this.describe });
    node.prepend(remove);
    return node;
  }

  async forget(data) {
    const { title } = this.datasets.querySelector(`[data-dataset="${CSS.escape(data)}"]`) ?? { title: "it" };
    if (!(await this.page.asking.confirm(`Remove ${title} from the server?`, "Remove it"))) return;
    const { error } = await this.page.asking.ask("act", { do: "forget", data });
    this.page.say(error ?? null);
    if (!error) this.set({ data: null });
  }

  addDataset(dataset) {
    if (!this.datasets.querySelector(`[data-dataset="${CSS.escape(dataset.name)}"]`))
      this.datasets.append(this.thumbnail(dataset));
    this.refresh();
  }

  // All datasets of one's own, as they are now.
  offer(datasets) {
    for (const button of this.datasets.querySelectorAll("[data-dataset^='own:']"))
      if (!datasets.some(({ name }) => name === button.dataset.dataset)) button.remove();
    for (const dataset of datasets) this.addDataset(dataset);
  }

  designs() {
    const made = this.short("design");
    made
      .querySelectorAll("button")
      .forEach((button) =>
        button.prepend(element("span", { class: "dot", style: `background: var(--ex-${button.dataset.value})` })),
      );
    return made;
  }

  // Minutes, or images.
  units() {
    const box = element("div", { class: "seg kinds", role: "radiogroup", "aria-label": "Unit of the length" });
    for (const unit of ["minutes", "images"]) {
      const button = element("button", { type: "button", role: "radio", "data-unit": unit }, unit);
      button.addEventListener("click", () => {
        this.byImages = unit === "images";
        this.set(this.byImages ? { minutes: null, images: this.effective.images } : { images: null });
      });
      this.refreshers.push(() =>
        button.setAttribute("aria-checked", String((this.byImages ? "images" : "minutes") === unit)),
      );
      box.append(button);
    }
    return box;
  }

  short(name) {
    const made = segments(this.knobs[name], this.options(name));
    return this.keep(name, made);
  }

  row(name) {
    const knob = this.knobs[name];
    const optional = { ...knob, default: null };
    const options = this.options(name);
    if (typeof this.effective[name] === "boolean" || ["conditional", "greyscale", "crop", "compile"].includes(name))
      return this.keep(name, toggle(optional, options));
    if (knob.slider)
      return this.keep(
        name,
        slider(optional, {
          ...options,
          get: () => this.values[name] ?? null,
          effective: () => this.value(name) ?? knob.slider[0],
        }),
      );
    if (name === "device") return this.keep(name, choice(knob, options));
    if (knob.choices) return this.keep(name, (knob.choices.length > 4 ? choice : segments)(knob, options));
    const made = this.keep(name, text(optional, { ...options, get: () => this.values[name] ?? "" }));
    const field = made.querySelector("input");
    this.refreshers.push(() => (field.placeholder = shown(this.effective[name])));
    return made;
  }

  options(name) {
    return { name, get: () => this.value(name), set: (value) => this.set({ [name]: value }), describe: this.describe };
  }

  keep(name, { node, refresh }) {
    this.refreshers.push(refresh);
    this.rows[name] = node;
    return node;
  }

  more() {
    const others = Object.keys(this.boot.fields).filter((name) => !MORE.includes(name));
    const titled = (name) =>
      this.knobs[name].choices && name !== "device" ? [element("h3", { html: this.knobs[name].symbol })] : [];
    const inner = element(
      "details",
      {},
      element("summary", {}, "Network, loss and loop"),
      ...others.flatMap((name) => [...titled(name), this.row(name)]),
    );
    const button = element("button", { type: "button", class: "pin" }, "Copy");
    button.addEventListener("click", () => copy(this.commandArea, button));
    this.commandArea = element("textarea", { readonly: true, rows: 3, "aria-label": "The same from a terminal" });
    const terminal = element("div", { class: "terminal" }, this.commandArea, button);
    return element(
      "details",
      { class: "more" },
      element("summary", {}, "More"),
      ...["name", "device", ...MORE].map((name) => this.row(name)),
      inner,
      terminal,
    );
  }

  recolor(colors) {
    this.colors = colors;
    for (const paint of this.painters) paint(colors.data);
  }
}

const shown = (value) => (value == null ? "automatic" : Array.isArray(value) ? value.join(",") : String(value));

// A time that is not known to the second.
const roughly = (seconds) => (seconds >= 90 && seconds < 5400 ? `${Math.round(seconds / 60)} min` : duration(seconds));

// "about 2 min, 0.3 GB, 0.13 M parameters".
function told({ images }, cost) {
  if (!cost) return `about ${compact(images)} images …`;
  const parameters = `${Number((cost.parameters / 1e6).toPrecision(2))} M parameters`;
  return `about ${roughly(cost.seconds)}, ${bytes(cost.bytes)}, ${parameters}`;
}
