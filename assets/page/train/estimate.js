// What would be started with the form as it is: how long it takes, or what is wrong with it.
import { button, element } from "../shared/dom.js";
import { hint } from "../shared/hints.js";
import { Latest } from "../shared/latest.js";
import { typeset } from "../shared/mathematics.js";
import { bytes, compact, duration } from "../shared/numbers.js";
import { SILENCE } from "../shared/server.js";
import { Written } from "./written.js";

/** @typedef {import("../shared/messages.d.ts").Allowed} Allowed */
/** @typedef {import("../shared/messages.d.ts").Planned} Planned */

const LEAST = 5e7; // bytes that are worth a word
const AGAIN = [5000, 20_000]; // ms until it is asked once more for what was not known in time

export class Estimate {
  /** The same from a terminal. */
  command = "";
  /** @type {Allowed | null} Whether this visitor may start runs, and why not. */
  #room = null;
  #written = new Written();
  #tries = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {import("../shared/server.js").Server} server
   * @param {object} form
   * @param {() => Record<string, string>} form.text  What is set.
   * @param {Record<string, HTMLElement>} form.rows  Of the fields, for what is said about each.
   * @param {(plan: Planned) => void} form.planned  What counts is known.
   * @param {(changes: Record<string, any>) => void} form.change  Somebody takes what would fit.
   * @param {(serial: number) => void} form.finished
   */
  constructor(server, { text, rows, planned, change, finished }) {
    this.rows = rows;
    this.planned = planned;
    this.change = change;
    this.finished = finished;
    this.words = element("p", {}, "measuring …");
    this.misfit = element("div", { class: "why", hidden: true });
    this.node = element("div", { class: "estimate", "aria-live": "polite" }, this.words, this.misfit);
    /** @type {Latest<"plan">} */
    this.requests = new Latest(server, "plan", {
      build: () => ({ values: text() }),
      show: (reply) => this.#receive(reply),
      silent: () => this.#tell(SILENCE),
    });
  }

  /** Whether it was ever asked for. */
  get asked() {
    return this.requests.serial > 0;
  }

  ask() {
    this.#tries = 0;
    clearTimeout(this.#timer);
    this.requests.ask();
  }

  /**
   * @param {Allowed} room
   * @returns {boolean} Whether that is news.
   */
  enter(room) {
    const same = JSON.stringify(room) === JSON.stringify(this.#room);
    this.#room = room;
    if (!same && room.sentence) this.#tell(room.sentence);
    return !same;
  }

  /** @param {import("../shared/messages.d.ts").Reply<"plan">} reply */
  #receive(reply) {
    const failed = reply.error != null ? { error: reply.error, fields: [] } : "error" in reply.body ? reply.body : null;
    const planned = reply.error == null && !("error" in reply.body) ? reply.body : null;
    const { error = null, fields = [] } = failed ?? {};
    for (const [name, row] of Object.entries(this.rows))
      blame(row, (fields.includes(name) ? error : planned?.notes[name]) ?? null);
    if (error != null) this.#tell(fields.some((name) => name in this.rows) ? "" : error, true);
    if (planned) {
      this.command = planned.command;
      this.planned(planned);
      this.#tell(this.#room?.sentence ?? told(planned, reply.finished));
      hint(this.words, why(planned));
      if (reply.finished && !planned.cost) this.#later();
    }
    if (reply.finished) this.#written.set("misfit", planned?.misfit ?? null, (misfit) => this.#warn(misfit));
    if (reply.finished) this.finished(reply.serial);
  }

  /** It is being measured still, and may be known soon. */
  #later() {
    clearTimeout(this.#timer);
    if (this.#tries < AGAIN.length) this.#timer = setTimeout(() => this.requests.ask(), AGAIN[this.#tries]);
    this.#tries += 1;
  }

  /**
   * @param {string} sentence
   * @param {boolean} [wrong]
   */
  #tell(sentence, wrong = false) {
    this.words.replaceChildren(...typeset(sentence));
    this.words.classList.toggle("wrong", wrong);
  }

  /**
   * That the run will not fit, and what would: a click takes it.
   * @param {Planned["misfit"]} misfit
   */
  #warn(misfit) {
    this.misfit.hidden = !misfit;
    if (!misfit) return;
    const remedies = misfit.remedies.map(({ title, changes }) => {
      const remedy = button({ class: "pin", "data-remedy": title }, title);
      remedy.addEventListener("click", () => this.change(changes));
      return remedy;
    });
    this.misfit.replaceChildren(element("p", {}, misfit.sentence), element("div", {}, ...remedies));
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
  if (said) said.replaceChildren(...typeset(sentence));
  else row.after(element("p", { class: "blame", role: "alert" }, ...typeset(sentence)));
  for (let parent = row.closest("details"); parent; parent = parent.parentElement?.closest("details") ?? null)
    parent.open = true;
}

/**
 * A time that is not known to the second.
 * @param {number} seconds
 */
const roughly = (seconds) => (seconds >= 90 && seconds < 5400 ? `${Math.round(seconds / 60)} min` : duration(seconds));

/**
 * What memory is for: " (activations 8.9, weights 0.2)"; "" where it is for one thing.
 * @param {Record<string, number>} parts
 */
function spent(parts) {
  const told = Object.entries(parts).filter(([, size]) => size >= LEAST);
  return told.length > 1 ? ` (${told.map(([name, size]) => `${name} ${(size / 1e9).toFixed(1)}`).join(", ")})` : "";
}

/**
 * "about 2 min, 0.3 GB, 0.13 M parameters, in fp32", of a run of minutes "2 min: about 24k images, …", which it measures
 * once it runs; before that is known, how many images it is.
 * @param {Planned} plan
 * @param {boolean} finished
 */
function told({ values, cost }, finished) {
  const length = `about ${compact(Number(values.images))} images`;
  const time = values.minutes ? `${values.minutes} min: ${length}` : null;
  if (!cost && finished) return time ?? `${length}; how long they take is seen when it runs`;
  if (!cost) return `${time ?? length}, measuring …`;
  const parameters = `${Number((cost.parameters / 1e6).toPrecision(2))} M parameters`;
  const size = `${bytes(cost.bytes)}${spent(cost.parts)}, ${parameters}, in ${cost.precision}`;
  return `${time ?? `about ${roughly(cost.seconds)}`}, ${size}`;
}

/**
 * Why it computes in that precision; "" where somebody has said so.
 * @param {Planned} plan
 */
const why = ({ cost }) => (cost?.why ? `In ${cost.precision}, ${cost.why}.` : "");
