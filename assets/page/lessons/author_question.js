// The question of a step that is being written, and what is told afterwards.
import { button, element } from "../shared/dom.js";
import { expressionField, field, sentenceField, textField } from "./fields.js";

/** @typedef {import("../shared/messages.d.ts").LessonQuestion} Asked */
/** @typedef {import("./draft.js").Draft} Draft */
/** @typedef {{ measures: import("../shared/messages.d.ts").LessonMeasure[], states: string[] }} Known */

/** @type {Record<string, string>} */
const KINDS = { "": "none", choice: "choice", number: "number", mark: "mark on σ" };
const MOST_CHOICES = 6;
const CHOICE = { text: "", when: "", because: "" };

/**
 * @param {Draft} draft
 * @param {Known} known
 * @param {() => void} anew  There are other fields now.
 * @returns {HTMLElement[]}
 */
export function questionFields(draft, known, anew) {
  const asked = draft.step?.ask ?? null;
  /** @type {(changes: Partial<Asked>, typed?: string) => void} */
  const edit = (changes, typed) =>
    draft.step?.ask && draft.edit({ ask: { ...draft.step.ask, ...changes } }, typed && `ask.${typed}`);
  const kinds = Object.entries(KINDS).map(([kind, title]) => {
    const one = button(
      { role: "radio", "aria-checked": String((asked?.kind ?? "") === kind), "data-kind": kind },
      title,
    );
    one.addEventListener("click", () => {
      draft.edit({ ask: kind ? changed(draft.step?.ask ?? null, kind) : null });
      anew();
    });
    return one;
  });
  const choosing = element("div", { class: "seg", role: "radiogroup" }, ...kinds);
  /** @type {HTMLElement[]} */
  const fields = [field("ask.kind", "Question: what is predicted first", choosing)];
  if (asked) {
    fields.push(textField("ask.text", "It asks", asked.text, (text) => edit({ text }, "text"), { rows: 2 }));
    if (asked.kind === "choice") fields.push(...choices(asked, known, edit, anew));
    else {
      const truth = asked.kind === "mark" ? "The noise level that it turns out to be" : "What it turns out to be";
      fields.push(expressionField("ask.truth", truth, asked.truth, (text) => edit({ truth: text }, "truth"), known));
    }
    if (asked.kind === "number")
      fields.push(
        textField("ask.unit", "Its unit", asked.unit, (unit) => edit({ unit }, "unit"), { placeholder: "times" }),
      );
  }
  const title = asked ? "Told afterwards, with what is measured" : "Told with what is measured, or nothing";
  const reveal = draft.step?.reveal ?? "";
  return [...fields, sentenceField("reveal", title, reveal, (text) => draft.edit({ reveal: text }, "reveal"), known)];
}

/** @type {(asked: Asked | null, kind: string) => Asked} */
function changed(asked, kind) {
  const { text = "", choices: known = [], truth = "", unit = "" } = asked ?? {};
  if (kind === "choice") return { kind, text, choices: known.length ? known : [CHOICE, CHOICE], truth: "", unit: "" };
  return { kind, text, choices: [], truth: truth || (kind === "mark" ? "merge(here)" : "error(here)"), unit };
}

/**
 * @param {Asked} asked
 * @param {Known} known
 * @param {(changes: Partial<Asked>, typed?: string) => void} edit
 * @param {() => void} anew
 */
function choices(asked, known, edit, anew) {
  const { choices: all } = asked;
  let now = all;
  /** @type {(k: number, changes: Partial<typeof CHOICE>) => void} */
  const set = (k, changes) => {
    now = now.map((one, i) => (i === k ? { ...one, ...changes } : one));
    edit({ choices: now }, `choices.${k}.${Object.keys(changes)}`);
  };
  const boxes = all.map((one, k) => {
    const at = `ask.choices.${k}`;
    const drop = button({ class: "plain", "aria-label": `Remove answer ${k + 1}`, title: "Remove this answer" }, "×");
    drop.hidden = all.length < 3;
    drop.addEventListener("click", () => {
      edit({ choices: now.toSpliced(k, 1) });
      anew();
    });
    return element(
      "fieldset",
      { class: "choice", "data-answer": k },
      element("legend", {}, `Answer ${k + 1}`),
      drop,
      textField(`${at}.text`, "Says", one.text, (text) => set(k, { text })),
      expressionField(`${at}.when`, "Is right where", one.when, (when) => set(k, { when }), {
        ...known,
        relation: true,
      }),
      textField(`${at}.because`, "Told to who chose it and was wrong", one.because, (because) => set(k, { because })),
    );
  });
  const more = button({ class: "pin", "data-do": "answer", disabled: all.length >= MOST_CHOICES }, "Another answer");
  more.addEventListener("click", () => {
    edit({ choices: [...now, CHOICE] });
    anew();
  });
  return [...boxes, field("ask.choices", "", more)];
}
