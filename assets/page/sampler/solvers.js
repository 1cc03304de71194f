// Rows of Table 1 with many choices: the columns' own one click away, and a list of all. Of the solver, what it does, too.
import { element } from "../shared/dom.js";
import { explained } from "../shared/terms.js";
import { choice, segments } from "../shared/widgets.js";

/** @typedef {import("./settings.js").Settings} Settings */
/** @typedef {import("../shared/widgets.js").Binding} Binding */

/**
 * The choices of Table 1's columns side by side, and a list of all.
 * @param {Settings} settings
 * @param {string} name
 * @param {Binding} bound
 * @param {string} kind
 */
export function listed({ boot }, name, bound, kind) {
  const knob = boot.knobs[name];
  const place = (/** @type {string} */ value) => knob.choices?.indexOf(value) ?? -1;
  const columns = new Set(boot.designs.map((design) => String(design.sampling[name])));
  const few = { ...knob, choices: [...columns].sort((a, b) => place(a) - place(b)) };
  for (const key of /** @type {const} */ (["titles", "helps"]))
    few[key] = few.choices.map((value) => knob[key]?.[place(value)] ?? "");
  return element("div", { class: `pair ${kind}` }, segments(few, bound), choice(knob, bound).querySelector("select"));
}

/**
 * @param {Settings} settings
 * @param {(name: string) => Binding} binding
 */
export function solver(settings, binding) {
  const { knobs } = settings.boot;
  const knob = knobs.solver;
  const place = (/** @type {string} */ name) => knob.choices?.indexOf(name) ?? -1;
  const bound = { ...binding("solver"), set: (/** @type {string} */ name) => settings.set(chosen(name)) };
  /** A form is of one solver. @type {(name: string) => import("../shared/types.d.ts").Values} */
  const chosen = (name) => ({ solver: name, ...(settings.values.variant == null ? {} : { variant: null }) });
  const about = element("p", { class: "about" });
  settings.store.follow(() => {
    const k = place(settings.values.solver);
    const leaves = knob.leaves?.[k] ?? [];
    const untouched = leaves.map((name) => knobs[name].symbol).join(" and ");
    const told = [knob.helps?.[k], untouched && `it works on x/s and σ: ${untouched} do not touch it`];
    about.replaceChildren(...explained(told.filter(Boolean).join("; ")));
    // a column's button says it, and all knobs fit the screen
    about.hidden = settings.boot.designs.some(({ sampling }) => sampling.solver === settings.values.solver);
  });
  return [listed(settings, "solver", bound, "solvers"), about];
}

/**
 * The forms that the chosen solver has.
 * @param {Settings} settings
 * @param {Binding} binding
 */
export function form(settings, binding) {
  const { knobs } = settings.boot;
  const { choices, forms } = knobs.solver;
  const own = () => forms?.[choices?.indexOf(settings.values.solver) ?? -1] ?? [];
  const knob = {
    ...knobs.variant,
    get choices() {
      return own();
    },
    get titles() {
      return own();
    },
  };
  const known = () => (own().includes(settings.values.variant) ? settings.values.variant : own()[0]);
  return choice(knob, { ...binding, get: known });
}
