// What one is looking at, in a sheet beside the figure: its axes, what to try, where it is in the paper, and what would be
// wrong to conclude.
import { button, element } from "../shared/dom.js";
import { SILENCE } from "../shared/server.js";
import { explained } from "../shared/terms.js";
import { markdown } from "./markdown.js";

/** @typedef {import("../shared/messages.d.ts").Explained} Explained */

export class Sheets {
  /** @type {HTMLElement | null} The button that has opened it. */
  #opener = null;
  /** @type {Map<string, Explained>} */
  #known = new Map();

  /**
   * @param {HTMLElement} root
   * @param {import("../shared/server.js").Server} server
   */
  constructor(root, server) {
    this.server = server;
    this.title = element("h2", { id: "ex-sheet" });
    const close = button({ class: "close", "aria-label": "Close" }, "×");
    close.addEventListener("click", () => this.#close());
    this.body = element("div", {});
    const attributes = { class: "sheet", role: "dialog", "aria-labelledby": "ex-sheet", tabindex: -1, hidden: true };
    this.node = element("div", attributes, this.title, close, this.body);
    root.append(this.node);
    root.addEventListener("click", ({ target }) => {
      const opener = target instanceof Element ? target.closest("[data-sheet]") : null;
      if (opener === this.#opener && opener) this.#close();
      else if (opener instanceof HTMLElement) this.#open(opener);
    });
    root.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.#opener && !root.querySelector("dialog[open]")) this.#close();
    });
    this.follows = new MutationObserver(() => this.#tell());
    this.leaves = new ResizeObserver(() => this.#opener?.getClientRects().length === 0 && this.#close(false));
  }

  /** @param {HTMLElement} opener */
  #open(opener) {
    this.#close(false);
    this.#opener = opener;
    opener.setAttribute("aria-expanded", "true");
    this.follows.observe(opener, { attributeFilter: ["data-sheet"] });
    this.leaves.observe(opener);
    this.#tell();
  }

  /** @param {boolean} [back]  Whether the keyboard goes to where it was opened. */
  #close(back = true) {
    const opener = this.#opener;
    this.#opener = null;
    this.follows.disconnect();
    this.leaves.disconnect();
    this.node.hidden = true;
    opener?.setAttribute("aria-expanded", "false");
    if (back) opener?.focus();
  }

  async #tell() {
    const opener = this.#opener;
    const name = opener?.dataset.sheet ?? "";
    const known = this.#known.get(name);
    if (known) {
      this.#show(known);
      return;
    }
    const reply = await this.server.reply("sheet", { name });
    if (!opener || this.#opener !== opener || opener.dataset.sheet !== name) return;
    if (reply == null || reply.error != null) {
      this.body.replaceChildren(element("p", {}, reply?.error ?? SILENCE));
      this.node.hidden = false;
      return;
    }
    this.#known.set(name, reply.body);
    this.#show(reply.body);
  }

  /** @param {Explained} sheet */
  #show({ title, axes, tries, paper, mistake }) {
    /** @type {(name: string, ...told: (Node | string)[]) => Node} */
    const part = (name, ...told) => element("div", {}, element("h3", {}, name), ...told);
    this.title.replaceChildren(title);
    this.body.replaceChildren(
      part("What is drawn", ...markdown(axes)),
      part("What to try", ...markdown(tries)),
      part("In the paper", element("p", {}, ...explained(paper))),
      part("What does not follow", ...markdown(mistake)),
    );
    this.node.hidden = false;
    this.node.scrollTop = 0;
    this.node.focus();
  }
}
