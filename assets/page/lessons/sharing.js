// A lesson that is given to others: a short address with its QR code, a link that holds all of it, a file.
import { button, dialogHead, element } from "../shared/dom.js";
import { SILENCE } from "../shared/server.js";
import { copy, download } from "../shared/takeaway.js";

/** @typedef {import("./draft.js").Document} Document */

export class Sharing {
  /**
   * @param {HTMLElement} root
   * @param {import("../shared/server.js").Server} server
   */
  constructor(root, server) {
    this.server = server;
    this.dialog = element("dialog", { class: "share handing" });
    root.append(this.dialog);
    dialogHead(this.dialog, "Share your lesson");
    this.make = button({ class: "primary", "data-do": "shorten" }, "Make a short address");
    this.make.addEventListener("click", () => this.#shorten());
    this.short = area("short", "Short address", "Short enough for the board.");
    this.code = element("img", { alt: "QR code of the short address", width: 264, height: 264 });
    this.said = element("p", { class: "notice-line", role: "status" });
    this.made = element("div", { class: "made" }, this.short.node, this.said, this.code);
    this.full = area(
      "full",
      "Full link",
      "Holds the whole lesson, and opens on any machine that runs the explorer.",
      4,
    );
    this.long = element("p", { class: "wrong", role: "status" });
    const about = "This server keeps the lesson, also when it is started again. Phones open it by the code.";
    this.dialog.append(element("h3", {}, "For the class"), element("p", {}, about), this.make, this.made);
    this.dialog.append(this.full.node, this.long);
  }

  /**
   * @param {Document} document
   * @param {import("../shared/messages.d.ts").Drafted} drafted
   */
  open(document, { word, long }) {
    this.document = document;
    this.full.area.value = `${here()}?lesson=${word}`;
    this.long.textContent = long ?? "";
    this.make.hidden = false;
    this.said.textContent = "";
    this.#showMade(null);
    this.dialog.showModal();
  }

  async #shorten() {
    const lesson = /** @type {any} */ (this.document);
    this.make.disabled = true;
    const reply = await this.server.reply("share", { serial: 0, lesson, page: here() });
    this.make.disabled = false;
    if (lesson !== this.document) return;
    this.said.textContent = !reply ? SILENCE : reply.error != null ? reply.error : (reply.body.sentence ?? "");
    this.#showMade(reply && reply.error == null ? reply.body : null);
  }

  /** @param {import("../shared/messages.d.ts").Shared | null} shared */
  #showMade(shared) {
    this.short.node.hidden = !shared;
    this.code.hidden = !shared?.code;
    if (!shared) return;
    this.make.hidden = true;
    this.short.area.value = shared.address;
    if (shared.code) this.code.src = shared.code;
  }
}

/** @type {(name: string, title: string, about?: string, rows?: number) => { node: HTMLElement, area: HTMLTextAreaElement }} */
function area(name, title, about = "", rows = 1) {
  const text = element("textarea", { readonly: true, rows, "aria-label": title, "data-text": name });
  const copier = button({ "data-copy": name }, "Copy");
  copier.addEventListener("click", () => copy(text, copier));
  const node = element("div", { class: "field" }, element("h3", {}, title), element("p", {}, about), text, copier);
  return { node, area: text };
}

/** This page's address, without what it shows. */
const here = () => new URL(location.pathname, location.href).href;

/** @type {(title: string, text: string) => void} */
export function save(title, text) {
  const name =
    title
      .toLowerCase()
      .match(/[a-z0-9]+/g)
      ?.join("_")
      .slice(0, 40) || "lesson";
  download(new Blob([text], { type: "application/yaml" }), `${name}.yaml`);
}
