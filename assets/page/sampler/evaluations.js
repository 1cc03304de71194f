// NFE, the currency: what N steps of this solver cost, and N for so many evaluations.
import { element } from "../shared/dom.js";
import { hint } from "../shared/hints.js";
import { SILENCE } from "../shared/server.js";

const HELP =
  "NFE: how often the denoiser D is called for each sample, the currency of samplers. Type a number: N becomes the largest that costs no more";

export class Evaluations {
  #count = 0;
  #typing = false;

  /**
   * @param {import("../shared/server.js").Server} server
   * @param {import("./settings.js").Settings} settings
   * @param {(sentence: string) => void} say
   */
  constructor(server, settings, say) {
    this.server = server;
    this.settings = settings;
    this.say = say;
    const attributes = { class: "value", type: "text", inputmode: "numeric", id: "ex-nfe", "data-knob": "nfe" };
    this.value = element("input", attributes);
    const label = element("label", { for: "ex-nfe" }, "NFE");
    const note = element("span", {}, "calls of D a sample");
    this.node = element("div", { class: "knob", "data-row": "nfe" }, label, note, this.value);
    this.value.addEventListener("input", () => {
      this.#typing = true;
    });
    this.value.addEventListener("change", () => this.#afford(this.value.value.trim()));
    hint(this.node, HELP);
  }

  /** @param {number} count  Of the present settings. */
  show(count) {
    this.#count = count;
    if (!this.#typing) this.value.value = String(count);
  }

  /** @param {string} typed */
  async #afford(typed) {
    const values = this.settings.changedValues();
    const evaluations = /** @type {any} */ (typed); // the server refuses what is no number, with a sentence
    const reply = await this.server.reply("steps", { serial: 0, values, evaluations });
    this.#typing = false;
    this.show(this.#count); // until there is another picture
    if (reply == null) this.say(SILENCE);
    else if (reply.error != null) this.say(reply.error);
    else this.settings.set({ steps: reply.body.steps });
  }
}
