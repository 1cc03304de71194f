// Data of one's own: files that are chosen, dropped or pasted, or points that are drawn; and what is done with them.
import { button, element } from "../shared/dom.js";
import { given, titleOf } from "../shared/gathered.js";
import { hint } from "../shared/hints.js";
import { SILENCE } from "../shared/server.js";
import { Brought } from "./brought.js";
import { draw } from "./drawing.js";
import { INTERRUPTED, Sending, Unsent } from "./sending.js";

/** @typedef {import("../shared/gathered.js").Given} Given */
/** @typedef {import("../shared/messages.d.ts").Dataset} Dataset */
/** @typedef {import("../shared/messages.d.ts").Sheet} Sheet */
/** @typedef {import("../shared/types.d.ts").Colors} Colors */

/**
 * Files that are there, as they are read now. made: the set that they have become, if it was not there before.
 * @typedef {{ sending: Sending, options: Record<string, string[]>, made: string | null }} Parcel
 */

const SIZES = ["16", "28", "32", "64", "as they are"];
const [SIZE, KEY] = ["32", "picture-size"];
const IMAGES = ".png .jpg .jpeg .webp .bmp .gif .tif .tiff .avif .jp2 .heic .heif".split(" ");
const ARCHIVES = ".zip .tar .tgz .gz .bz2 .xz".split(" ");
const TABLES = ".csv .tsv .txt .dat .json .xlsx .parquet".split(" ");
const ARRAYS = ".npy .npz .bin .pkl .idx1-ubyte .idx3-ubyte".split(" ");
const ACCEPTED = [...ARCHIVES, ...IMAGES, ...TABLES, ...ARRAYS];
const LIGHT = 1 << 20; // bytes of a file of another kind that is sent nevertheless

export class Sources {
  /** @type {Parcel | null} */
  #parcel = null;
  /** @type {Given[]} Pictures that were pasted one by one. */
  #pasted = [];
  #size = SIZE;

  /**
   * @param {object} form
   * @param {import("../shared/server.js").Server} form.server
   * @param {HTMLElement} form.root  Where a dialog stands.
   * @param {() => Colors | null} form.colors
   * @param {(dataset: Dataset) => boolean} form.added  It is there now; whether it was not before.
   * @param {(name: string) => Promise<unknown>} form.forget  Nobody needs it any more.
   * @param {(sentence: string | null) => void} form.say
   */
  constructor(form) {
    this.form = form;
    this.brought = new Brought({ sizes: SIZES, size: () => this.#size });
    const files = this.#picker("files", "Files to upload", ACCEPTED);
    const folder = this.#picker("folder", "Folder to upload", []);
    const aboutFolders = "A folder of images, with a folder in it for each class, if there are classes";
    const aboutFiles =
      "Images, or a zip or tar of them; arrays of images (.npz, .npy, CIFAR, idx, .parquet); points in the columns of a " +
      "table (.csv, .tsv, .xlsx, .json, .parquet, .npy). Dropping and pasting do, too";
    this.uploading = this.#button("upload", aboutFiles, () => files.click());
    const opening = this.#button("folder", aboutFolders, () => folder.click());
    const drawing = this.#button("draw", "Draw a distribution in the plane", () => {
      draw(form.root, form.colors, (points) => this.#drawn(points));
    });
    this.node = element("span", { class: "sources" }, this.#sizes(), this.uploading, opening, drawing, files, folder);
  }

  /** @type {(name: string, help: string, does: () => void) => HTMLButtonElement} */
  #button(name, help, does) {
    const node = button({ "data-action": name }, `${name}…`);
    node.addEventListener("click", does);
    hint(node, help);
    return node;
  }

  /** Of pictures that are brought. */
  #sizes() {
    const titles = SIZES.map((size) => (size === SIZES[SIZES.length - 1] ? size : `${size} × ${size}`));
    const options = SIZES.map((size, k) => element("option", { value: size, selected: size === SIZE }, titles[k]));
    this.select = element("select", { "aria-label": "Picture size", "data-choice": KEY }, ...options);
    this.select.addEventListener("change", () => {
      const { value } = this.select ?? { value: SIZE };
      if (this.#parcel?.made && this.brought.pictures) this.#again({ resolution: [value] });
      else this.#setSize(value);
    });
    hint(
      this.select,
      "To which size pictures are brought: the middle square of each; or as they are, if they are square",
    );
    return this.select;
  }

  /** @param {string} size */
  #setSize(size) {
    this.#size = size;
    if (this.select) this.select.value = size;
  }

  /** @type {(name: string, what: string, accepted: string[]) => HTMLInputElement} */
  #picker(name, what, accepted) {
    const attributes = { type: "file", multiple: true, hidden: true, "data-files": name, "aria-label": what };
    const node = element("input", attributes);
    node.accept = accepted.join(",");
    node.webkitdirectory = name === "folder";
    node.addEventListener("change", () => {
      const chosen = [...(node.files ?? [])].map(given);
      node.value = "";
      this.bring(chosen);
    });
    return node;
  }

  /**
   * Files that somebody has chosen, dropped or pasted.
   * @param {Given[]} files
   */
  async bring(files) {
    this.#pasted = [];
    this.form.say(null);
    if (!files.length) this.#refuse("There is no file in this folder; choose another.", []);
    else await this.#upload(files.map(light), titleOf(files));
  }

  /**
   * Pictures that come one by one, from the clipboard: together they are a set.
   * @param {Given} picture
   */
  async paste(picture) {
    const number = this.#pasted.length + 1;
    const path = `${String(number).padStart(4, "0")} ${picture.path}`;
    this.#pasted.push({ file: picture.file, path });
    this.form.say(null);
    if (number === 1) this.#refuse("One picture is here. Paste another one: two or more are something to learn.", []);
    else await this.#upload(this.#pasted, "Pasted pictures");
  }

  /**
   * @param {Given[]} files
   * @param {string} title
   */
  async #upload(files, title) {
    this.#parcel?.sending.leaving.abort(); // the server forgets its files at the next ones
    const sending = new Sending(this.form.server, [...files], title);
    const parcel = { sending, options: { resolution: [this.#size] }, made: null };
    this.#parcel = parcel;
    const shown = title || `${files.length.toLocaleString("en")} files`;
    const cancel = () => this.#cancel(parcel);
    this.uploading.disabled = true;
    try {
      await sending.send((sent, all) => this.#mine(parcel) && this.brought.sending(shown, sent, all, cancel));
      await this.#read(parcel, shown);
    } catch (error) {
      this.#fail(parcel, error);
    } finally {
      this.uploading.disabled = false;
    }
  }

  /** @type {(parcel: Parcel, shown: string) => Promise<boolean>} Whether it was taken. */
  async #read(parcel, shown) {
    const cancel = () => this.#cancel(parcel);
    this.brought.reading(shown, 0, 0, cancel);
    const answer = await parcel.sending.read(parcel.options, (done, total) => {
      if (this.#mine(parcel)) this.brought.reading(shown, done, total, cancel);
    });
    if (!this.#mine(parcel)) return false;
    if (!answer.ok) {
      this.#refuse(answer.sentence, answer.offers);
      return false;
    }
    const before = parcel.made;
    const { dataset, sheet } = answer;
    parcel.made = this.form.added(dataset) || before === dataset.name ? dataset.name : null;
    this.#setSize(parcel.options.resolution[0]);
    this.brought.show(parcel.sending.title || dataset.title, sheet, this.#asked(parcel));
    if (before && before !== dataset.name) await this.form.forget(before); // unless a run needs it
    return true;
  }

  /** @param {Parcel | null} parcel */
  #asked(parcel) {
    return { again: (/** @type {Record<string, string[]>} */ options) => this.#again(options, parcel) };
  }

  /**
   * The same files, read with other choices.
   * @param {Record<string, string[]>} options
   * @param {Parcel | null} [parcel]
   */
  async #again(options, parcel = this.#parcel) {
    if (!parcel) return;
    const before = parcel.options;
    parcel.options = { ...before, ...options };
    try {
      if (!(await this.#read(parcel, parcel.sending.title || "it"))) parcel.options = before;
    } catch (error) {
      this.#fail(parcel, error);
    }
  }

  /** @param {Parcel} parcel */
  #mine(parcel) {
    return this.#parcel === parcel;
  }

  /** @param {Parcel} parcel */
  #cancel(parcel) {
    parcel.sending.cancel();
    if (!this.#mine(parcel)) return;
    this.#parcel = null;
    this.brought.close();
  }

  /** @type {(parcel: Parcel, error: unknown) => void} */
  #fail(parcel, error) {
    if (!(error instanceof Unsent)) throw error;
    if (this.#mine(parcel) && error.message) this.#refuse(error.message, []);
  }

  /** @type {(sentence: string, offers: import("../shared/messages.d.ts").Offer[]) => void} */
  #refuse(sentence, offers) {
    this.brought.refused(sentence, offers, this.#asked(this.#parcel));
  }

  /** Other data are chosen: what was refused matters no more, and what a set holds only while it is the chosen one. */
  leave() {
    if (this.brought.busy) return;
    this.brought.close();
  }

  /**
   * What a set of one's own holds.
   * @param {string} name
   */
  async about(name) {
    const answer = await this.#ask(`/${name.replace("own:", "")}`, {});
    if (answer.ok) this.brought.show(answer.dataset.title, answer.sheet, null);
    else this.#refuse(answer.sentence, []);
  }

  /** @param {[number, number][]} points */
  async #drawn(points) {
    this.#pasted = [];
    const headers = { "Content-Type": "application/json" };
    const answer = await this.#ask("?title=Drawing", { method: "POST", headers, body: JSON.stringify({ points }) });
    if (!answer.ok) {
      this.#refuse(answer.sentence, []);
      return;
    }
    const { id, title, shape, thumbnail } = answer.dataset;
    this.form.added({ name: `own:${id}`, title, shape, thumbnail });
  }

  /** @type {(address: string, request: RequestInit) => Promise<any>} */
  #ask(address, request) {
    const lost = async () => ({ ok: false, sentence: (await this.form.server.there()) ? INTERRUPTED : SILENCE });
    const sent = fetch(new URL(`explorer-uploads${address}`, document.baseURI), request);
    return sent.then((response) => response.json()).catch(lost);
  }
}

/**
 * A large file of a kind that is not read, such as a film in a folder of pictures, is told by its name alone.
 * @param {Given} one
 * @returns {Given}
 */
function light({ file, path }) {
  const [, ending] = /(\.[^./]*)$/.exec(path.toLowerCase()) ?? [];
  const strange = ending != null && !/^\.\d+$/.test(ending) && !ACCEPTED.includes(ending);
  return { file: strange && file.size > LIGHT ? new File([], file.name) : file, path };
}
