// What a control does, in a sentence beside it: where one points, where the keyboard is, where a finger was put.
import { button, element } from "./dom.js";
import { typeset } from "./mathematics.js";

const DELAY = 350; // ms for which one points, so that nothing flickers on the way to something else
const GRACE = 150; // ms in which the pointer may go over to the hint itself
const STAY = 5000; // ms after a touch
const GAP = 8; // pixels

/**
 * Give a control its hint.
 * @param {HTMLElement} node
 * @param {string} text
 */
export function hint(node, text) {
  node.dataset.hint = text;
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
   * @param {(control: string) => (() => void) | null} why  What leads to where a control matters.
   */
  constructor(root, why) {
    this.root = root;
    this.why = why;
    this.node = element("div", { class: "hint-box", id: "ex-hint", role: "tooltip", popover: "manual" });
    root.append(this.node);
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
    if (!node?.isConnected || !node.dataset.hint || !node.getClientRects().length) return;
    this.#of = node;
    this.#described = control ?? (node.matches(CONTROL) ? node : node.querySelector(CONTROL));
    if (this.#described?.hasAttribute("aria-describedby")) this.#described = null; // it is described already
    this.#described?.setAttribute("aria-describedby", this.node.id);
    const group = node.closest("[data-row], [data-choice]");
    const { row, choice } = group instanceof HTMLElement ? group.dataset : {};
    const go = this.why(row ?? choice ?? "");
    const link = go && button({ class: "why" }, "why?");
    link?.addEventListener("click", () => {
      this.hide();
      go?.();
    });
    this.node.replaceChildren(...typeset(node.dataset.hint), ...(link ? [" ", link] : []));
    this.node.showPopover?.();
    this.#place(node);
  }

  /**
   * Right of the group that it stands in, or above or below it; never over it.
   * @param {HTMLElement} node
   */
  #place(node) {
    const { width, height } = this.node.getBoundingClientRect();
    const box = node.getBoundingClientRect();
    const group = (node.closest(GROUP) ?? node).getBoundingClientRect();
    const { innerWidth, innerHeight } = window;
    let [left, top] = [group.right + GAP, box.top + (box.height - height) / 2];
    if (left + width > innerWidth) {
      left = box.left;
      top = box.top - GAP - height;
      if (top < 0) top = box.bottom + GAP;
    }
    this.node.style.left = `${Math.max(GAP, Math.min(left, innerWidth - width - GAP))}px`;
    this.node.style.top = `${Math.max(0, Math.min(top, innerHeight - height))}px`;
  }
}

const CONTROL = "input, select, button, textarea";
const GROUP = "aside, [role=radiogroup], [role=group]";

/**
 * The element with a hint that something is in.
 * @param {EventTarget | null} target
 * @returns {HTMLElement | null}
 */
const hinted = (target) => (target instanceof Element ? target.closest("[data-hint]") : null);
