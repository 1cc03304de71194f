// The settings of the Sampler tab: what is chosen, and what that means with the present model.

import { Past } from "../shared/past.js";
import { Store } from "../shared/store.js";
import { changesInWords } from "../shared/told.js";
import { changedText, defaultsOf } from "../shared/values.js";
import { baseOf } from "./cascade.js";
import { classesOf, fitting, guidesOf } from "./guides.js";

/** @typedef {import("../shared/types.d.ts").Values} Values */
/** @typedef {import("../shared/messages.d.ts").Model} Model */

/** @typedef {import("../shared/messages.d.ts").Guidance} Guidance */

/** What goes with another model. @type {(name: string) => Values} */
const modelNamed = (name) => ({
  ...{ model: name, points: null, label: null, count: null, guide: null },
  ...{ cascade: null, cascade_noise: null, cascade_steps: null },
});

export class Settings {
  /** @type {string | null} The model's family, which outlives its checkpoints. */
  #family = null;

  /**
   * @param {import("../shared/messages.d.ts").Boot} boot
   * @param {() => void} changed  A person changed some.
   * @param {(go: () => void) => void} visit  Another model is another place.
   */
  constructor(boot, changed, visit) {
    this.boot = boot;
    this.changed = changed;
    this.visit = visit;
    this.past = new Past({
      get: (name) => this.values[name],
      set: (changes) => this.#apply(changes),
      tell: (before, after) => this.#told(before, after),
    });
    this.defaults = defaultsOf(boot.knobs);
    /** @type {Store<Values>} Every setting by name; null: automatic. */
    this.store = new Store({ ...this.defaults });
  }

  get values() {
    return this.store.state;
  }

  /** @returns {Model} */
  get model() {
    const known = this.boot.models.find((model) => model.name === this.values.model);
    return known ?? this.boot.models[0];
  }

  /**
   * The value that counts: the given one, or the automatic one.
   * @param {string} name
   */
  effective(name) {
    const value = this.values[name];
    if (value != null) return value === "Infinity" ? Number.POSITIVE_INFINITY : value;
    const [low, high] = this.boot.ranges[this.values.discretization];
    const [least, most] = this.model.range;
    if (name === "sigma_min") return Math.max(low, least ?? 0);
    if (name === "sigma_max") return Math.min(high, most ?? Number.POSITIVE_INFINITY);
    if (name === "order") return this.own.order ?? 1;
    if (name === "cascade_steps") return this.values.steps;
    if (name === "cascade_noise") return this.model.low?.noise ?? 0;
    return name === "count" ? this.model.count : value;
  }

  /** What fields that are automatic are with the chosen solver. */
  get own() {
    const { choices, own } = this.boot.knobs.solver;
    return own?.[choices?.indexOf(this.values.solver) ?? -1] ?? {};
  }

  /**
   * The settings that differ from their defaults, as text: what an address or a request carries.
   * @param {Values} [values]
   */
  changedValues(values = this.values) {
    return changedText(values, this.defaults);
  }

  /**
   * Take over a document of settings, nested as edm.Experiment writes it.
   * @param {Values} document
   */
  load({ sampling, ...rest }) {
    this.store.replace({ ...rest, ...sampling });
    this.#remember();
  }

  /**
   * What a person changes. What stands in another's place, such as a grid by hand, gives way to it.
   * @param {Values} changes
   */
  set(changes) {
    const changed = Object.keys(changes);
    const instead = Object.entries(this.boot.knobs).filter(([, knob]) =>
      knob.instead?.some((name) => changed.includes(name)),
    );
    const all = { ...changes, ...Object.fromEntries(instead.map(([name]) => [name, null])), ...changes };
    this.past.note(all);
    if ((all.model ?? this.values.model) === this.values.model) this.#apply(all);
    else this.visit(() => this.#apply(all));
  }

  /** @param {Values} changes */
  #apply(changes) {
    this.store.set(changes);
    this.#remember();
    this.changed();
  }

  /**
   * What has changed, in words.
   * @param {Values} before
   * @param {Values} after
   */
  #told(before, after) {
    const { models, knobs } = this.boot;
    const titled = (/** @type {Values} */ values) =>
      models.find(({ name }) => name === values.model)?.title ?? String(values.model);
    if (before.model !== after.model) return `model ${titled(before)} → ${titled(after)}`;
    const [was, is] = [before, after].map((values) => this.#designOf({ ...this.values, ...values })?.title ?? "yours");
    if (was !== is && Object.keys(after).length > 2) return `design ${was} → ${is}`;
    return changesInWords(knobs, before, after);
  }

  /** @param {string} name */
  setModel(name) {
    const model = this.boot.models.find((other) => other.name === name);
    const kind = this.guidance;
    const led = model?.low ? baseOf(this.boot, model, null) : model;
    const fits = !kind || (led && !kind.needs && fitting(this.boot, led).includes(kind));
    const points = model && model.shape.length < 3 ? { clip: this.defaults.clip } : {};
    this.set({ ...modelNamed(name), ...points, ...(fits ? {} : { guidance: this.defaults.guidance }) });
  }

  /** The kind of guidance that leads, if there is one. @returns {Guidance | null} */
  get guidance() {
    const { guidance } = this.values;
    return this.boot.guidances.find(({ name }) => name === guidance && name !== this.defaults.guidance) ?? null;
  }

  /** Between which noise levels it leads, above the first and up to the second; null: nowhere. @returns {[number, number] | null} */
  get guided() {
    const own = this.guidance && !this.idle("guidance_interval") ? this.values.guidance_interval : null;
    return this.guidance && (own ?? [0, Number.POSITIVE_INFINITY]);
  }

  /** The classes that samples may be of. */
  get classes() {
    return classesOf(this.boot, this.model, this.guidance, this.values.guide);
  }

  /** What guidance leads: the model, or of a cascade its base; null: true images are made larger, which none leads. */
  get led() {
    return this.model.low ? baseOf(this.boot, this.model, this.values.cascade) : this.model;
  }

  /** The kinds that the model can have. */
  guidances() {
    return this.led ? fitting(this.boot, this.led) : [];
  }

  /** What can guide the model, as [name, title]; "": what is taken where none is named. @param {Guidance} kind */
  guides(kind) {
    return this.led ? guidesOf(this.boot, this.led, kind) : [];
  }

  /** Models have come, or gone: if that is the chosen one, the run's youngest takes its place. */
  offer() {
    if (this.boot.models.some((model) => model.name === this.values.model)) {
      this.store.tell();
      return;
    }
    const youngest = this.boot.models.filter((model) => model.family === this.#family).at(-1);
    this.#apply(modelNamed(youngest?.name ?? this.defaults.model));
  }

  #remember() {
    this.#family = this.model.family;
  }

  /**
   * The checkpoints of the run that a model is of, the youngest last.
   * @param {Model} [model]
   */
  checkpoints(model = this.model) {
    const all = this.boot.models.filter((other) => other.family === model.family);
    return all.sort((a, b) => (a.images ?? 0) - (b.images ?? 0));
  }

  /** The design whose rows of Table 1 are all as they stand now. */
  get design() {
    return this.#designOf(this.values);
  }

  /** @param {Values} values */
  #designOf(values) {
    /** @type {(name: string, value: any) => boolean} */
    const same = (name, value) => (values[name] ?? null) === (value ?? null);
    return this.boot.designs.find((d) => Object.entries(d.sampling).every(([name, value]) => same(name, value)));
  }

  /**
   * Whether a knob changes nothing with the present choices: it is dimmed, and still works.
   * @param {string} name
   */
  idle(name) {
    const { values } = this;
    const { needs, choices: chosen } = this.boot.knobs[name];
    if (needs && values[needs] === 0) return true;
    return Object.entries(this.boot.knobs).some(([other, { instead, choices, uses, leaves }]) => {
      if (!chosen && values[other] != null && instead?.includes(name)) return true;
      if (leaves?.[choices?.indexOf(values[other]) ?? -1]?.includes(name)) return true;
      const used = uses?.[choices?.indexOf(values[other]) ?? -1];
      return used != null && !used.includes(name) && uses?.some((each) => each?.includes(name));
    });
  }
}
