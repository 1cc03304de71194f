// Lessons: their list, and the strip over the stage that leads through one. A step opens a state of the page, shows some of
// the controls, and may ask for a prediction first; what comes of it is computed from what the learner has now.
import { button, dialogHead, element } from "../shared/dom.js";
import { unmark } from "../shared/marked.js";
import { SILENCE } from "../shared/server.js";
import { changedText } from "../shared/values.js";
import { Author } from "./author.js";
import { documentOf } from "./draft.js";
import { markdown } from "./markdown.js";
import { Question } from "./question.js";

/** @typedef {import("../shared/messages.d.ts").Lesson} Lesson */
/** @typedef {import("../shared/messages.d.ts").LessonPlace} Place */

/**
 * @typedef {object} Own  What lessons need of the page, beside what it takes to write one.
 * @property {import("../sampler/settings.js").Settings} settings  The Sampler tab's.
 * @property {() => void} free  All controls are shown again, and the address follows.
 * @property {() => void} [drawn]  A step stands in the strip, or no lesson is on any more.
 * @property {(answer: number) => void} [answered]  Somebody has answered the step's question.
 * @typedef {import("./author.js").Around & Own} Around
 */

export class Lessons {
  /** @type {Lesson | null} */
  #lesson = null;
  #step = 0;
  /** @type {Record<string, string>} What the address would say of the state that the step has opened. */
  #base = {};
  /** @type {Question | null} */
  #question = null;
  #measured = ""; // the settings of what is revealed
  /** @type {Map<string, Question>} Whoever goes back finds what was answered, or typed so far. */
  #answered = new Map();

  /**
   * @param {HTMLElement} strip
   * @param {HTMLDialogElement} dialog
   * @param {Around} around
   */
  constructor(strip, dialog, around) {
    this.strip = strip;
    this.dialog = dialog;
    this.around = around;
    this.known = around.boot.lessons;
    this.author = new Author(around);
    const cards = this.known.map(({ name, title, paper, about, tried }) => {
      const texts = [element("b", {}, title), element("em", {}, paper), element("span", {}, about)];
      const card = button(
        { class: "card", "data-lesson": name },
        ...texts,
        element("i", {}, tried.length === 1 ? "1 step" : `${tried.length} steps`),
      );
      card.addEventListener("click", () => {
        dialog.close();
        this.go(name, 1);
      });
      return card;
    });
    dialogHead(dialog, "Lessons");
    const write = button({ class: "pin", "data-do": "write" }, "Make a lesson");
    write.addEventListener("click", () => this.#write());
    dialog.append(write, element("div", { class: "cards" }, ...cards));
    strip.addEventListener("keydown", (event) => this.#walk(event));
  }

  list() {
    this.dialog.showModal();
  }

  /** @param {Lesson} [like] */
  #write(like) {
    this.dialog.close();
    if (!like) this.#free();
    this.author.begin(like && { ...documentOf(like), order: 99 });
  }

  /**
   * The step in which a control matters, to be gone to; null: there is none, or a lesson is on.
   * @param {string} control
   */
  why(control) {
    const lesson = this.#lesson ? null : this.known.find(({ tried }) => tried.includes(control));
    return lesson ? () => this.go(lesson.name, lesson.tried.indexOf(control) + 1) : null;
  }

  /** Which step of which lesson is shown, for the address. @returns {Place | null} */
  get place() {
    return this.#lesson && { name: this.#lesson.name, step: this.#step + 1 };
  }

  /** What the step that is shown asks. */
  get asked() {
    return this.#lesson?.steps[this.#step].ask ?? null;
  }

  /** What comes of the step, also for who has not answered. */
  uncover() {
    if (!this.around.root.hasAttribute("data-waiting")) return;
    this.#wait(false);
    this.#reveal();
  }

  /** The step's question is asked anew. */
  anew() {
    if (!this.#lesson) return;
    this.#answered.delete(`${this.#lesson.name}/${this.#step}`);
    this.#draw();
  }

  /**
   * The address of what is shown. In a lesson: which step it is, and what is otherwise than the step has opened it.
   * @param {Record<string, string>} query
   */
  address(query) {
    const { place } = this;
    if (!place) return query;
    const defaults = changedText(this.around.settings.defaults, {});
    const changed = Object.entries(query).filter(([name, value]) => this.#base[name] !== value);
    const back = Object.keys(this.#base).filter((name) => !(name in query));
    const all = [...changed, ...back.map((name) => [name, defaults[name] ?? ""])];
    return { lesson: place.name, step: String(place.step), ...Object.fromEntries(all) };
  }

  /** A step, from 1 on, as its lesson has it. @type {(name: string, step: number) => Promise<void>} */
  async go(name, step) {
    await this.around.open(`?lesson=${name}&step=${step}`);
  }

  /**
   * The page shows the state of a step; null: of none.
   * @param {Place | null} place
   * @param {Record<string, string>} [base]  What an address says of that state, where the step has just opened it.
   */
  async show(place, base) {
    if (base) this.#base = base;
    this.author.follow(place != null);
    if (!place) return this.#leave();
    if (this.#lesson?.name !== place.name) {
      const reply = await this.around.server.reply("lesson", { serial: 0, name: place.name });
      if (reply == null || reply.error != null) {
        this.#say(reply?.error ?? SILENCE);
        return;
      }
      this.#lesson = reply.body;
    }
    this.#step = place.step - 1;
    this.#draw();
  }

  /** What somebody has changed since: what was revealed was of the state before. */
  moved() {
    if (this.#measured && this.#measured !== this.#now()) this.again?.removeAttribute("hidden");
  }

  #draw() {
    const lesson = /** @type {Lesson} */ (this.#lesson);
    const step = lesson.steps[this.#step];
    const key = `${lesson.name}/${this.#step}`;
    this.#measured = "";
    this.#question = step.ask ? (this.#answered.get(key) ?? this.#ask(step, key)) : null;
    this.told = element("div", { class: "revealed", role: "status" });
    this.again = button({ class: "plain again", hidden: true }, "Measure again");
    this.again.addEventListener("click", () => this.#reveal());
    const body = element("div", { class: "tells" }, ...markdown(step.text));
    const asked = element("div", { class: "asked" }, this.#question?.node, this.told, this.again);
    this.strip.replaceChildren(this.#head(lesson), body, asked, this.#ways(lesson));
    this.strip.hidden = false;
    this.around.root.dataset.lesson = `${lesson.name}/${this.#step + 1}`;
    if (this.#question && this.#question.answer == null) {
      this.#wait(true);
      this.#question.mark();
      this.#say("The picture waits for your answer.");
    } else {
      this.#wait(false);
      if (step.reveal || this.#question) this.#reveal();
    }
    this.#point(step.control);
    this.around.drawn?.();
  }

  /** @type {(step: Lesson["steps"][0], key: string) => Question} */
  #ask(step, key) {
    const asked = /** @type {import("../shared/messages.d.ts").LessonQuestion} */ (step.ask);
    const question = new Question(asked, () => {
      this.#wait(false);
      this.#reveal();
      this.around.answered?.(Number(question.answer));
    });
    this.#answered.set(key, question);
    return question;
  }

  /** @param {Lesson} lesson */
  #head({ title, paper, steps }) {
    const dots = steps.map((_, k) => {
      const current = k === this.#step ? "step" : null;
      const dot = button({
        "aria-label": `Step ${k + 1}`,
        "aria-current": current,
        class: k < this.#step ? "past" : "",
      });
      dot.addEventListener("click", () => this.#to(k));
      return dot;
    });
    const progress = element("div", { class: "progress", role: "group", "aria-label": "Steps" }, ...dots);
    return element("div", { class: "lesson" }, element("h2", {}, title), element("em", {}, paper), progress);
  }

  /** @param {Lesson} lesson */
  #ways(lesson) {
    const { steps } = lesson;
    const back = button({ class: "plain", disabled: this.#step === 0, "data-way": "back" }, "Back");
    const last = this.#step === steps.length - 1;
    const next = button({ class: "pin", "data-way": "next" }, last ? "All lessons" : "Next");
    const leave = "Leave the lesson; what is shown stays as it is";
    const free = button({ class: "plain", title: leave, "data-way": "free" }, "Free play");
    back.addEventListener("click", () => this.#to(this.#step - 1));
    next.addEventListener("click", () => (last ? this.list() : this.#to(this.#step + 1)));
    free.addEventListener("click", () => this.#free());
    const title = "Write a lesson of your own that begins as this one";
    const like = button({ class: "plain like", title, "data-way": "like" }, "Make one like this");
    like.addEventListener("click", () => this.#write(lesson));
    return element("div", { class: "ways" }, back, next, free, like);
  }

  /** @param {number} step */
  #to(step) {
    if (this.#lesson) this.go(this.#lesson.name, step + 1);
  }

  /** Page up and page down. @param {KeyboardEvent} event */
  #walk(event) {
    const by = { PageUp: -1, PageDown: 1 }[event.key];
    const steps = this.#lesson?.steps.length ?? 0;
    if (!by || this.#step + by < 0 || this.#step + by >= steps) return;
    event.preventDefault();
    this.#to(this.#step + by);
  }

  /** The picture waits for an answer. @param {boolean} waiting */
  #wait(waiting) {
    unmark();
    this.around.root.toggleAttribute("data-waiting", waiting);
  }

  async #reveal() {
    const [lesson, step, question] = [this.#lesson, this.#step, this.#question];
    if (!lesson) return;
    this.again?.setAttribute("hidden", "");
    this.#measured = this.#now();
    this.#say("…");
    const message = {
      serial: 0,
      step: /** @type {any} */ (lesson.steps[step]),
      values: this.around.settings.changedValues(),
    };
    const reply = await this.around.server.reply("reveal", message);
    if (this.#lesson !== lesson || this.#step !== step) return; // somebody went on
    if (reply == null || reply.error != null) {
      this.#say(reply?.error ?? SILENCE);
      return;
    }
    this.told?.replaceChildren(...markdown(reply.body.told));
    question?.reveal(reply.body);
    this.around.root.dataset.revealed = `${lesson.name}/${step + 1}`;
  }

  #now() {
    return JSON.stringify(this.around.settings.changedValues());
  }

  /** @param {string} sentence */
  #say(sentence) {
    this.told?.replaceChildren(sentence);
  }

  /** The control to try. @param {string} name */
  #point(name) {
    for (const node of this.around.root.querySelectorAll("aside .tried")) node.classList.remove("tried");
    if (name)
      for (const node of this.around.root.querySelectorAll(`aside [data-row="${CSS.escape(name)}"]`))
        node.classList.add("tried");
  }

  #free() {
    if (this.#lesson) this.#leave();
    this.around.free();
  }

  #leave() {
    if (!this.#lesson) return;
    this.#lesson = null;
    this.strip.hidden = true;
    this.#wait(false);
    this.#point("");
    delete this.around.root.dataset.lesson;
    this.around.drawn?.();
  }
}
