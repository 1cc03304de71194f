// The step that is being written: its picture, its text, the controls that are visible, what it asks.
import { button, element } from "../shared/dom.js";
import { plain, symbolOf, typeset } from "../shared/mathematics.js";
import { questionFields } from "./author_question.js";
import { field, selectField, textField } from "./fields.js";
import { HERE } from "./measures.js";

/** @typedef {import("./draft.js").Draft} Draft */

/** @type {Record<string, string>} Controls that are no setting. */
const OTHERS = { model: "Model", design: "Design", nfe: "NFE", show: "instrument" };

/**
 * @typedef {object} Around
 * @property {Draft} draft
 * @property {Record<string, import("../shared/types.d.ts").Knob>} knobs
 * @property {import("../shared/messages.d.ts").LessonMeasure[]} measures
 * @property {() => string[]} controls  Of the panel that is shown.
 * @property {() => string} picture  The address of what is shown.
 * @property {(query: string) => Promise<void>} open
 * @property {() => void} anew  Draw the step again.
 */

/**
 * @param {Around} around
 * @returns {HTMLElement[]}
 */
export function stepFields(around) {
  const { draft, anew, measures } = around;
  const { step } = draft;
  if (!step) return [];
  const known = { measures, states: [HERE, ...Object.keys(step.states)] };
  const claims = step.claims.length
    ? [
        textField(
          "claims",
          "Claims, one a line: tests of a lesson that ships",
          step.claims.join("\n"),
          (text) => draft.edit({ claims: text.split("\n").filter((line) => line.trim()) }, "claims"),
          { rows: 2 },
        ),
      ]
    : [];
  return [
    picture(around, step.open),
    textField("text", "Text", step.text, (text) => draft.edit({ text }, "text"), {
      rows: 6,
      placeholder: "**bold**, *italic*, - lists, [a state](?model=spiral), ρ, S_churn",
    }),
    controls(around, step),
    tried(around, step),
    states(around, step),
    ...questionFields(draft, known, anew),
    ...claims,
  ];
}

/** @type {(around: Around, open: string) => HTMLElement} */
function picture({ draft, picture: shown, open: go, anew }, open) {
  const see = button({ class: "pin", "data-do": "see" }, "Show it");
  const take = button({ class: "pin", "data-do": "take" }, "Take what is shown now");
  see.addEventListener("click", () => go(`?${open}`));
  take.addEventListener("click", () => {
    draft.edit({ open: shown() });
    anew();
  });
  const address = element("code", {}, open || "the page as it opens");
  return field("open", "Picture", address, element("div", { class: "line" }, see, take));
}

/** @type {(around: Around, step: import("./draft.js").Step) => HTMLElement} */
function controls({ draft, knobs, controls: offered }, step) {
  const names = [...new Set([...offered(), ...step.only])];
  const chips = names.map((name) => {
    const chip = button(
      { "data-value": name, "aria-pressed": String(step.only.includes(name)) },
      ...typeset(titled(name, knobs)),
    );
    chip.addEventListener("click", () => {
      const only = new Set(draft.step?.only);
      if (!only.delete(name)) only.add(name);
      chip.setAttribute("aria-pressed", String(only.has(name)));
      const kept = [...only];
      const control = draft.step?.control ?? "";
      draft.edit({ only: kept, control: kept.length && !only.has(control) ? "" : control });
    });
    return chip;
  });
  const box = element("div", { class: "chips", role: "group" }, ...chips);
  return field("only", "Visible controls; none chosen: all of them", box);
}

/** @type {(around: Around, step: import("./draft.js").Step) => HTMLElement} */
function tried({ draft, knobs, controls: offered }, step) {
  const names = [...new Set([...offered(), ...step.only])].map((name) => [name, plain(titled(name, knobs))]);
  const options = /** @type {[string, string][]} */ ([["", "none"], ...names]);
  const choose = (/** @type {string} */ control) => {
    const { only = [] } = draft.step ?? {};
    draft.edit({ control, only: control && only.length && !only.includes(control) ? [...only, control] : only });
  };
  return selectField("control", "The one to try", step.control, options, choose);
}

/** @type {(around: Around, step: import("./draft.js").Step) => HTMLElement} */
function states({ draft, picture: shown, open, anew }, step) {
  const rows = Object.entries(step.states).map(([name, query]) => {
    const input = element("input", { type: "text", "aria-label": "Its name", value: name, title: query });
    input.addEventListener("change", () => {
      draft.edit({ states: renamed(step.states, name, input.value.trim()) });
      anew();
    });
    const see = button({ class: "pin" }, "Show it");
    see.addEventListener("click", () => open(`?${query}`));
    const drop = button({ class: "plain", "aria-label": `Remove ${name}` }, "×");
    drop.addEventListener("click", () => {
      const { [name]: _, ...others } = step.states;
      draft.edit({ states: others });
      anew();
    });
    return element("div", { class: "line" }, input, element("code", {}, query), see, drop);
  });
  const add = button({ class: "pin", "data-do": "compare" }, "Compare with what is shown now");
  add.addEventListener("click", () => {
    draft.edit({ states: { ...step.states, [free(step.states)]: shown() } });
    anew();
  });
  return field("states", "Other pictures that are measured", add, ...rows);
}

/** A name that is not taken. @param {Record<string, string>} states */
function free(states) {
  const names = ["other", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth"];
  return names.find((name) => !(name in states)) ?? "more";
}

/** @type {(states: Record<string, string>, from: string, to: string) => Record<string, string>} */
const renamed = (states, from, to) =>
  Object.fromEntries(Object.entries(states).map(([name, query]) => [name === from ? to : name, query]));

/** @type {(name: string, knobs: Around["knobs"]) => string} */
const titled = (name, knobs) => symbolOf(knobs[name]) || OTHERS[name] || name;
