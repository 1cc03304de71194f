// Data of one's own beside the project's: what is brought, what it holds, and its removal.
import { button, element } from "../shared/dom.js";
import { hint } from "../shared/hints.js";
import { isOwn } from "./datasets.js";
import { Sources } from "./sources.js";

/** @typedef {import("../shared/messages.d.ts").Dataset} Dataset */

export class Own {
  #chosen = "";

  /**
   * @param {import("./form.js").Form} form
   * @param {() => import("../shared/types.d.ts").Colors | null} colors
   */
  constructor(form, colors) {
    this.form = form;
    const { page, say } = form.tab;
    this.sources = new Sources({
      server: page.server,
      root: page.root,
      say: (sentence) => say(sentence, "data"),
      colors,
      added: (dataset) => this.#add(dataset),
      forget: async (data) => {
        const { error } = await form.tab.asking.ask("act", { do: "forget", data });
        if (!error) form.datasets.remove(data);
      },
    });
    const remove = button({ class: "plain", "data-action": "forget" }, "Remove");
    hint(remove, "Remove this upload from the server");
    remove.addEventListener("click", () => this.#forget(form.value("data")));
    const about = button({ class: "plain", "data-action": "about" }, "What it holds");
    hint(about, "What this upload holds, and what was left out");
    about.addEventListener("click", () => this.sources.about(form.value("data")));
    this.node = element("div", { class: "own" }, about, remove);
    form.store.follow(() => {
      const data = form.value("data");
      this.node.hidden = !isOwn(data);
      if (data !== this.#chosen && this.#chosen) this.sources.leave();
      this.#chosen = data;
    });
  }

  /**
   * @param {Dataset} dataset
   * @returns {boolean} Whether it is new.
   */
  #add(dataset) {
    const { datasets } = this.form;
    const fresh = datasets.titleOf(dataset.name) == null;
    datasets.add(dataset);
    this.form.set({ data: dataset.name });
    return fresh;
  }

  /** @param {string} data */
  async #forget(data) {
    const { asking, say } = this.form.tab;
    const title = this.form.datasets.titleOf(data) ?? "it";
    if (!(await asking.confirm(`Remove ${title} from the server?`, "Remove it"))) return;
    const { error } = await asking.ask("act", { do: "forget", data });
    say(error, "data");
    if (!error) this.form.drop("data");
  }
}
