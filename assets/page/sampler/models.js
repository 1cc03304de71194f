// Which model is sampled: thumbnails of exact and of trained ones, and how long a trained one has been trained.
import { button, element } from "../shared/dom.js";
import { hint } from "../shared/hints.js";
import { Latest } from "../shared/latest.js";
import { compact } from "../shared/numbers.js";
import { paintThumbnail } from "../shared/thumbnails.js";
import { offer } from "../shared/widgets.js";

/** @typedef {import("../shared/messages.d.ts").Model} Model */
/** @typedef {{ button: HTMLButtonElement, canvas: HTMLCanvasElement, model: Model }} Thumbnail */

export class Models {
  /** @type {Map<Model["family"], Thumbnail>} By family. */
  #thumbnails = new Map();
  /** @type {Model[] | null} For which there are thumbnails. */
  #offered = null;
  /** @type {string | null} */
  #color = null;
  /** @type {WeakSet<Model>} Of which there is no thumbnail, and none can be drawn. */
  #bare = new WeakSet();

  /**
   * @param {import("../shared/server.js").Server} server
   * @param {import("./settings.js").Settings} settings
   * @param {(name: string) => void} choose
   */
  constructor(server, settings, choose) {
    this.settings = settings;
    this.choose = choose;
    this.heading = element("h2", { class: "split", "data-row": "model" }, "Model", this.#trainingTime(), this.#kinds());
    this.box = element("div", { class: "thumbs", role: "radiogroup", "aria-label": "Model", "data-row": "model" });
    /** @type {Latest<"thumbnails">} */
    this.requests = new Latest(server, "thumbnails", {
      build: () => ({ models: this.#lacking().map(({ name }) => name) }),
      show: (reply) => this.#take(reply),
      silent: () => {
        this.requests.payload = null;
      },
    });
    settings.store.follow(() => this.#refresh());
  }

  /**
   * In the colours of the theme.
   * @param {string} color
   */
  recolor(color) {
    this.#color = color;
    for (const { canvas, model } of this.#thumbnails.values()) paintThumbnail(canvas, model, color);
  }

  /** Exact or trained: two pages of thumbnails. */
  #kinds() {
    const { settings } = this;
    const box = element("div", { class: "seg kinds", role: "radiogroup", "aria-label": "Kind of model" });
    /** @type {[boolean, string, string][]} */
    const kinds = [
      [false, "exact", "Closed-form denoisers: what you see is the sampler's own error"],
      [true, "trained", "Networks that have learned these data"],
    ];
    for (const [trained, title, help] of kinds) {
      const kind = button({ role: "radio", "data-kind": title }, title);
      kind.addEventListener("click", () => settings.model.trained !== trained && this.#showTrained(trained));
      hint(kind, help);
      settings.store.follow(() => kind.setAttribute("aria-checked", String(settings.model.trained === trained)));
      box.append(kind);
    }
    box.hidden = !settings.boot.models.some((model) => model.trained);
    return box;
  }

  /**
   * The trained or exact models, and the same data as now where there is a model of it.
   * @param {boolean} trained
   */
  #showTrained(trained) {
    const { boot, model } = this.settings;
    const fitting = boot.models.filter((other) => other.trained === trained && other.name !== "drawn");
    const same = fitting.filter((other) => other.dataset === model.dataset);
    this.choose((same.find(({ name }) => name.endsWith("edm")) ?? same.at(-1) ?? fitting[0]).name);
  }

  /** The checkpoints of the model's run. */
  #trainingTime() {
    const { settings } = this;
    const select = element("select", { "aria-label": "Training time", "data-knob": "trained" });
    select.addEventListener("change", () => this.choose(select.value));
    hint(select, "Checkpoints of one training run, by the number of images seen");
    settings.store.follow(() => {
      const all = settings.model.trained ? settings.checkpoints() : [];
      select.hidden = all.length < 2;
      offer(
        select,
        all.map(({ name, images }) => [name, `${compact(images ?? 0)} images`]),
      );
      select.value = settings.model.name;
    });
    return select;
  }

  #refresh() {
    const { boot, model: chosen } = this.settings;
    if (this.#offered !== boot.models) this.#offer(boot.models);
    for (const { button: thumb, model } of this.#thumbnails.values()) {
      thumb.hidden = model.trained !== chosen.trained || (model.apart && model !== chosen); // links lead there
      thumb.setAttribute("aria-checked", String(chosen.family === model.family));
    }
    if (chosen.trained && this.#lacking().length && !this.requests.payload) this.requests.ask();
  }

  /** Models of which the server has drawn nothing yet: a network takes its time. */
  #lacking() {
    const shown = [...this.#thumbnails.values()].map(({ model }) => model);
    return shown.filter((model) => model.trained && !model.thumbnail && !this.#bare.has(model));
  }

  /** @param {import("../shared/latest.js").Reply<"thumbnails">} reply */
  #take(reply) {
    const asked = this.#lacking();
    const answered = reply.error == null ? asked.filter(({ name }) => name === reply.body.model) : asked;
    for (const model of answered) {
      model.thumbnail = reply.error == null ? reply.body.thumbnail : null;
      if (!model.thumbnail) this.#bare.add(model);
    }
    for (const { canvas, model } of this.#thumbnails.values())
      if (this.#color && answered.includes(model)) paintThumbnail(canvas, model, this.#color);
    if (reply.finished) this.requests.payload = null;
  }

  /**
   * One for each family: that of its youngest checkpoint. Those that are there already stay in place.
   * @param {Model[]} models
   */
  #offer(models) {
    this.#offered = models;
    const shown = models.filter((model) => !model.trained || this.settings.checkpoints(model).at(-1) === model);
    for (const [family, { button: thumb }] of this.#thumbnails) {
      if (shown.some((model) => model.family === family)) continue;
      thumb.remove();
      this.#thumbnails.delete(family);
    }
    for (const model of shown) {
      const known = this.#thumbnails.get(model.family);
      if (known?.model === model) continue;
      const thumbnail = known ?? this.#add(model);
      thumbnail.model = model;
      thumbnail.button.dataset.model = model.name;
      if (this.#color) paintThumbnail(thumbnail.canvas, model, this.#color);
    }
  }

  /**
   * @param {Model} model
   * @returns {Thumbnail}
   */
  #add(model) {
    const { title } = model;
    const canvas = element("canvas", { width: 80, height: 80 });
    const thumb = button({ role: "radio", title, "aria-label": title, "data-model": model.name }, canvas);
    thumb.addEventListener("click", () => this.choose(thumb.dataset.model ?? model.name));
    this.box.append(thumb);
    const column = model.trained && this.settings.boot.designs.find(({ name }) => model.name.endsWith(`_${name}`));
    if (column) thumb.append(element("span", { class: "dot", style: `background: var(--ex-${column.name})` }));
    const thumbnail = { button: thumb, canvas, model };
    this.#thumbnails.set(model.family, thumbnail);
    return thumbnail;
  }
}
