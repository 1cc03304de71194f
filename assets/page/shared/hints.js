// What a control does, in a sentence beside it: where one points, where the keyboard is, where a finger was put. Below it
// what its symbol means; of a symbol in a text, that alone.
import { button, element } from "./dom.js";
import { typeset } from "./mathematics.js";

const DELAY = 350; // ms for which one points, so that nothing flickers on the way to something else
const GRACE = 150; // ms in which the pointer may go over to the hint itself
const STAY = 5000; // ms after a touch
const GAP = 8; // pixels

/** @typedef {import("./messages.d.ts").Symbol} Meaning */

/**
 * @typedef {object} Words  What no control has itself.
 * @property {(written: string, knob: string) => Promise<Meaning[]>} meanings  Of the symbols in a text; knob: whose they
 *   are, or "".
 * @property {(knob: string, meanings: Meaning[]) => (() => void) | null} why  What leads to where they matter.
 */

/**
 * Give a control its hint.
 * @param {HTMLElement} node
 * @param {string} text
 * @param {string} [symbol]  Which it has.
 */
export function hint(node, text, symbol) {
  node.dataset.hint = text;
  if (symbol) node.dataset.symbol = symbol;
  node.removeAttribute("title");
}

export class Hints {
  /** @type {HTMLElement | null} Whose hint is shown. */
  #of = null;
  /** @type {Element | null} What it describes, to those who hear it. */
  #described = null;
  /** @type {HTMLElement | null} Which is being used: its hint would cover what that does. */
  #used = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {HTMLElement} root
   * @param {Words} words
   */
  constructor(root, words) {
    this.root = root;
    this.words = words;
    this.node = element("div", { class: "hint-box", id: "ex-hint", role: "tooltip", popover: "manual" });
    root.append(this.node);
    this.node.addEventListener("mousedown", (event) => event.preventDefault()); // the focus stays, and so does the hint
    root.addEventListener("pointerover", (event) => this.#point(event));
    root.addEventListener("pointerout", (event) => this.#leave(event));
    root.addEventListener("focusin", ({ target }) => {
      if (target instanceof HTMLElement && target.matches(":focus-visible")) this.#show(hinted(target), target);
    });
    root.addEventListener("focusout", ({ target }) => hinted(target) === this.#of && this.hide());
    root.addEventListener("input", ({ target }) => this.#use(hinted(target)), true);
    root.addEventListener("pointerdown", ({ target, pointerType }) => this.#press(target, pointerType), true);
    window.addEventListener("keydown", ({ key }) => key === "Escape" && this.hide(), true);
    window.addEventListener("scroll", () => this.hide(), true);
    window.addEventListener("resize", () => this.hide());
  }

  hide() {
    clearTimeout(this.#timer);
    if (!this.#of) return;
    this.#of = null;
    this.#described?.removeAttribute("aria-describedby");
    if (this.node.matches(":popover-open")) this.node.hidePopover();
  }

  /** @param {PointerEvent} event */
  #point({ target, pointerType, buttons }) {
    if (pointerType === "touch" || buttons) return;
    if (target instanceof Node && this.node.contains(target)) {
      clearTimeout(this.#timer);
      return;
    }
    const node = hinted(target);
    if (node !== this.#used) this.#used = null;
    if (!node || node === this.#used) return;
    clearTimeout(this.#timer);
    if (node === this.#of) return;
    this.#timer = setTimeout(() => this.#show(node), this.#of ? GRACE : DELAY);
  }

  /** @param {PointerEvent} event */
  #leave({ pointerType, relatedTarget }) {
    if (pointerType === "touch" || hinted(relatedTarget)) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.hide(), GRACE);
  }

  /**
   * A mouse begins to do something, and what is beside that should be seen; a finger cannot point otherwise.
   * @param {EventTarget | null} target
   * @param {string} pointerType
   */
  #press(target, pointerType) {
    if (target instanceof Node && this.node.contains(target)) return;
    const node = hinted(target);
    this.#use(node);
    if (pointerType !== "touch" || !node) return;
    this.#show(node);
    this.#timer = setTimeout(() => this.hide(), STAY);
  }

  /** @param {HTMLElement | null} node */
  #use(node) {
    this.hide();
    this.#used = node;
  }

  /**
   * @param {HTMLElement | null} node
   * @param {Element | null} [control]
   */
  #show(node, control = null) {
    this.hide();
    if (!node?.isConnected || !node.getClientRects().length) return;
    const { hint: text, term, symbol } = node.dataset;
    if (!text && !term) return;
    this.#of = node;
    this.#described = control ?? (node.matches(CONTROL) ? node : node.querySelector(CONTROL));
    if (this.#described?.hasAttribute("aria-describedby")) this.#described = null; // it is described already
    this.#described?.setAttribute("aria-describedby", this.node.id);
    const group = term ? null : node.closest("[data-row], [data-choice]");
    const { row, choice } = group instanceof HTMLElement ? group.dataset : {};
    const knob = row ?? choice ?? "";
    if (text) this.#say(node, text, knob, []);
    const written = term ?? symbol;
    if (written)
      this.words.meanings(written, knob).then((meanings) => {
        if (this.#of === node && meanings.length) this.#say(node, text, knob, meanings);
      });
  }

  /**
   * @param {HTMLElement} node
   * @param {string | undefined} text
   * @param {string} knob
   * @param {Meaning[]} meanings
   */
  #say(node, text, knob, meanings) {
    const go = this.words.why(knob, meanings);
    const link = go && button({ class: "why" }, "why?");
    link?.addEventListener("click", () => {
      this.hide();
      go?.();
    });
    const told = text ? [element("p", {}, ...typeset(text))] : [];
    this.node.replaceChildren(...told, ...meanings.map(meaning));
    if (link) this.node.lastElementChild?.append(" ", link);
    this.node.showPopover?.();
    this.#place(node);
  }

  /**
   * Right of the group that it stands in, or above or below it, and never over it; of a symbol in a text, so that its
   * line can be read on.
   * @param {HTMLElement} node
   */
  #place(node) {
    this.node.style.left = "0"; // where it was before leaves it less room
    const { width, height } = this.node.getBoundingClientRect();
    const box = node.getBoundingClientRect();
    const group = (node.closest(GROUP) ?? node).getBoundingClientRect();
    const { innerWidth, innerHeight } = window;
    let [left, top] = [group.right + GAP, box.top + (box.height - height) / 2];
    if (left + width > innerWidth || node.dataset.term) {
      left = box.left;
      top = box.top - GAP - height;
      if (top < 0) top = box.bottom + GAP;
    }
    this.node.style.left = `${Math.max(GAP, Math.min(left, innerWidth - width - GAP))}px`;
    this.node.style.top = `${Math.max(0, Math.min(top, innerHeight - height))}px`;
  }
}

const CONTROL = "input, select, button, textarea, dfn";
const GROUP = "aside, [role=radiogroup], [role=group]";

/**
 * The element with a hint that something is in.
 * @param {EventTarget | null} target
 * @returns {HTMLElement | null}
 */
const hinted = (target) => (target instanceof Element ? target.closest("[data-hint], [data-term]") : null);

/**
 * What a symbol means, in a paragraph.
 * @param {Meaning} one
 */
export function meaning({ symbol, say, text, paper }) {
  const aloud = say.toLowerCase() === symbol.toLowerCase() ? "" : ` “${say}”`;
  const name = element("b", {}, ...typeset(symbol));
  return element("p", { class: "meaning" }, name, `${aloud}: `, ...typeset(text), element("em", {}, ` ${paper}.`));
}
