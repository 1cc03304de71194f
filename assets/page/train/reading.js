// "Read my data": what the chosen data say before anything is trained on them, in a dialog; one click fills the form.
import { Chart } from "../shared/chart.js";
import { button, countUp, dialogHead, element } from "../shared/dom.js";
import { hint } from "../shared/hints.js";
import { Latest } from "../shared/latest.js";
import { typeset } from "../shared/mathematics.js";
import { SILENCE } from "../shared/server.js";

/** @typedef {import("../shared/types.d.ts").Colors} Colors */
/** @typedef {import("../shared/messages.d.ts").Reading} Body */
/** @typedef {import("../shared/types.d.ts").Values} Values */

const HELP = "σ_data, σ_min, σ_max and p_train, from the data themselves, before anything is trained";

export class Reading {
  /** @type {HTMLDialogElement | null} While it is open. */
  #dialog = null;
  /** @type {Chart | null} */
  #chart = null;
  /** @type {Body | null} */
  #body = null;
  /** @type {Colors | null} */
  #colors = null;

  /** @type {Values} What was taken, of the data that are chosen. */
  #taken = {};

  /**
   * @param {import("./form.js").Form} form
   * @param {import("../shared/types.d.ts").Page} page
   */
  constructor(form, page) {
    this.form = form;
    this.root = page.root;
    this.button = button({ class: "plain", "data-action": "read" }, "Read my data …");
    this.button.addEventListener("click", () => this.#open());
    hint(this.button, HELP);
    this.node = element("div", { class: "read" }, this.button);
    this.words = element("p", { class: "why", role: "status" });
    this.bar = element("progress", { max: 1, "aria-label": "How much of them is read" });
    this.stage = element("div", { class: "chartbox" });
    this.numbers = element("dl");
    this.sentences = element("ul");
    this.use = button({ class: "primary", "data-action": "take" });
    this.use.addEventListener("click", () => this.#take());
    /** @type {Latest<"reading">} */
    this.requests = new Latest(page.server, "reading", {
      build: () => ({ values: form.text() }),
      show: (reply) => this.#receive(reply),
      silent: () => this.#say(SILENCE),
    });
  }

  /** @param {Colors} colors */
  recolor(colors) {
    this.#colors = colors;
    this.#draw();
  }

  #open() {
    const dialog = element("dialog", { class: "reading" });
    dialogHead(dialog, `Read my data: ${this.form.datasets.titleOf(this.form.value("data")) ?? "data"}`);
    const row = element("div", { class: "row" }, this.use);
    dialog.append(this.bar, this.words, this.numbers, this.stage, this.sentences, row);
    dialog.addEventListener("close", () => {
      this.requests.drop();
      dialog.remove();
      this.#dialog = null;
    });
    this.root.append(dialog);
    this.#dialog = dialog;
    this.#body = null;
    this.#chart = new Chart(this.stage);
    this.stage.replaceChildren(this.#chart.node);
    this.numbers.replaceChildren();
    this.sentences.replaceChildren();
    this.#say(null);
    this.#progress(0);
    dialog.showModal();
    this.requests.ask();
  }

  /** @param {import("../shared/messages.d.ts").Reply<"reading">} reply */
  #receive(reply) {
    if (!this.#dialog) return;
    if (reply.error != null) {
      this.#say(reply.error);
      this.bar.hidden = true;
      return;
    }
    this.#body = reply.body;
    this.#say(null);
    this.#progress(reply.finished ? null : reply.body.share);
    this.#draw();
    const { numbers, sentences } = reply.body;
    this.numbers.replaceChildren(
      ...numbers.map(([symbol, value]) =>
        element("div", {}, element("dt", { html: symbol }), element("dd", {}, value)),
      ),
    );
    this.sentences.replaceChildren(...sentences.map((sentence) => element("li", {}, ...typeset(sentence))));
    if (reply.finished) countUp(this.#dialog, "read");
  }

  #draw() {
    const figure = this.#body?.figure;
    if (this.#dialog && figure && this.#colors) this.#chart?.show({ key: "reading", ...figure }, this.#colors);
  }

  /** @param {number | null} share  Of the work that is done; null: all of it. */
  #progress(share) {
    this.bar.hidden = share == null;
    this.bar.value = share ?? 1;
    const { P_mean, P_std } = this.#body?.values ?? {};
    this.use.disabled = share != null || P_mean == null;
    this.use.replaceChildren(...(P_mean == null ? ["reading …"] : typeset(`Use P_mean = ${P_mean}, P_std = ${P_std}`)));
  }

  /** @param {string | null} sentence */
  #say(sentence) {
    this.words.hidden = !sentence;
    this.words.replaceChildren(...typeset(sentence ?? ""));
  }

  #take() {
    if (!this.#body) return;
    this.#taken = this.#body.values;
    this.form.set(this.#taken);
    this.#dialog?.close();
  }

  /**
   * Changes of the form: with other data, what was taken of these is automatic again, unless it was changed since.
   * @param {Values} changes
   */
  withdrawn(changes) {
    if (!("data" in changes)) return changes;
    const { values } = this.form.store.state;
    const same = Object.keys(this.#taken).filter((name) => values[name] === this.#taken[name]);
    this.#taken = {};
    return { ...Object.fromEntries(same.map((name) => [name, null])), ...changes };
  }
}
