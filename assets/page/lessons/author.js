// Author mode: a lesson is written beside the page that it is about. Each step takes what the page shows.
import { SILENCE } from "../shared/server.js";
import { keep, kept } from "../shared/storage.js";
import { queryText } from "../shared/values.js";
import { frame, row } from "./author_frame.js";
import { stepFields } from "./author_step.js";
import { Draft, documentOf, empty, parsed } from "./draft.js";
import { textField } from "./fields.js";
import { Sharing, save } from "./sharing.js";

/** @typedef {import("./draft.js").Document} Document */
/** @typedef {import("../shared/messages.d.ts").Drafted} Drafted */
/** @typedef {"" | "editing" | "preview"} Mode */

const KEPT = "edm-lesson";
const PAUSE = 400; // ms without a key until what is written is looked at
const MOST_BYTES = 64 << 10; // of a file
const PLACES = ["model", "show"]; // which picture it is: no knob of it
const WRITING = "input, textarea, select";

/**
 * @typedef {object} Around  What writing a lesson needs of the page.
 * @property {import("../shared/server.js").Server} server
 * @property {HTMLElement} root
 * @property {(query: string) => Promise<void>} open
 * @property {import("../shared/messages.d.ts").Boot} boot
 * @property {() => Record<string, string>} shown  What an address says of what is shown.
 * @property {() => string[]} controls  Of the panel that is shown.
 */

export class Author {
  /** @type {Mode} */
  #mode = "";
  #tried = false; // what is not written yet is missing only to who wants to have the lesson
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {Around} around */
  constructor(around) {
    this.around = around;
    this.draft = new Draft(() => this.#changed());
    this.sharing = new Sharing(around.root, around.server);
    this.parts = frame(around.root);
    this.#listen();
    const { mode, draft } = parsed(kept(KEPT));
    this.draft.restore(draft);
    if (mode) this.#go(mode === "preview" ? "preview" : "editing");
  }

  #listen() {
    const { node, undo, redo, close, list, add, file, ways, edit } = this.parts;
    undo.addEventListener("click", () => this.#back(() => this.draft.undo()));
    redo.addEventListener("click", () => this.#back(() => this.draft.redo()));
    close.addEventListener("click", () => this.#go(""));
    add.addEventListener("click", () => this.add());
    edit.addEventListener("click", () => this.#edit());
    node.addEventListener("keydown", (event) => this.#key(event));
    for (const event of ["click", "input"]) node.addEventListener(event, () => this.#say(""), true);
    list.addEventListener("click", ({ target }) => {
      const pressed = target instanceof Element ? target.closest("button") : null;
      if (pressed?.dataset.step) this.#choose(Number(pressed.dataset.step));
      else if (pressed?.dataset.do) this.#tool(pressed.dataset.do);
    });
    file.addEventListener("change", () => {
      const [chosen] = file.files ?? [];
      if (chosen) this.read(chosen);
      file.value = "";
    });
    /** @type {Record<string, () => void>} */
    const acts = {
      preview: () => this.#whole(({ word }) => this.#preview(word)),
      share: () => this.#whole((drafted) => this.sharing.open(this.draft.document, drafted)),
      save: () => this.#whole((drafted) => save(this.draft.document.title, drafted.file)),
      file: () => file.click(),
      new: () => this.begin(empty()),
    };
    for (const way of ways) way.addEventListener("click", acts[way.dataset.do ?? ""]);
  }

  /** What can be done with the step that is chosen. @param {string} name */
  #tool(name) {
    const { draft } = this;
    if (name === "up" || name === "down") this.#move(draft.chosen, name === "up" ? -1 : 1, name);
    else this.#back(() => (name === "copy" ? draft.copy(draft.chosen) : draft.remove(draft.chosen)));
  }

  /**
   * Write a lesson: this one, or go on with the one that was begun.
   * @param {Document} [document]
   */
  begin(document) {
    if (document) {
      this.#tried = false;
      this.draft.replace(document, { chosen: 0 });
      this.#edit();
    } else this.#go("editing");
  }

  /** The page shows something else: of its panel, or a lesson, which wants the room. @param {boolean} lesson */
  follow(lesson) {
    if (this.#mode !== "editing") return;
    if (lesson) this.#go("preview");
    else this.#draw();
  }

  /** What is shown becomes a step. */
  add() {
    const query = this.#query();
    const changed = Object.keys(query).map((name) => name.split(".").at(-1));
    const only = this.around.controls().filter((name) => !PLACES.includes(name) && changed.includes(name));
    this.draft.add(queryText(query), only);
    this.#draw();
    this.parts.step.querySelector("textarea")?.focus();
  }

  /**
   * A lesson in a file.
   * @param {File} file
   */
  async read(file) {
    this.#go("editing");
    if (file.size > MOST_BYTES) {
      this.#say(`${file.name} is too large: a lesson takes at most ${MOST_BYTES >> 10} kB.`);
      return;
    }
    const reply = await this.around.server.reply("lesson", { serial: 0, name: "", text: await file.text() });
    if (reply?.error == null && reply) {
      this.begin(documentOf(reply.body));
    } else this.#say(reply ? `${file.name} could not be opened: ${reply.error}` : SILENCE);
  }

  #query() {
    const { only: _, hide: __, ...query } = this.around.shown();
    return query;
  }

  /** @param {Mode} mode */
  #go(mode) {
    this.#mode = mode;
    this.parts.node.hidden = mode !== "editing";
    this.parts.bar.hidden = mode !== "preview";
    this.#keep();
    if (mode === "editing") this.#draw();
  }

  /** The page shows the step that is being edited. */
  async #edit() {
    this.#go("editing");
    const { step } = this.draft;
    if (step) await this.around.open(`?${step.open}`);
  }

  /** @param {string} word */
  #preview(word) {
    this.#go("preview");
    this.around.open(`?lesson=${word}&step=${Math.max(0, this.draft.chosen) + 1}`);
  }

  #changed() {
    this.#keep();
    this.#refresh();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#look(), PAUSE);
  }

  #keep() {
    keep(KEPT, JSON.stringify({ mode: this.#mode, draft: this.draft }));
  }

  #draw() {
    const { draft } = this;
    const { title, about } = draft.document;
    /** @type {(changes: Partial<Document>, typed: string) => void} */
    const edit = (changes, typed) => draft.replace({ ...draft.document, ...changes }, { typed });
    this.parts.about.replaceChildren(
      textField("title", "Title", title, (text) => edit({ title: text }, "title")),
      textField("about", "What it is about, in a sentence", about, (text) => edit({ about: text }, "about")),
    );
    const { boot, open, controls } = this.around;
    const { show } = this.#query();
    const instrument = boot.tabs.flatMap(({ instruments }) => instruments ?? []).find(({ name }) => name === show);
    const more = { draft, controls, open, knobs: { ...boot.knobs, ...instrument?.knobs }, measures: boot.measures };
    this.parts.step.replaceChildren(
      ...stepFields({ ...more, picture: () => queryText(this.#query()), anew: () => this.#draw() }),
    );
    this.#refresh();
    this.#look();
  }

  /** What follows upon each key: the list of steps, and what can be taken back. */
  #refresh() {
    const { undo, redo } = this.draft.next;
    const { parts, draft } = this;
    parts.undo.disabled = !undo;
    parts.redo.disabled = !redo;
    parts.list.replaceChildren(...draft.document.steps.map((step, k) => row(step, k, k === draft.chosen)));
  }

  /** @param {number} k */
  async #choose(k) {
    this.draft.choose(k);
    await this.#edit();
    this.#focus(`[data-step="${k}"]`);
  }

  /** @type {(k: number, by: number, tool?: string) => void} */
  #move(k, by, tool) {
    const to = this.draft.move(k, by);
    this.#draw();
    this.#focus(tool ? `[data-step="${to}"] ~ [data-do=${tool}]` : `[data-step="${to}"]`);
  }

  /** @param {() => void} change  Of which steps there are. */
  #back(change) {
    change();
    this.#draw();
    this.#focus("[aria-current]");
  }

  /** @param {string} selector */
  #focus(selector) {
    /** @type {HTMLElement | null} */ (this.parts.list.querySelector(selector))?.focus();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const { key, target, altKey, ctrlKey, metaKey, shiftKey } = event;
    if (!(target instanceof HTMLElement)) return;
    const by = { ArrowUp: -1, ArrowDown: 1 }[key];
    if (altKey && by && target.dataset.step) this.#move(Number(target.dataset.step), by);
    else if ((ctrlKey || metaKey) && key.toLowerCase() === "z" && !target.matches(WRITING))
      this.#back(() => (shiftKey ? this.draft.redo() : this.draft.undo()));
    else return;
    event.preventDefault();
    event.stopPropagation(); // the page would take back what was done to its knobs
  }

  /** What the server says of the draft; null: nothing, or it is another one by now. @returns {Promise<Drafted | null>} */
  async #look() {
    clearTimeout(this.#timer);
    const { document } = this.draft;
    const reply = await this.around.server.reply("draft", { serial: 0, lesson: /** @type {any} */ (document) });
    if (document !== this.draft.document) return null;
    if (!reply || reply.error != null) this.#say(reply?.error ?? SILENCE);
    else this.#tell(reply.body);
    return reply && reply.error == null ? reply.body : null;
  }

  /** @param {(drafted: Drafted) => void} then  With a lesson in which nothing is wrong. */
  async #whole(then) {
    this.#tried = true;
    const drafted = await this.#look();
    const [first] = drafted?.problems ?? [];
    if (first?.step != null && first.step !== this.draft.chosen) {
      this.draft.choose(first.step);
      this.#draw();
    }
    if (drafted && first) {
      this.#tell(drafted);
      this.#say(
        first.step == null ? "Not yet: see what is marked." : `Not yet: see what is marked in step ${first.step + 1}.`,
      );
      this.#place(first.field)?.scrollIntoView({ block: "center" });
    } else if (drafted) then(drafted);
  }

  /** What is wrong, where it is. @param {Drafted} drafted */
  #tell({ problems }) {
    for (const node of this.parts.node.querySelectorAll(".put .wrong, .written .wrong")) node.textContent = "";
    for (const { step, field, sentence } of problems) {
      if (!this.#tried && sentence.endsWith("is missing")) continue;
      if (step != null) this.parts.list.children[step]?.classList.add("faulty");
      if (step == null || step === this.draft.chosen) {
        const place = this.#place(field);
        if (place) place.textContent = sentence;
      }
    }
  }

  /** Where a problem of a field is told: there, or where the group is that it is in. @param {string} field */
  #place(field) {
    for (let name = field; name; name = name.slice(0, Math.max(0, name.lastIndexOf(".")))) {
      const place = this.parts.node.querySelector(`[data-field="${CSS.escape(name)}"] > .wrong`);
      if (place) return place;
    }
    return null;
  }

  /** @param {string} sentence */
  #say(sentence) {
    this.parts.said.textContent = sentence;
    this.parts.said.hidden = !sentence;
  }
}
