// A picture of ours that is dropped anywhere on the page opens what it shows.
import { carriedBy, MOST_BYTES } from "./carried.js";
import { element } from "./dom.js";
import { SILENCE } from "./server.js";

/** @typedef {import("./messages.d.ts").Address} Address */

/** @param {string} name */
const FOREIGN = (name) => `${name} is no picture of the explorer's: drop a PNG, GIF or SVG that was saved here.`;
/** @param {string} name */
const STRIPPED = (name) =>
  `${name} carries no settings: the explorer has not made it, or a program on its way, such as one for mail, chats or ` +
  "editing, has removed them. Take the file as it was saved.";

export class Dropping {
  /**
   * @param {HTMLElement} root
   * @param {object} parts
   * @param {import("./server.js").Server} parts.server
   * @param {(address: Address) => void} parts.open  What the picture shows.
   * @param {(sentence: string) => void} parts.say
   */
  constructor(root, { server, open, say }) {
    this.server = server;
    this.open = open;
    this.say = say;
    this.hint = element("div", { class: "dropping", hidden: true }, "Drop a picture to open its settings");
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
    };
    window.addEventListener("dragenter", (event) => files(event) && entered(within + 1));
    window.addEventListener("dragleave", (event) => files(event) && entered(Math.max(0, within - 1)));
    window.addEventListener("dragover", (event) => files(event) && event.preventDefault());
    window.addEventListener("drop", (event) => {
      entered(0);
      if (!files(event)) return;
      event.preventDefault(); // the browser would leave the page for the file
      const [file] = event.dataTransfer?.files ?? [];
      if (file) this.take(file);
    });
  }

  /** @param {File} file */
  async take(file) {
    const whole = file.size <= MOST_BYTES;
    const settings = whole ? carriedBy(new Uint8Array(await file.arrayBuffer())) : undefined;
    if (settings == null) {
      this.say((settings === null ? STRIPPED : FOREIGN)(file.name));
      return;
    }
    const reply = await this.server.reply("drop", { settings });
    if (!reply) this.say(SILENCE);
    else if (reply.error != null) this.say(reply.error);
    else this.open(reply.body);
  }
}
