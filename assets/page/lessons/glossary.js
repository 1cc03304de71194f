// The glossary: what every symbol of the page means, for its hints, and as a list of all.
import { button, dialogHead, element } from "../shared/dom.js";
import { meaning } from "../shared/hints.js";
import { found } from "../shared/terms.js";

/** @typedef {import("../shared/messages.d.ts").Symbol} Meaning */

export class Glossary {
  /** @type {Promise<Meaning[]> | null} They are asked for when somebody wants the first. */
  #known = null;

  /**
   * @param {HTMLDialogElement} dialog
   * @param {HTMLDialogElement} lessons  Their list, which leads here.
   * @param {import("../shared/server.js").Server} server
   * @param {import("./lessons.js").Lessons} steps
   */
  constructor(dialog, lessons, server, steps) {
    this.dialog = dialog;
    this.server = server;
    this.steps = steps;
    dialogHead(dialog, "Glossary");
    this.search = element("input", {
      type: "search",
      "aria-label": "Search",
      placeholder: "Search",
      spellcheck: "false",
    });
    this.list = element("div", { class: "meanings" });
    this.none = element("p", { role: "status" });
    dialog.append(this.search, this.none, this.list);
    this.search.addEventListener("input", () => this.#filter());
    const open = button({ class: "plain", "data-glossary": "" }, "Glossary: every symbol in words");
    open.addEventListener("click", () => {
      lessons.close();
      this.open();
    });
    lessons.querySelector("h2")?.after(open);
  }

  /** All that there are; none while the server does not answer. */
  async all() {
    this.#known ??= this.server.reply("glossary", {}).then((reply) => {
      if (reply && reply.error == null) return reply.body.symbols;
      this.#known = null; // whoever asks next asks it again
      return [];
    });
    return this.#known;
  }

  /**
   * What the symbols in a text mean: where one means several things, what it means for this knob, or for no knob all.
   * @param {string} written
   * @param {string} knob
   */
  async meanings(written, knob) {
    return meaningsOf(await this.all(), written, knob);
  }

  /**
   * What leads to the lesson that tries a knob, or in which its symbol matters; null: there is none, or a lesson is on.
   * @param {string} knob
   * @param {Meaning[]} meanings
   */
  why(knob, meanings) {
    const tried = knob && this.steps.why(knob);
    if (tried) return tried;
    const place = meanings.find(({ lesson }) => lesson)?.lesson;
    if (!place || this.steps.place) return null;
    const [name, step] = place.split("/");
    return () => this.steps.go(name, Number(step));
  }

  async open() {
    this.dialog.showModal();
    const all = await this.all();
    if (!all.length) this.none.textContent = "The server does not answer.";
    if (this.list.childElementCount || !all.length) return;
    const parts = all.map((one) => {
      const paragraph = meaning(one);
      const go = this.why("", [one]);
      if (!go) return paragraph;
      const link = button({ class: "why" }, "why?");
      link.addEventListener("click", () => {
        this.dialog.close();
        this.why("", [one])?.();
      });
      paragraph.append(" ", link);
      return paragraph;
    });
    this.list.replaceChildren(...parts);
    this.#filter();
  }

  #filter() {
    const words = plainly(this.search.value);
    let shown = 0;
    for (const node of this.list.children) {
      const is = plainly(node.textContent ?? "").includes(words);
      node.toggleAttribute("hidden", !is);
      shown += Number(is);
    }
    this.none.textContent = shown ? "" : "No symbol is called so, and none is told of so.";
  }
}

/**
 * Without what tells σ_max, σ max and sigma max apart.
 * @param {string} text
 */
const plainly = (text) => text.toLowerCase().replace(/[\s_]+/g, "");

/**
 * See `Glossary.meanings`.
 * @param {Meaning[]} all
 * @param {string} written
 * @param {string} knob
 * @returns {Meaning[]}
 */
export function meaningsOf(all, written, knob) {
  const forms = new Set(found(written).flatMap(([piece, symbol]) => (symbol ? [piece] : [])));
  const named = all.filter(({ symbol, forms: own, of }) =>
    own.length ? own.some((form) => forms.has(form)) : of.includes(knob) || symbol === written,
  );
  const own = named.filter(({ of }) => of.includes(knob));
  if (knob && own.length) return own;
  return knob ? named.filter(({ of }) => !of.length) : named;
}
