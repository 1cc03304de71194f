// What somebody brings, on the stage: how far it is on its way, what it is, what was left out, and what could be chosen.
import { button, element } from "../shared/dom.js";
import { typeset } from "../shared/mathematics.js";
import { bytes } from "../shared/numbers.js";
import { contactSheet, Scatter } from "./contact.js";

/** @typedef {import("../shared/messages.d.ts").Sheet} Sheet */
/** @typedef {import("../shared/messages.d.ts").Offer} Offer */
/** @typedef {import("../shared/types.d.ts").Colors} Colors */

/**
 * What its buttons do.
 * @typedef {{ again: (options: Record<string, string[]>) => void }} Asked
 */

export class Brought {
  /** @type {Scatter | null} */
  #scatter = null;
  /** @type {Colors | null} */
  #colors = null;

  /** @param {{ sizes: string[], size: () => string }} sizes  Of pictures: all, and the chosen one. */
  constructor(sizes) {
    this.sizes = sizes;
    this.node = element("div", { class: "brought", role: "region", "aria-label": "Your data", hidden: true });
    new ResizeObserver(() => this.#paint()).observe(this.node);
  }

  /** Something is on its way. */
  get busy() {
    return ["sending", "reading"].includes(this.node.dataset.upload ?? "");
  }

  /** Pictures are shown. */
  get pictures() {
    return this.node.dataset.upload === "done" && !this.#scatter;
  }

  /** Nothing is shown. */
  close() {
    this.#scatter = null;
    this.node.hidden = true;
    this.node.replaceChildren();
    delete this.node.dataset.upload;
  }

  /**
   * It is on its way, in bytes.
   * @type {(title: string, sent: number, all: number, cancel: () => void) => void}
   */
  sending(title, sent, all, cancel) {
    const words = all ? `${bytes(sent)} of ${bytes(all)}` : "looking at it …";
    this.#busy("sending", `Sending ${title}`, all ? sent / all : null, words, cancel);
  }

  /**
   * It is being read, picture by picture; total: 0 before that is known.
   * @type {(title: string, done: number, total: number, cancel: () => void) => void}
   */
  reading(title, done, total, cancel) {
    const words = total ? `${done.toLocaleString("en")} of ${total.toLocaleString("en")} pictures` : "looking at it …";
    this.#busy("reading", `Reading ${title}`, total ? done / total : null, words, cancel);
  }

  /** @type {(state: string, title: string, share: number | null, words: string, cancel: () => void) => void} */
  #busy(state, title, share, words, cancel) {
    if (this.node.dataset.upload !== state) {
      this.bar = element("progress", { max: 1, "aria-label": title });
      this.words = element("span", { class: "words" });
      const stop = button({ class: "plain", "data-action": "cancel" }, "Cancel");
      stop.addEventListener("click", cancel);
      this.#show(state, element("h2", {}, element("bdi", {}, title)), this.bar, this.words, stop);
    }
    if (this.bar && share != null) this.bar.value = share;
    else this.bar?.removeAttribute("value");
    if (this.words) this.words.textContent = words;
  }

  /**
   * It was not taken.
   * @type {(sentence: string, offers: Offer[], asked: Asked) => void}
   */
  refused(sentence, offers, asked) {
    const text = element("p", { class: "wrong", role: "alert" }, sentence);
    this.#show("refused", text, this.#offers(offers, asked), this.#closer());
  }

  /**
   * What it is.
   * @type {(title: string, sheet: Sheet, asked: Asked | null) => void}
   */
  show(title, sheet, asked) {
    this.#scatter = sheet.points ? new Scatter(sheet) : null;
    const head = element("h2", {}, element("bdi", {}, title), " ", element("small", {}, told(sheet)));
    const seen = this.#scatter?.node ?? (sheet.pictures ? contactSheet(sheet) : null);
    const about = element("div", { class: "about" }, ...this.#about(sheet, asked));
    this.#show("done", head, this.#closer(), element("div", { class: "holds" }, seen, about));
    this.#paint();
  }

  /** @type {(sheet: Sheet, asked: Asked | null) => (Node | null)[]} */
  #about(sheet, asked) {
    const notes = sheet.notes.map((note) => element("p", {}, ...typeset(note)));
    const left = sheet.omitted + sheet.hidden ? leftOut(sheet) : null;
    return [
      this.#scatter?.labels ?? null,
      ...notes,
      left,
      asked && sheet.pictures ? this.#size(asked) : null,
      asked && this.#offers(sheet.offers, asked),
    ];
  }

  /** Other sizes of pictures, read again. @param {Asked} asked */
  #size({ again }) {
    const choices = this.sizes.sizes.map((size) => {
      const choice = button(
        { role: "radio", "data-size": size, "aria-checked": String(size === this.sizes.size()) },
        size,
      );
      choice.addEventListener("click", () => again({ resolution: [size] }));
      return choice;
    });
    const seg = element("div", { class: "seg", role: "radiogroup", "aria-label": "Picture size" }, ...choices);
    return element("div", { class: "size" }, element("span", {}, "Picture size"), seg);
  }

  /** @type {(offers: Offer[], asked: Asked) => HTMLElement | null} */
  #offers(offers, { again }) {
    if (!offers.length) return null;
    const buttons = offers.map(({ name, given, text }) => {
      const choice = button({ class: "pin", "data-offer": name }, text);
      choice.addEventListener("click", () => again({ [name]: given }));
      return choice;
    });
    return element("div", { class: "offers" }, ...buttons);
  }

  #closer() {
    const close = button({ class: "close", "aria-label": "Close" }, "×");
    close.addEventListener("click", () => this.close());
    return close;
  }

  /** @type {(state: string, ...parts: (Node | null)[]) => void} */
  #show(state, ...parts) {
    const there = this.node.dataset.upload;
    this.node.dataset.upload = state;
    this.node.replaceChildren(...parts.filter((part) => part != null));
    this.node.hidden = false;
    if (!there) this.node.scrollIntoView({ block: "nearest" });
  }

  /** @param {Colors} colors */
  recolor(colors) {
    this.#colors = colors;
    this.#paint();
  }

  #paint() {
    if (this.#scatter && this.#colors && this.#scatter.canvas.isConnected) this.#scatter.draw(this.#colors);
  }
}

/**
 * "6 pictures of 32 × 32, in 2 classes".
 * @param {Sheet} sheet
 */
function told({ count, shape, classes, held_out: held, points }) {
  const many = count.toLocaleString("en");
  const [channels, height, width] = shape;
  const what = points
    ? `${many} points ${shape[0] === 1 ? "on a line" : "in the plane"}`
    : `${many} pictures of ${width} × ${height}${channels === 1 ? ", grey" : ""}`;
  const grouped = classes ? `, in ${classes.toLocaleString("en")} classes` : "";
  return `${what}${grouped}${held ? `; ${held.toLocaleString("en")} are held out` : ""}`;
}

/** @param {Sheet} sheet */
function leftOut({ left_out: first, omitted, hidden, count }) {
  const rows = first.map(({ name, reason }) => element("li", {}, element("b", {}, name), ` ${reason}`));
  const more = omitted - first.length;
  if (more > 0) rows.push(element("li", {}, `and ${more.toLocaleString("en")} more`));
  if (hidden) rows.push(element("li", {}, `${hidden.toLocaleString("en")} hidden, such as what macOS adds to a zip`));
  const words = `Left out: ${(omitted + hidden).toLocaleString("en")}`;
  const attributes = { class: "left-out", open: (omitted > 0 && omitted < 4) || omitted > count };
  return element("details", attributes, element("summary", {}, words), element("ul", {}, ...rows));
}
