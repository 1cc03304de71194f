// What another method would make of as many evaluations, said once the hand rests, and taken with one click.
import { button } from "../shared/dom.js";
import { hand } from "../shared/hand.js";
import { hint } from "../shared/hints.js";
import { short } from "../shared/numbers.js";

const REST = 1200; // ms for which nothing is done, after which it is asked for: a knob that is moved costs nothing more
const NEARER = 0.8; // of the present error: what is not as near is not worth a word
const HELP = "Take these settings, of which Undo leads back. Trajectory error on small data, not the paper's FID";

/** @typedef {import("../shared/types.d.ts").Values} Values */
/** @typedef {import("./asked.js").Wanted & { serial: number }} Of */

export class Rivals {
  node = button({ class: "take" }, "Take it");
  /** What is to be said; "": nothing. */
  sentence = "";
  /** @type {import("../shared/messages.d.ts").Rival | null} */
  #best = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #end = () => {};

  /**
   * @param {import("../shared/server.js").Server} server
   * @param {object} parts
   * @param {() => void} parts.told  There is another sentence.
   * @param {(values: Values) => void} parts.take
   */
  constructor(server, { told, take }) {
    this.server = server;
    this.told = told;
    hint(this.node, HELP);
    this.node.addEventListener("click", () => this.#best && take(this.#best.sampling));
  }

  /** Another picture is asked for. */
  drop() {
    clearTimeout(this.#timer);
    this.#end();
    this.#best = null;
    this.sentence = "";
  }

  /**
   * A picture has this error: ask once nothing has been done for a while.
   * @param {Of} asked
   * @param {number} error
   */
  wait(asked, error) {
    this.drop();
    const look = () => {
      const left = REST - hand().rests;
      if (left > 0) this.#timer = setTimeout(look, left);
      else this.#ask(asked, error);
    };
    this.#timer = setTimeout(look, REST);
  }

  /** @type {(asked: Of, error: number) => void} */
  #ask(asked, error) {
    this.#end = this.server.send("rivals", asked, (reply) => {
      const best = reply.error == null ? reply.body.best : null; // a picture's own faults are told with it
      if (!best || best.error > NEARER * error) return;
      this.#best = best;
      const { evaluations, method } = best;
      this.sentence = `At ${evaluations} evaluations ${method} gets ${short(best.error)} where this gets ${short(error)}.`;
      this.told();
    });
  }
}
