// What a step asks: one of some answers, a number, or a noise level marked on an axis. Answered, it stays as it was beside
// what comes of it.
import { button, element } from "../shared/dom.js";
import { marked, SIGNS } from "../shared/marked.js";
import { number } from "../shared/numbers.js";
import { inline } from "./markdown.js";

/** @typedef {import("../shared/messages.d.ts").LessonQuestion} Asked */
/** @typedef {import("../shared/messages.d.ts").Revealed} Revealed */

const LOW = 0.002; // the axis of noise levels
const HIGH = 80;
const STEPS = 240;

export class Question {
  /** @type {number | null} */
  answer = null;
  mark = () => {}; // shows where a prediction stands, of a noise level

  /**
   * @param {Asked} asked
   * @param {() => void} answered
   */
  constructor(asked, answered) {
    this.asked = asked;
    this.answered = answered;
    this.found = element("p", { class: "found", role: "status" });
    /** @type {Record<string, () => Node[]>} */
    const controls = { choice: () => this.#choices(), number: () => this.#number(), mark: () => this.#mark() };
    const made = controls[asked.kind]();
    this.node = element("div", { class: "question" }, element("p", {}, ...inline(asked.text)), ...made, this.found);
  }

  #choices() {
    const answers = { class: "answers", role: "radiogroup", "aria-label": this.asked.text };
    this.buttons = this.asked.choices.map(({ text }, k) => {
      const one = button({ role: "radio", "aria-checked": "false", "data-answer": k }, ...inline(text, null));
      one.addEventListener("click", () => this.#take(k));
      return one;
    });
    return [element("div", answers, ...this.buttons)];
  }

  #number() {
    const label = `${this.asked.text} ${this.asked.unit}`;
    const input = element("input", { type: "text", inputmode: "decimal", "aria-label": label, "data-answer": "" });
    const done = button({ class: "pin" }, "Predict");
    const take = () => {
      const typed = Number(input.value.trim().replace(",", "."));
      if (input.value.trim() && Number.isFinite(typed)) this.#take(typed);
      else this.found.textContent = "Type a number: what is your guess?";
    };
    input.addEventListener("keydown", ({ key }) => key === "Enter" && take());
    done.addEventListener("click", take);
    return [element("div", { class: "answers" }, input, element("span", {}, this.asked.unit), done)];
  }

  #mark() {
    const level = (/** @type {HTMLInputElement} */ { value }) => HIGH * (LOW / HIGH) ** (Number(value) / STEPS);
    const at = (/** @type {number} */ sigma) => STEPS * (Math.log(HIGH / sigma) / Math.log(HIGH / LOW));
    const range = element("input", { type: "range", min: 0, max: STEPS, "aria-label": "σ", "data-answer": "" });
    const told = element("span", { class: "told" });
    const show = () => {
      told.textContent = `σ = ${number(level(range))}`;
      range.setAttribute("aria-valuetext", told.textContent);
    };
    const place = (/** @type {number} */ sigma) => {
      range.value = String(Math.round(at(sigma)));
      show();
      this.mark();
    };
    this.mark = () => marked.set({ guess: level(range), truth: null, place: this.answer == null ? place : null });
    range.addEventListener("input", () => {
      show();
      if (this.answer == null) this.mark();
    });
    show();
    const done = button({ class: "pin" }, "Mark it");
    done.addEventListener("click", () => this.#take(level(range)));
    return [element("div", { class: "answers" }, range, told, done)];
  }

  /** @param {number} answer */
  #take(answer) {
    this.answer = answer;
    for (const [k, one] of (this.buttons ?? []).entries()) one.setAttribute("aria-checked", String(k === answer));
    this.answered();
  }

  /**
   * What has been predicted, beside what happened.
   * @param {Revealed} revealed
   */
  reveal({ truth, right }) {
    if (this.answer == null) return;
    if (this.asked.kind === "choice") {
      const chosen = this.asked.choices[this.answer];
      const good = right.includes(this.answer);
      for (const [k, one] of (this.buttons ?? []).entries()) one.classList.toggle("right", right.includes(k));
      this.found.replaceChildren(...inline(good ? "So it is here." : chosen.because || "Here it is not so."));
    } else if (truth != null) {
      const { kind, unit } = this.asked;
      const written = (/** @type {number} */ value) =>
        kind === "mark" ? `σ = ${number(value)}` : `${number(Number(value.toPrecision(2)))} ${unit}`.trim();
      const [guess, found] = kind === "mark" ? [`${SIGNS.guess} `, `${SIGNS.truth} `] : ["", ""];
      if (kind === "mark") marked.set({ guess: this.answer, truth, place: null });
      const said = `You said ${guess}**${written(this.answer)}**; here it is ${found}**${written(truth)}**.`;
      this.found.replaceChildren(...inline(said));
    }
  }
}
