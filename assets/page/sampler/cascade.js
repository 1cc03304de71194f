// What a model that makes images larger begins with: whose low-resolution images, and how much noise they get.
import { element } from "../shared/dom.js";
import { hint } from "../shared/hints.js";
import { offer, slider } from "../shared/widgets.js";

/** @typedef {import("../shared/messages.d.ts").Boot} Boot */
/** @typedef {import("../shared/messages.d.ts").Model} Model */

export const DATA = "data"; // in the place of a base: true images, made small

/** The models whose samples an upsampler can make larger. The server has the last word. @type {(boot: Boot, model: Model) => Model[]} */
export function bases({ models }, { shape, low }) {
  const wanted = low && String([shape[0], low.resolution, low.resolution]);
  return models.filter((other) => other.trained && !other.low && String(other.shape) === wanted);
}

/** The base of an upsampler; null: true images. @type {(boot: Boot, model: Model, named: string | null) => Model | null} */
export function baseOf(boot, model, named) {
  const name = named ?? model.low?.base;
  return bases(boot, model).find((other) => other.name === name) ?? null;
}

/**
 * Shown where the model makes images larger.
 * @param {import("./settings.js").Settings} settings
 * @param {(name: string) => import("../shared/widgets.js").Binding} binding
 */
export function cascade(settings, binding) {
  const { knobs } = settings.boot;
  const noise = slider(knobs.cascade_noise, {
    ...binding("cascade_noise"),
    effective: () => settings.effective("cascade_noise"),
    bounds: () => [0, settings.model.low?.most || 1],
  });
  const steps = slider(knobs.cascade_steps, {
    ...binding("cascade_steps"),
    effective: () => settings.effective("cascade_steps"),
    idle: () => settings.values.cascade === DATA,
  });
  const group = element("div", { class: "group" }, element("h2", {}, "Low-resolution images"));
  group.append(base(settings), noise, steps);
  settings.store.follow(() => {
    group.hidden = settings.model.low == null;
  });
  return group;
}

/** @param {import("./settings.js").Settings} settings */
function base(settings) {
  const { boot } = settings;
  const select = element("select", { "aria-label": "base", "data-knob": "cascade" });
  const row = element("div", { class: "knob pick", "data-row": "cascade" }, element("label", {}, "base"), select);
  select.addEventListener("change", () => {
    const led = select.value === DATA ? { guidance: settings.defaults.guidance } : {}; // true images are led by none
    settings.set({
      cascade: select.value || null,
      guide: null,
      ...led,
    });
  });
  hint(row, boot.knobs.cascade.help);
  settings.store.follow(() => {
    const { model, values } = settings;
    if (!model.low) return;
    /** @type {[string, string][]} */
    const known = bases(boot, model).map(({ name, title }) => [name === model.low?.base ? "" : name, title]);
    offer(select, [...known, [DATA, "true images, made small"]]);
    select.value = values.cascade === model.low.base ? "" : (values.cascade ?? "");
  });
  return row;
}
