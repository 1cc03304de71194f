// What would be started with the form as it is: how long it takes, or what is wrong with it.
import { element } from "../shared/dom.js";
import { Latest, SILENCE } from "../shared/latest.js";
import { bytes, compact, duration } from "../shared/numbers.js";

/** @typedef {import("../shared/types.d.ts").Values} Values */
/** @typedef {{ starting: boolean, sentence?: string }} Room  Whether this visitor may start runs, and why not. */
/** @typedef {{ seconds: number, bytes: number, parameters: number }} Cost */
/**
 * error: why it cannot be started; fields: which of them are at fault. notes: of fields that change nothing.
 * @typedef {object} Plan
 * @property {string} [error]
 * @property {string[]} [fields]
 * @property {Values} values
 * @property {string} command
 * @property {Cost | null} cost
 * @property {Record<string, string>} [notes]
 */

export class Estimate {
  /** The same from a terminal. */
  command = "";
  /** @type {Room | null} */
  #room = null;

  /**
   * @param {import("../shared/server.js").Server} server
   * @param {object} form
   * @param {() => Record<string, string>} form.text  What is set.
   * @param {Record<string, HTMLElement>} form.rows  Of the fields, for what is said about each.
   * @param {(plan: Plan) => void} form.planned  What counts is known.
   * @param {(serial: number) => void} form.finished
   */
  constructor(server, { text, rows, planned, finished }) {
    this.rows = rows;
    this.planned = planned;
    this.finished = finished;
    this.node = element("p", { class: "estimate", "aria-live": "polite" });
    /** @type {Latest<{ values: Record<string, string> }, Plan>} */
    this.requests = new Latest(server, "plan", {
      build: () => ({ values: text() }),
      show: (answer) => this.#receive(answer),
      silent: () => this.#tell(SILENCE),
    });
  }

  /** Whether it was ever asked for. */
  get asked() {
    return this.requests.serial > 0;
  }

  ask() {
    this.requests.ask();
  }

  /**
   * @param {Room} room
   * @returns {boolean} Whether that is news.
   */
  enter(room) {
    const same = JSON.stringify(room) === JSON.stringify(this.#room);
    this.#room = room;
    if (!same && room.sentence) this.#tell(room.sentence);
    return !same;
  }

  /** @param {import("../shared/types.d.ts").Answer<Plan>} answer */
  #receive(answer) {
    const plan = answer.body;
    const { fields = [], notes = {} } = plan ?? {};
    const error = answer.error ?? plan?.error;
    for (const [name, row] of Object.entries(this.rows))
      blame(row, (fields.includes(name) ? error : notes[name]) ?? null);
    if (error) this.#tell(fields.some((name) => name in this.rows) ? "" : error, true);
    else {
      this.command = plan.command;
      this.planned(plan);
      this.#tell(this.#room?.sentence ?? told(plan));
    }
    if (answer.finished) this.finished(answer.serial);
  }

  /**
   * @param {string} sentence
   * @param {boolean} [wrong]
   */
  #tell(sentence, wrong = false) {
    this.node.textContent = sentence;
    this.node.classList.toggle("wrong", wrong);
  }
}

/**
 * A sentence under the knob that it is about; null: there is none.
 * @param {HTMLElement} row
 * @param {string | null} sentence
 */
function blame(row, sentence) {
  const next = row.nextElementSibling;
  const said = next?.classList.contains("blame") ? next : null;
  row.classList.toggle("wrong", sentence != null);
  if (!sentence) {
    said?.remove();
    return;
  }
  if (said) said.textContent = sentence;
  else row.after(element("p", { class: "blame", role: "alert" }, sentence));
  for (let parent = row.closest("details"); parent; parent = parent.parentElement?.closest("details") ?? null)
    parent.open = true;
}

/**
 * A time that is not known to the second.
 * @param {number} seconds
 */
const roughly = (seconds) => (seconds >= 90 && seconds < 5400 ? `${Math.round(seconds / 60)} min` : duration(seconds));

/**
 * "about 2 min, 0.3 GB, 0.13 M parameters".
 * @param {Plan} plan
 */
function told({ values, cost }) {
  if (!cost) return `about ${compact(values.images)} images …`;
  const parameters = `${Number((cost.parameters / 1e6).toPrecision(2))} M parameters`;
  return `about ${roughly(cost.seconds)}, ${bytes(cost.bytes)}, ${parameters}`;
}
