// What is dropped anywhere on the page, or pasted: a picture of ours opens what it shows, YAML is a lesson, all else is data
// to train on.
import { carriedBy, MOST_BYTES } from "./carried.js";
import { element } from "./dom.js";
import { gathered, given, tableOf } from "./gathered.js";
import { SILENCE } from "./server.js";

/** @typedef {import("./gathered.js").Given} Given */
/** @typedef {import("./messages.d.ts").Address} Address */

/** @param {string} name */
const FOREIGN = (name) =>
  `${name} is no picture of the explorer's: drop a PNG, GIF or SVG that was saved here, or on the Train tab data to ` +
  "train on.";
/** @param {string} name */
const STRIPPED = (name) =>
  `${name} carries no settings: the explorer has not made it, or a program on its way, such as one for mail, chats or ` +
  "editing, has removed them. Take the file as it was saved.";
const DATA = /\.(zip|tar|tgz|tar\.gz|tar\.bz2|tar\.xz|csv|tsv|xlsx|parquet|npy|npz)$/i;
const TEXT = /\.(txt|dat|json)$/i;
const LESSON = /\.ya?ml$/i;
const HEAD = 4096; // bytes in which a table shows

export class Dropping {
  /**
   * @param {HTMLElement} root
   * @param {object} parts
   * @param {import("./server.js").Server} parts.server
   * @param {(address: Address) => void} parts.open  What the picture shows.
   * @param {() => boolean} parts.learning  Whether all that is dropped here is data.
   * @param {(files: Given[]) => void} parts.learn  They are data.
   * @param {(file: File) => void} parts.lesson  It is a lesson.
   * @param {(picture: Given) => void} parts.paste  One of several pictures that are data together.
   * @param {(sentence: string) => void} parts.say
   */
  constructor(root, parts) {
    this.parts = parts;
    this.hint = element("div", { class: "dropping", hidden: true });
    root.append(this.hint);
    let within = 0; // elements that the pointer has entered and not left
    /** @type {(event: DragEvent) => boolean} Whether files are dragged, and nobody else wants them. */
    const files = (event) =>
      Boolean(event.dataTransfer?.types.includes("Files")) &&
      !(event.target instanceof HTMLInputElement && event.target.type === "file");
    /** @param {number} count */
    const entered = (count) => {
      within = count;
      this.hint.hidden = within < 1;
      this.hint.textContent = parts.learning()
        ? "Drop images, a folder, a zip or a table to train on"
        : "Drop a picture to open its settings, or data to train on";
    };
    window.addEventListener("dragenter", (event) => files(event) && entered(within + 1));
    window.addEventListener("dragleave", (event) => files(event) && entered(Math.max(0, within - 1)));
    window.addEventListener("dragover", (event) => files(event) && event.preventDefault());
    window.addEventListener("drop", (event) => {
      entered(0);
      if (!files(event) || !event.dataTransfer) return;
      event.preventDefault(); // the browser would leave the page for the file
      const all = [...event.dataTransfer.files];
      gathered(event.dataTransfer).then(
        (found) => this.take(found),
        () =>
          parts.say(`${all[0]?.name ?? "What was dropped"} cannot be read; choose it with “folder…” on the Train tab.`),
      );
    });
    window.addEventListener("paste", (event) => this.#paste(event));
  }

  /** @param {Given[]} found */
  async take(found) {
    const [first, ...others] = found;
    if (!first) return;
    const alone = !others.length && !first.path.includes("/");
    if (!alone) {
      this.parts.learn(found);
      return;
    }
    if (LESSON.test(first.file.name)) {
      this.parts.lesson(first.file);
      return;
    }
    const settings = await settingsIn(first.file);
    if (settings) await this.#open(settings);
    else if (this.parts.learning() || (await isData(first.file))) this.parts.learn(found);
    else this.parts.say((settings === null ? STRIPPED : FOREIGN)(first.file.name));
  }

  /** @param {string} settings */
  async #open(settings) {
    const { server, say, open } = this.parts;
    const reply = await server.reply("drop", { settings });
    if (!reply) say(SILENCE);
    else if (reply.error != null) say(reply.error);
    else open(reply.body);
  }

  /**
   * Files, a picture, or cells of a table. Text goes where somebody writes.
   * @param {ClipboardEvent} event
   */
  async #paste(event) {
    const { target, clipboardData: carried } = event;
    if (!carried || (target instanceof HTMLElement && target.closest("input, textarea, [contenteditable], dialog")))
      return;
    const text = carried.getData("text/plain");
    const table = text ? tableOf(text) : null; // a spreadsheet puts a picture of its cells beside them
    const files = [...carried.files].map(given);
    if (!table && !files.length) return;
    event.preventDefault();
    const [picture] = files;
    if (table) this.parts.learn([table]);
    else if (files.length > 1 || !picture.file.type.startsWith("image/")) await this.take(files);
    else {
      const settings = await settingsIn(picture.file);
      if (settings) await this.#open(settings);
      else this.parts.paste(picture);
    }
  }
}

/**
 * The settings that a picture of ours carries; null: none; undefined: it is no such picture.
 * @param {File} file
 */
const settingsIn = async (file) =>
  file.size <= MOST_BYTES ? carriedBy(new Uint8Array(await file.arrayBuffer())) : undefined;

/**
 * Whether a file is nothing but data: by its name, or as text whose lines begin with numbers.
 * @param {File} file
 */
async function isData(file) {
  if (DATA.test(file.name)) return true;
  return TEXT.test(file.name) && /^[\s"[{]*[-+]?[\d.]*\d[\s,;]/m.test(await file.slice(0, HEAD).text());
}
