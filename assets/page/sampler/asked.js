// One of the tab's pictures: the requests that fill it, and how good what it shows is.
import { Latest } from "../shared/latest.js";
import { SILENCE } from "../shared/server.js";
import { Picture } from "../shared/stages/picture.js";

// ms without a newer picture, after which one is measured: not each of those that pass by while a knob is moved
const REST = 150;
const AGAIN = 1500; // ms before it is asked once more, where the server could not be reached
const MOVES = 700; // ms within which one picture is asked for after the other while a knob is moved

/** @typedef {"ask" | "askPinned"} Event */
/** @typedef {import("../shared/messages.d.ts").Reply<Event>} Reply */
/** @typedef {import("../shared/messages.d.ts").PictureRequest & { values: Record<string, string> }} Wanted */

export class Asked {
  /** @type {import("../shared/messages.d.ts").Measures | null} */
  measures = null;
  /** Of which picture they are. */
  #measured = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} Until it is measured. */
  #rest;
  #asked = Number.NEGATIVE_INFINITY; // when, in ms
  #moving = false;

  /**
   * @param {import("../shared/types.d.ts").Page} page
   * @param {object} parts
   * @param {[Event, "measure" | "measurePinned"]} parts.events  For the picture and for its measures.
   * @param {HTMLCanvasElement} parts.canvas
   * @param {import("../shared/types.d.ts").StageOptions} parts.options
   * @param {() => Wanted} parts.build
   * @param {(serial: number) => void} parts.sent
   * @param {(wanted: Wanted) => void} parts.shown  There is another picture.
   * @param {(serial: number) => void} parts.measured
   * @param {(sentence: string) => void} parts.say
   */
  constructor(page, { events: [event, measuring], canvas, options, build, sent, shown, measured, say }) {
    this.page = page;
    this.picture = new Picture(canvas, options);
    this.shown = shown;
    this.say = say;
    /** @type {Wanted | null} What the latest request asked for. */
    this.wanted = null;
    /** @type {Latest<Event>} */
    this.requests = new Latest(page.server, event, {
      build: () => {
        const now = performance.now();
        this.#moving = now - this.#asked < MOVES;
        this.#asked = now;
        this.wanted = { ...build(), moving: this.#moving };
        return this.wanted;
      },
      sent: (serial) => {
        clearTimeout(this.#rest);
        sent(serial);
      },
      show: (reply) => this.#show(reply),
      silent: () => say(SILENCE),
      rested: ({ serial, finished, error }) => {
        if (!finished || error || !this.wanted) return;
        this.#measure({ ...this.wanted, serial }, this.#moving ? MOVES : REST);
      },
    });
    this.measuring = measuring;
    this.measured = measured;
  }

  /**
   * How good a picture is, unless another one is asked for meanwhile.
   * @param {Wanted & { serial: number }} asked
   * @param {number} wait  ms
   */
  #measure(asked, wait) {
    const latest = () => asked.serial === this.requests.serial;
    /** @param {import("../shared/messages.d.ts").Reply<"measure" | "measurePinned">} reply */
    const hears = (reply) => {
      if (!latest()) return;
      if (reply.error != null) {
        this.say(reply.error);
        return;
      }
      this.measures = reply.body;
      this.#measured = reply.serial;
      this.measured(reply.serial);
    };
    const again = () => latest() && this.#measure(asked, AGAIN);
    clearTimeout(this.#rest);
    this.#rest = setTimeout(() => this.page.server.send(this.measuring, asked, hears, again), wait);
  }

  /** Whether the measures are of an older picture than the one that is shown. */
  get behind() {
    return this.#measured !== this.requests.shown;
  }

  /** @param {Reply} reply */
  #show(reply) {
    const { dataset } = this.page.root;
    if (reply.error != null) {
      this.say(reply.error);
      dataset.asked = dataset.serial;
      return;
    }
    const { serial, body, finished } = reply;
    const model = this.page.boot.models.find(({ name }) => name === body.model);
    this.picture.show(`${serial}${finished}${body.run.index.length}`, body, model);
    if (this.wanted) this.shown(this.wanted);
    dataset.serial = String(serial);
    dataset.finished = String(finished);
  }
}
