// What can be learned: a thumbnail for each dataset, those of one's own last.
import { button, element } from "../shared/dom.js";
import { paintThumbnail } from "../shared/thumbnails.js";

/** @typedef {import("../shared/messages.d.ts").Dataset} Dataset */
/** @typedef {{ button: HTMLButtonElement, canvas: HTMLCanvasElement, dataset: Dataset }} Thumbnail */

const OWN = "own:"; // begins the names of what visitors brought

/** @param {string} name */
export const isOwn = (name) => name.startsWith(OWN);

export class Datasets {
  /** @type {Map<string, Thumbnail>} */
  #thumbnails = new Map();
  /** @type {string | null} */
  #color = null;

  /**
   * @param {Dataset[]} datasets
   * @param {object} binding
   * @param {() => string} binding.get  The chosen one.
   * @param {(name: string) => void} binding.set
   * @param {(refresh: () => void) => void} binding.follow
   */
  constructor(datasets, { get, set, follow }) {
    this.get = get;
    this.set = set;
    const attributes = { class: "thumbs", role: "radiogroup", "aria-label": "Dataset", "data-row": "data" };
    this.node = element("div", attributes);
    for (const dataset of datasets) this.add(dataset);
    follow(() => this.#mark());
  }

  /** @param {string} name */
  titleOf(name) {
    return this.#thumbnails.get(name)?.dataset.title;
  }

  /** @param {Dataset} dataset */
  add(dataset) {
    const { name, title } = dataset;
    if (this.#thumbnails.has(name)) return;
    const canvas = element("canvas", { width: 80, height: 80 });
    const thumb = button({ role: "radio", title, "aria-label": title, "data-dataset": name }, canvas);
    thumb.addEventListener("click", () => this.set(name));
    this.#thumbnails.set(name, { button: thumb, canvas, dataset });
    this.node.append(thumb);
    if (this.#color) paintThumbnail(canvas, dataset, this.#color);
    this.#mark();
  }

  /** One of one's own is gone. @param {string} name */
  remove(name) {
    this.#thumbnails.get(name)?.button.remove();
    this.#thumbnails.delete(name);
  }

  /**
   * All datasets of one's own, as they are now.
   * @param {Dataset[]} datasets
   */
  offer(datasets) {
    const names = datasets.map(({ name }) => name);
    for (const name of [...this.#thumbnails.keys()]) if (isOwn(name) && !names.includes(name)) this.remove(name);
    for (const dataset of datasets) this.add(dataset);
  }

  #mark() {
    const chosen = this.get();
    for (const [name, { button: thumb }] of this.#thumbnails)
      thumb.setAttribute("aria-checked", String(name === chosen));
  }

  /** @param {string} color */
  recolor(color) {
    this.#color = color;
    for (const { canvas, dataset } of this.#thumbnails.values()) paintThumbnail(canvas, dataset, color);
  }
}
