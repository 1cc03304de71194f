// @ts-nocheck
// Data of one's own: files that are uploaded, or points that are drawn.
import { element } from "../shared/dom.js";
import { Plane } from "../shared/stages/plane.js";

const IMAGES = [".png", ".jpg", ".jpeg", ".webp", ".bmp"];

export class Sources {
  // page: {root, colors()}. added(dataset): it is there now. say(sentence).
  constructor(page, { added, say, describe }) {
    Object.assign(this, { page, added, say });
    const button = (name, help, does) => {
      const node = element("button", { type: "button", "data-action": name }, `${name}…`);
      node.addEventListener("click", does);
      describe(node, help);
      return node;
    };
    const picker = (name, what, accepted) => {
      const node = element("input", {
        type: "file",
        multiple: true,
        hidden: true,
        "data-files": name,
        "aria-label": what,
      });
      node.accept = accepted.join(",");
      node.webkitdirectory = name === "folder";
      node.addEventListener("change", () => {
        const chosen = [...node.files];
        node.value = "";
        const image = (file) => IMAGES.some((suffix) => file.name.toLowerCase().endsWith(suffix));
        this.upload(name === "folder" ? chosen.filter(image) : chosen); // in a folder there may be anything
      });
      return node;
    };
    const files = picker("files", "Files to upload", [".zip", ...IMAGES, ".csv", ".npy"]);
    const folder = picker("folder", "Folder to upload", IMAGES);
    this.uploading = button("upload", "A zip of images, images, or a .csv or .npy file of points", () => files.click());
    this.opening = button(
      "folder",
      "A folder of images, with a folder in it for each class, if there are classes",
      () => folder.click(),
    );
    this.drawing = button("draw", "Draw a distribution in the plane", () => this.draw());
    this.node = element("span", { class: "sources" }, this.uploading, this.opening, this.drawing, files, folder);
  }

  async upload(files) {
    if (!files.length) return this.say(`There is no image in this folder (${IMAGES.join(", ")}); choose another.`);
    this.uploading.disabled = true;
    this.uploading.textContent = "sending …";
    const form = new FormData();
    for (const file of files) form.append("files", file, file.webkitRelativePath || file.name);
    const { name, webkitRelativePath: path } = files[0];
    const title = path ? path.split("/")[0] : files.length === 1 ? name.replace(/\.[^.]*$/, "") : "";
    await this.send(`?title=${encodeURIComponent(title)}`, { body: form });
    this.uploading.disabled = false;
    this.uploading.textContent = "upload…";
  }

  // The server makes a dataset of it, or says why it cannot.
  async send(query, request) {
    let answer;
    try {
      answer = await (
        await fetch(new URL(`explorer-uploads${query}`, document.baseURI), { method: "POST", ...request })
      ).json();
    } catch {
      answer = { sentence: "The upload did not reach the server. Is it still running?" };
    }
    if (!answer.ok) return this.say(answer.sentence);
    const { id, title, shape, thumbnail } = answer.dataset;
    this.added({ name: `own:${id}`, title, shape, thumbnail });
  }

  // A pad of one's own, with the pen of the Sampler tab.
  draw() {
    const canvas = element("canvas", {
      tabindex: 0,
      "aria-label": "Draw: with the mouse or a finger, or arrows to move and space to set points",
    });
    const done = element("button", { type: "button", class: "primary" }, "Use these points");
    const clear = element("button", { type: "button", class: "pin" }, "Clear");
    const dialog = element(
      "dialog",
      { class: "drawing" },
      element("h2", {}, "Draw a distribution"),
      element("div", { class: "pad" }, canvas),
      element("div", { class: "row" }, clear, done),
    );
    this.page.root.append(dialog);
    const paint = () => {
      plane.draw(1, this.page.colors());
      done.disabled = !plane.drawing.length;
    };
    const plane = new Plane(canvas, {
      view: { coordinates: "data" },
      contain: true,
      repaint: paint,
      onDrawn: paint,
      onProbe: () => {},
    });
    plane.result = { levels: [1, 0] };
    plane.drawing = [];
    clear.addEventListener("click", () => {
      plane.drawing = [];
      paint();
    });
    done.addEventListener("click", () => {
      const points = plane.drawing;
      dialog.close();
      this.send("?title=Drawing", {
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ points }),
      });
    });
    dialog.addEventListener("close", () => dialog.remove());
    dialog.showModal();
    paint();
    canvas.focus();
  }
}
