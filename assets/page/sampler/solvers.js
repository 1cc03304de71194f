// The row "solver": Table 1's own one click away, a list of all in families, and what the chosen one does.
import { element } from "../shared/dom.js";
import { typeset } from "../shared/mathematics.js";
import { choice, segments } from "../shared/widgets.js";

/** @typedef {import("./settings.js").Settings} Settings */
/** @typedef {import("../shared/widgets.js").Binding} Binding */

/**
 * @param {Settings} settings
 * @param {(name: string) => Binding} binding
 */
export function solver(settings, binding) {
  const { knobs, designs } = settings.boot;
  const knob = knobs.solver;
  const place = (/** @type {string} */ name) => knob.choices?.indexOf(name) ?? -1;
  const bound = { ...binding("solver"), set: (/** @type {string} */ name) => settings.set(chosen(name)) };
  const papers = [...new Set(designs.map((design) => String(design.sampling.solver)))].sort(
    (a, b) => place(a) - place(b),
  );
  const few = { ...knob, choices: papers };
  for (const key of /** @type {const} */ (["titles", "helps"]))
    few[key] = papers.map((name) => knob[key]?.[place(name)] ?? "");
  /** A form is of one solver. @type {(name: string) => import("../shared/types.d.ts").Values} */
  const chosen = (name) => ({ solver: name, ...(settings.values.variant == null ? {} : { variant: null }) });
  const list = choice(knob, bound).querySelector("select");
  const about = element("p", { class: "about" });
  settings.store.follow(() => {
    const k = place(settings.values.solver);
    const leaves = knob.leaves?.[k] ?? [];
    const untouched = leaves.map((name) => knobs[name].symbol).join(" and ");
    const told = [knob.helps?.[k], untouched && `it works on x/s and σ: ${untouched} do not touch it`];
    about.replaceChildren(...typeset(told.filter(Boolean).join("; ")));
  });
  return [element("div", { class: "pair solvers" }, segments(few, bound), list), about];
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
