// What is told in a sentence, and goes once its cause is gone.
import { element } from "../shared/dom.js";

/**
 * data: of what was brought or chosen; start: of the form as it was; run: of what was done to one; poll: what keeps the page
 * from learning what is new; opened: of the address; page: of all else.
 * @typedef {"data" | "start" | "run" | "poll" | "opened" | "page"} Cause
 */

export class Notices {
  /** @type {Map<Cause, string>} The last one last. */
  #told = new Map();

  constructor() {
    this.node = element("p", { class: "notice", role: "alert", hidden: true });
  }

  /**
   * @param {Cause} cause
   * @param {string | null} sentence  null: it is gone.
   */
  say(cause, sentence) {
    if (!sentence && !this.#told.has(cause)) return;
    this.#told.delete(cause);
    if (sentence) this.#told.set(cause, sentence);
    const last = [...this.#told.values()].at(-1) ?? "";
    this.node.textContent = last; // which names settings as addresses do
    this.node.hidden = !last;
  }

  /** @param {...Cause} causes  Which are gone. */
  over(...causes) {
    for (const cause of causes) this.say(cause, null);
  }
}
