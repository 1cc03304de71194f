// "Best levels": the server looks for the noise levels with which these settings come nearest to the exact solution.
import { button } from "../shared/dom.js";
import { hint } from "../shared/hints.js";
import { short } from "../shared/numbers.js";
import { SILENCE } from "../shared/server.js";

const NAME = "best levels";
const HELP =
  "The N levels with which this solver comes nearest to the exact solution for this model, found by trying; a change of any knob, or another press, ends it";

/** @typedef {import("../shared/messages.d.ts").Reply<"levels">} Reply */

export class BestLevels {
  node = button({ class: "best" }, NAME);
  /** @type {() => void} Ends what is under way. */
  #end = () => {};
  #serial = 0;
  #searching = false;

  /**
   * @param {import("../shared/server.js").Server} server
   * @param {object} parts
   * @param {() => Record<string, string>} parts.values
   * @param {(sigmas: number[] | null, error?: number | null) => void} parts.preview  The best so far, without the
   *   final 0, and their error; null: none any more.
   * @param {(sigmas: number[], sentence: string) => void} parts.found
   * @param {(sentence: string) => void} parts.say
   */
  constructor(server, { values, preview, found, say }) {
    this.server = server;
    this.values = values;
    this.preview = preview;
    this.found = found;
    this.say = say;
    hint(this.node, HELP);
    this.node.addEventListener("click", () => (this.#searching ? this.stop() : this.#search()));
  }

  /** Whether it is known that there are none to be found; the server says why. @param {boolean} idle */
  set idle(idle) {
    this.node.classList.toggle("idle", idle);
  }

  #search() {
    this.#searching = true;
    this.#serial += 1;
    this.#tell(0);
    const asked = { serial: this.#serial, values: this.values() };
    const lost = () => {
      this.stop();
      this.say(SILENCE);
    };
    this.#end = this.server.send("levels", asked, (reply) => this.#hear(reply), lost);
  }

  stop() {
    if (!this.#searching) return;
    this.#end();
    this.#searching = false;
    this.node.replaceChildren(NAME);
    this.node.style.removeProperty("--share");
    this.node.removeAttribute("aria-pressed");
    this.preview(null);
  }

  /** @param {number} share */
  #tell(share) {
    const percent = Math.floor(100 * share);
    this.node.replaceChildren(`${percent} % · stop`);
    this.node.style.setProperty("--share", `${percent}%`);
    this.node.setAttribute("aria-pressed", "true");
  }

  /** @param {Reply} reply */
  #hear(reply) {
    if (!this.#searching) return;
    if (reply.error != null) {
      this.stop();
      this.say(reply.error);
      return;
    }
    const { share, sigmas, error, found } = reply.body;
    if (!found) {
      this.#tell(share);
      this.preview(sigmas, error);
      return;
    }
    this.stop();
    const before = found.before == null ? "without bounds" : short(found.before);
    this.found(sigmas, `Error ${short(found.elsewhere)} with these levels (on other samples), ${before} before.`);
  }
}
