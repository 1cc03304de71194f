// Data of one's own: files that are uploaded, or points that are drawn.
import { button, element } from "../shared/dom.js";
import { hint } from "../shared/hints.js";
import { SILENCE } from "../shared/server.js";
import { Pad } from "../shared/stages/pad.js";

/** @typedef {import("../shared/messages.d.ts").Dataset} Dataset */

const INTERRUPTED = "The upload was interrupted; send it again.";
const IMAGES = [".png", ".jpg", ".jpeg", ".webp", ".bmp"];

export class Sources {
  /**
   * @param {object} form
   * @param {import("../shared/server.js").Server} form.server
   * @param {HTMLElement} form.root  Where a dialog stands.
   * @param {() => import("../shared/types.d.ts").Colors | null} form.colors
   * @param {(dataset: Dataset) => void} form.added  It is there now.
   * @param {(sentence: string) => void} form.say
   */
  constructor(form) {
    this.form = form;
    const files = this.#picker("files", "Files to upload", [".zip", ...IMAGES, ".csv", ".npy"]);
    const folder = this.#picker("folder", "Folder to upload", IMAGES);
    const aboutFolders = "A folder of images, with a folder in it for each class, if there are classes";
    const aboutFiles = "A zip of images, images, or a .csv or .npy file of points";
    this.uploading = this.#button("upload", aboutFiles, () => files.click());
    const opening = this.#button("folder", aboutFolders, () => folder.click());
    const drawing = this.#button("draw", "Draw a distribution in the plane", () => this.#draw());
    this.node = element("span", { class: "sources" }, this.uploading, opening, drawing, files, folder);
  }

  /** @type {(name: string, help: string, does: () => void) => HTMLButtonElement} */
  #button(name, help, does) {
    const node = button({ "data-action": name }, `${name}…`);
    node.addEventListener("click", does);
    hint(node, help);
    return node;
  }

  /** @type {(name: string, what: string, accepted: string[]) => HTMLInputElement} */
  #picker(name, what, accepted) {
    const attributes = { type: "file", multiple: true, hidden: true, "data-files": name, "aria-label": what };
    const node = element("input", attributes);
    node.accept = accepted.join(",");
    node.webkitdirectory = name === "folder";
    node.addEventListener("change", () => {
      const chosen = [...(node.files ?? [])];
      node.value = "";
      /** @param {File} file */
      const image = (file) => IMAGES.some((suffix) => file.name.toLowerCase().endsWith(suffix));
      this.#upload(name === "folder" ? chosen.filter(image) : chosen); // in a folder there may be anything
    });
    return node;
  }

  /** @param {File[]} files */
  async #upload(files) {
    if (!files.length) {
      this.form.say(`There is no image in this folder (${IMAGES.join(", ")}); choose another.`);
      return;
    }
    this.uploading.disabled = true;
    this.uploading.textContent = "sending …";
    const body = new FormData();
    for (const file of files) body.append("files", file, file.webkitRelativePath || file.name);
    const { name, webkitRelativePath: path } = files[0];
    const title = path ? path.split("/")[0] : files.length === 1 ? name.replace(/\.[^.]*$/, "") : "";
    try {
      await this.#send(`?title=${encodeURIComponent(title)}`, { body });
    } finally {
      this.uploading.disabled = false;
      this.uploading.textContent = "upload…";
    }
  }

  /**
   * The server makes a dataset of it, or says why it cannot.
   * @param {string} query
   * @param {RequestInit} request
   */
  async #send(query, request) {
    const address = new URL(`explorer-uploads${query}`, document.baseURI);
    const lost = async () => ({ ok: false, sentence: (await this.form.server.there()) ? INTERRUPTED : SILENCE });
    const sent = fetch(address, { method: "POST", ...request });
    const answer = await sent.then((response) => response.json()).catch(lost);
    if (!answer.ok) {
      this.form.say(answer.sentence);
      return;
    }
    const { id, title, shape, thumbnail } = answer.dataset;
    this.form.added({ name: `own:${id}`, title, shape, thumbnail });
  }

  /** On a pad in a dialog. */
  #draw() {
    const canvas = element("canvas", {
      tabindex: 0,
      "aria-label": "Draw: with the mouse or a finger, or arrows to move and space to set points",
    });
    const done = button({ class: "primary" }, "Use these points");
    const clear = button({ class: "pin" }, "Clear");
    const dialog = element(
      "dialog",
      { class: "drawing" },
      element("h2", {}, "Draw a distribution"),
      element("div", { class: "pad" }, canvas),
      element("div", { class: "row" }, clear, done),
    );
    this.form.root.append(dialog);
    const paint = () => {
      const colors = this.form.colors();
      if (colors) pad.draw(colors);
      done.disabled = !pad.points.length;
    };
    const pad = new Pad(canvas, { points: [], repaint: paint, onDrawn: paint });
    clear.addEventListener("click", () => {
      pad.points = [];
      paint();
    });
    done.addEventListener("click", () => {
      dialog.close();
      const body = JSON.stringify({ points: pad.points });
      this.#send("?title=Drawing", { headers: { "Content-Type": "application/json" }, body });
    });
    dialog.addEventListener("close", () => dialog.remove());
    dialog.showModal();
    paint();
    canvas.focus();
  }
}
