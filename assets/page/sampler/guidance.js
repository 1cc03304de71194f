// Which class is sampled, and what leads samples further towards it than the model does.
import { element } from "../shared/dom.js";
import { hint } from "../shared/hints.js";
import { interval } from "../shared/interval.js";
import { offer, slider, toggle } from "../shared/widgets.js";

/** @typedef {import("./settings.js").Settings} Settings */
/** @typedef {import("../shared/messages.d.ts").Model} Model */
/** @typedef {import("../shared/widgets.js").Binding} Binding */
/** @typedef {[string | number, string | number][]} Options */

const OWN = "guidance_";
const FITS = "the one that fits"; // where a link names no guide
const SHARE = 0.6; // λ to begin with, where there is no w that does nothing

/**
 * The class and the kind of guidance side by side, and below what that kind has.
 * @param {Settings} settings
 * @param {(name: string) => Binding} binding
 */
export function guidance(settings, binding) {
  const { knobs } = settings.boot;
  const names = Object.keys(knobs).filter((name) => name.startsWith(OWN));
  const row = (/** @type {string} */ name) => {
    const bound = { ...binding(name), idle: () => settings.idle(name) };
    if (name === "guidance_interval") return interval(knobs[name], bound);
    return typeof knobs[name].default === "boolean" ? ticked(knobs[name], bound) : slider(knobs[name], bound);
  };
  const rows = names.map((name) => row(name));
  const clip = ticked(knobs.clip, binding("clip"));
  for (const [k, node] of rows.entries())
    settings.store.follow(() => {
      const needless = names[k] === "guidance_told" && !settings.model.classes.length;
      node.toggleAttribute("hidden", settings.idle(names[k]) || needless);
    });
  const heading = element("h2", {}, "Class · guidance");
  const pair = element("div", { class: "pair classes" }, classes(settings), kinds(settings));
  const group = element("div", { class: "group" }, heading, pair, rows[0], guide(settings), ...rows.slice(1), clip);
  settings.store.follow(() => {
    const [told, led] = [settings.classes.length > 0, settings.guidances().length > 1];
    const images = settings.model.shape.length > 1;
    clip.hidden = !images;
    group.hidden = !told && !led && !images;
    heading.textContent = [told && "Class", led && "guidance"].filter(Boolean).join(" · ") || "Images";
  });
  return group;
}

/** @param {import("../shared/types.d.ts").Knob} knob @param {Binding} binding */
function ticked(knob, binding) {
  const node = toggle(knob, binding);
  node.classList.replace("toggle", "switch"); // the first of the page is an instrument's
  return node;
}

/** @param {Settings} settings */
function classes(settings) {
  const select = element("select", { "aria-label": "Class", "data-knob": "label" });
  select.addEventListener("change", () => settings.set({ label: select.value === "" ? null : select.value }));
  hint(select, settings.boot.knobs.label.help);
  settings.store.follow(() => {
    const { classes, model, values } = settings;
    /** @type {Options} */
    const none = model.trained && model.unconditional && !settings.guidance?.classes ? [["none", "none"]] : [];
    const known = classes.some(([name]) => String(name) === "none");
    select.hidden = classes.length === 0;
    offer(select, [["", "all"], ...classes, ...(known ? [] : none)]);
    select.value = String(values.label ?? "");
  });
  return select;
}

/** @param {Settings} settings */
function kinds(settings) {
  const knob = settings.boot.knobs.guidance;
  const title = (/** @type {string} */ name) => knob.titles?.[knob.choices?.indexOf(name) ?? -1] ?? name;
  const select = element("select", { "aria-label": "Guidance", "data-knob": "guidance", "data-row": "guidance" });
  select.addEventListener("change", () => settings.set(begun(settings, select.value)));
  hint(select, knob.help);
  settings.store.follow(() => {
    const known = settings.guidances();
    select.hidden = known.length < 2;
    offer(
      select,
      known.map(({ name }) => [name, name === "none" ? "no guidance" : title(name)]),
    );
    select.value = settings.values.guidance;
    const k = knob.choices?.indexOf(settings.values.guidance) ?? -1;
    select.title = knob.helps?.[k] ?? "";
  });
  return select;
}

/**
 * What goes with another kind of guidance: a w that does something, and a guide where it needs one.
 * @param {Settings} settings
 * @param {string} name
 */
function begun(settings, name) {
  const { values, boot } = settings;
  const [was, is] = [values.guidance, name].map((own) => boot.guidances.find((kind) => kind.name === own));
  const label = settings.model.classes.length ? values.label : null; // a classifier knew of classes
  const changes = { guidance: name, guide: null, label };
  if (!is || name === boot.knobs.guidance.default)
    return { ...changes, guidance_weight: boot.knobs.guidance_weight.default };
  const more = was?.neutral != null && was.name !== boot.knobs.guidance.default;
  const further = more ? values.guidance_weight - (was?.neutral ?? 0) : 1; // than the w that does nothing
  const weight = is.neutral == null ? SHARE : is.neutral + further;
  const guide = is.needs ? (settings.guides(is)[0]?.[0] ?? null) : null;
  return { ...changes, guide: guide || null, guidance_weight: Number(weight.toPrecision(6)) };
}

/** @param {Settings} settings */
function guide(settings) {
  const { knobs } = settings.boot;
  const select = element("select", { "aria-label": "guide", "data-knob": "guide" });
  const row = element("div", { class: "knob pick", "data-row": "guide" }, element("label", {}, "guide"), select);
  select.addEventListener("change", () => settings.set({ guide: select.value || null }));
  hint(row, knobs.guide.help);
  settings.store.follow(() => {
    const options = settings.guidance ? settings.guides(settings.guidance) : [];
    const { guide } = settings.values;
    const named = options.some(([name]) => name === (guide ?? ""))
      ? options
      : [...options, [guide ?? "", guide ?? FITS]];
    row.hidden = settings.idle("guide") || named.length < (settings.guidance?.needs ? 1 : 2);
    offer(select, /** @type {Options} */ (named));
    select.value = settings.values.guide ?? "";
  });
  return row;
}
