// The column of knobs, built from the declarations of edm's settings.
import { button, element } from "../shared/dom.js";
import { hint } from "../shared/hints.js";
import { segments, slider, text, toggle } from "../shared/widgets.js";
import { cascade } from "./cascade.js";
import { Evaluations } from "./evaluations.js";
import { guidance } from "./guidance.js";
import { Models } from "./models.js";
import { form, listed, solver } from "./solvers.js";

/** @type {Record<string, string>} */
const COMPUTED = { float32: "network in float32", bf16: "network in bf16 while a knob moves" };

export class Panel {
  /**
   * @param {HTMLElement} root
   * @param {import("./sampler.js").Sampler} tab
   */
  constructor(root, tab) {
    const { settings } = tab;
    const { server } = tab.page;
    this.settings = settings;
    this.models = new Models(server, settings, (name) => tab.chooseModel(name));
    this.evaluations = new Evaluations(server, settings, (sentence) => tab.say(sentence));
    /** @type {(title: string, ...content: Node[]) => void} */
    const section = (title, ...content) =>
      root.append(element("div", { class: "group" }, element("h2", {}, title), ...content));
    this.computed = element("span", { title: "In which precision what is shown was computed" });
    root.append(
      this.models.heading,
      this.models.box,
      cascade(settings, (name) => this.#binding(name)),
      element("h2", { class: "told", "data-row": "design" }, "Design", this.computed),
    );
    root.append(this.#designs());
    const steps = [this.#row("steps"), this.evaluations.node];
    section("Time steps", this.#grid(), ...steps, ...this.#grids(), ...this.#rows("sigma_min", "sigma_max"));
    section("Solver", ...solver(settings, (name) => this.#binding(name)), ...this.#solvers());
    const pair = element("div", { class: "pair" }, this.#choice("schedule", "σ ="), this.#choice("scaling", "s ="));
    section("Schedule · scaling", pair);
    section("Stochasticity", ...this.#rows("S_churn"), ...this.#churned(), ...this.#rows("seed", "count"));
    root.append(guidance(settings, (name) => this.#binding(name)));
  }

  /** @param {import("../shared/types.d.ts").Result} picture */
  show({ precision, evaluations, preview }) {
    this.evaluations.show(evaluations);
    this.computed.hidden = precision == null;
    this.computed.textContent = preview ? `preview: ${preview}` : precision && COMPUTED[precision];
  }

  /** Where the levels lie; a list by hand is none of the choices. */
  #grid() {
    const get = () => (this.settings.values.sigmas ? null : this.settings.values.discretization);
    const bound = { ...this.#binding("discretization"), get, none: "by hand" };
    return listed(this.settings, "discretization", bound, "grids");
  }

  /** What some grids have; of a grid that has nothing, the first stays, dimmed. */
  #grids() {
    const { knobs } = this.settings.boot;
    const names = [...new Set((knobs.discretization.uses ?? []).flatMap((used) => used ?? []))];
    const own = names.filter((name) => name !== "sigma_min");
    const rows = this.#rows(...own);
    this.settings.store.follow(() => {
      const used = own.findIndex((name) => !this.settings.idle(name));
      for (const [k, row] of rows.entries()) row.toggleAttribute("hidden", k !== Math.max(used, 0));
    });
    return rows;
  }

  /** What some solvers have, shown where it is the chosen one. */
  #solvers() {
    const { knobs } = this.settings.boot;
    const bound = (/** @type {string} */ name) => ({ ...this.#binding(name), idle: () => this.settings.idle(name) });
    const lower = toggle(knobs.lower_order_final, bound("lower_order_final"));
    lower.classList.replace("toggle", "switch"); // the first of the page is an instrument's
    const restart = ["restart_min", "restart_max", "restart_rounds", "restart_steps"];
    const rows = [
      ...this.#rows("alpha"),
      form(this.settings, bound("variant")),
      ...this.#rows("order"),
      lower,
      ...this.#rows("eta", ...restart),
    ];
    for (const row of rows)
      this.settings.store.follow(() => row.toggleAttribute("hidden", row.classList.contains("idle")));
    return rows;
  }

  /** What only counts with churn makes room where guidance has rows. */
  #churned() {
    const { settings } = this;
    const names = ["S_tmin", "S_tmax", "S_noise"];
    const rows = this.#rows(...names);
    settings.store.follow(() => {
      for (const [k, row] of rows.entries())
        row.toggleAttribute("hidden", settings.guidance != null && settings.idle(names[k]));
    });
    return rows;
  }

  #designs() {
    const { settings } = this;
    const box = element("div", {
      class: "seg designs",
      role: "radiogroup",
      "aria-label": "Design",
      "data-row": "design",
    });
    for (const design of settings.boot.designs) {
      const dot = element("span", { class: "dot", style: `background: var(--ex-${design.name})` });
      const attributes = { role: "radio", title: design.about, "data-design": design.name };
      const column = button(attributes, dot, design.title);
      column.addEventListener("click", () => settings.set(design.sampling));
      hint(column, design.about);
      settings.store.follow(() => column.setAttribute("aria-checked", String(settings.design === design)));
      box.append(column);
    }
    const title = "Any other mixture of the rows of Table 1";
    const yours = element("span", { class: "yours", title }, "yours");
    settings.store.follow(() => yours.classList.toggle("on", !settings.design));
    box.append(yours);
    return box;
  }

  /**
   * What all widgets of a setting need.
   * @param {string} name
   * @returns {import("../shared/widgets.js").Binding}
   */
  #binding(name) {
    const { settings } = this;
    return {
      name,
      get: () => settings.values[name],
      set: (value) => settings.set({ [name]: value }),
      follow: (refresh) => settings.store.follow(refresh),
    };
  }

  /**
   * @param {string} name
   * @param {string | null} [prefix]
   */
  #choice(name, prefix = null) {
    const { settings } = this;
    const box = segments(settings.boot.knobs[name], this.#binding(name));
    settings.store.follow(() => box.classList.toggle("idle", settings.idle(name)));
    if (prefix) box.prepend(element("span", { class: "prefix" }, prefix));
    return box;
  }

  /** @param {...string} names */
  #rows(...names) {
    return names.map((name) => this.#row(name));
  }

  /** @param {string} name */
  #row(name) {
    const { settings } = this;
    const knob = settings.boot.knobs[name];
    if (!knob.slider) {
      return text(knob, { ...this.#binding(name), set: (value) => settings.set(respaced(String(value))) });
    }
    const effective = () => settings.effective(name);
    const levels = () => (name === "steps" ? settings.values.sigmas?.length : null);
    const images = () => name === "count" && settings.model.shape.length === 3;
    return slider(knob, {
      ...this.#binding(name),
      effective,
      shown: () => levels() ?? effective(),
      bounds: () => (images() ? [1, 64] : (knob.slider ?? [0, 1])),
      idle: () => settings.idle(name),
    });
  }
}

/**
 * What a respacing says: of "250", "ddim25" or "90,60,60,20,20" the number of steps, too.
 * @param {string} written
 */
function respaced(written) {
  const word = written.replaceAll(" ", "").toLowerCase();
  const [, ddim, counts] = /^(ddim)?(\d+(?:,\d+)*)$/.exec(word) ?? [];
  if (!counts) return { respacing: word || null };
  const numbers = counts.split(",").map(Number);
  const steps = numbers.reduce((sum, number) => sum + number, 0);
  return { steps, respacing: ddim ?? (numbers.length > 1 ? numbers.join(":") : null) };
}
