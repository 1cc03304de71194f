// Undo and redo: by Ctrl+Z and Ctrl+Shift+Z, or by two buttons, which touch reaches; what that has changed is said.
import { plain, typeset } from "./mathematics.js";

const SECONDS = 3; // for which it is said
const TEXT = "textarea, [contenteditable], input:not([type=range], [type=checkbox], [type=radio], [type=file])";

/** @typedef {import("./past.js").Past} Past */

export class Undoing {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {object} parts
   * @param {HTMLButtonElement} parts.undo
   * @param {HTMLButtonElement} parts.redo
   * @param {HTMLElement} parts.said
   * @param {() => Past | null} past  Of what is shown.
   */
  constructor({ undo, redo, said }, past) {
    this.buttons = { undo, redo };
    this.said = said;
    this.past = past;
    undo.addEventListener("click", () => this.#go("undo"));
    redo.addEventListener("click", () => this.#go("redo"));
    document.addEventListener("keydown", (event) => this.#key(event));
  }

  /** Something was changed, or something else is shown. */
  refresh() {
    const next = this.past()?.next ?? { undo: null, redo: null };
    for (const [name, title] of /** @type {["undo" | "redo", string][]} */ ([
      ["undo", "Undo"],
      ["redo", "Redo"],
    ])) {
      const { [name]: node } = this.buttons;
      node.hidden = !next.undo && !next.redo;
      node.disabled = !next[name];
      node.title = next[name] ? `${title} ${plain(next[name])}` : title;
      node.setAttribute("aria-label", node.title);
    }
  }

  /** @param {"undo" | "redo"} what */
  #go(what) {
    const changed = this.past()?.[what]();
    this.refresh();
    this.#say(changed ? `${what === "undo" ? "Undo" : "Redo"}: ${changed}` : `Nothing to ${what} here`);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const { key, target, ctrlKey, metaKey, altKey, shiftKey } = event;
    const letter = key.toLowerCase();
    if (!(ctrlKey || metaKey) || altKey || !["z", "y"].includes(letter)) return;
    if (target instanceof Element && (target.closest(TEXT) || target.closest("dialog"))) return;
    event.preventDefault();
    this.#go(shiftKey || letter === "y" ? "redo" : "undo");
  }

  /** @param {string} sentence */
  #say(sentence) {
    this.said.replaceChildren(...typeset(sentence));
    this.said.hidden = false;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.said.hidden = true;
    }, 1000 * SECONDS);
  }
}
