// One instrument: what the server answers, a sentence about it, and what can be taken away from it. How it is drawn is
// each kind's own.
import { csv } from "../shared/chart.js";
import { button, countUp, element } from "../shared/dom.js";
import { Frames } from "../shared/frames.js";
import { Latest } from "../shared/latest.js";
import { looking } from "../shared/looking.js";
import { SILENCE } from "../shared/server.js";
import { download, pngWithText } from "../shared/takeaway.js";
import { explained } from "../shared/terms.js";
import { tell } from "./noticed.js";

/** @typedef {import("../shared/messages.d.ts").FigureRequest} FigureRequest */
/** @typedef {import("../shared/messages.d.ts").Drawing} Drawing */
/** @typedef {"loss" | "oracle" | "lanes"} Event  Of instruments there are more, which are asked alike. */

/** @template {Drawing} [Drawn=Drawing] */
export class Instrument {
  /** @type {Drawn | null} */
  body = null;
  /** @type {string | null} What was left out of the link: until something changes. */
  ofLink = null;
  /** @type {Frames | null} Of those that are painted. */
  frames = null;
  shown = false;
  busy = false;

  /**
   * @param {import("../shared/types.d.ts").Instrument} declared
   * @param {import("./workbench.js").Workbench} bench  Which knows the values.
   */
  constructor(declared, bench) {
    this.declared = declared;
    this.bench = bench;
    this.colors = bench.colors;
    const { name, title, question, streams } = declared;
    const event = /** @type {Event} */ (name);
    /** @type {Latest<Event>} */
    this.requests = new Latest(bench.page.server, event, {
      build: () => this.request(),
      show: (reply) => this.receive(reply),
      silent: () => this.say(SILENCE),
    });
    this.stage = element("div", { class: "figure" });
    this.notice = element("p", { class: "notice", role: "alert", hidden: true });
    this.halt = button({ class: "pin", "data-action": "halt" });
    this.halt.addEventListener("click", () => this.press());
    this.state = element("span", { class: "state" });
    this.summary = element("p", { class: "summary", "aria-live": "polite" });
    this.noticed = element("p", { class: "noticed", hidden: true });
    this.heading = element("div", { class: "heading" }, element("h2", {}, title), element("p", {}, question));
    this.heading.append(looking(name));
    const foot = element("div", { class: "foot" }, this.summary, element("div", {}, this.state, this.halt));
    const attributes = { class: "instrument", "data-show": name, "data-streams": String(streams) };
    this.node = element("div", attributes, this.heading, this.stage, this.notice, this.noticed, foot);
    this.mark(false);
  }

  get store() {
    return this.bench.storeOf(this.declared.name);
  }

  get values() {
    return this.store.state;
  }

  /**
   * Change values as a knob does.
   * @param {import("../shared/types.d.ts").Values} changes
   */
  set(changes) {
    this.bench.set(changes);
  }

  /** @returns {FigureRequest} */
  request() {
    return { values: this.bench.changedValues(this.declared.name), yours: this.bench.page.yours() };
  }

  /**
   * Whether a knob changes nothing now: it is dimmed, and still works.
   * @param {string} _knob
   */
  idle(_knob) {
    return false;
  }

  /** @param {boolean} active */
  set active(active) {
    this.shown = active;
    if (this.frames) this.frames.active = active;
    if (active) this.ask();
    else if (this.busy) this.stop();
  }

  /**
   * A person has changed these knobs.
   * @param {string[]} _names
   */
  changed(_names) {
    this.ofLink = null;
    this.ask();
  }

  ask() {
    if (!this.shown) return;
    this.mark(true);
    this.requests.ask();
  }

  /** The button beside the summary was pressed. */
  press() {
    if (this.busy) this.stop();
    else this.ask();
  }

  /** End the computing; what is there stays. */
  stop() {
    this.requests.drop();
    this.mark(false);
  }

  /** @param {import("../shared/messages.d.ts").Reply<Event>} reply */
  receive(reply) {
    const { serial, finished } = reply;
    /** @type {Promise<void> | void | null} */
    let painted = null;
    if (reply.error != null) this.say(reply.error);
    else {
      const body = /** @type {Drawn} */ (/** @type {Drawing} */ (reply.body)); // a kind knows what the server draws for it
      this.say(this.ofLink);
      this.body = body;
      painted = this.show(body);
      this.summarize();
      this.node.dataset.serial = String(serial);
      countUp(this.node, "messages");
    }
    const mark = () => {
      if (serial === this.requests.serial) this.mark(!finished);
    };
    if (finished && painted) painted.finally(mark);
    else mark();
  }

  /**
   * Draw what has come. It is busy until that is done.
   * @param {Drawn} _body
   * @returns {Promise<void> | void}
   */
  show(_body) {}

  /**
   * The sentence about what is drawn.
   * @param {Drawn} body
   */
  sentence(body) {
    return body.summary;
  }

  summarize() {
    if (!this.body) return;
    this.summary.replaceChildren(...explained(this.sentence(this.body)));
    tell(this.noticed, this.body.notice);
  }

  /**
   * For what is painted: in frames in which something has changed or moves.
   * @param {import("../shared/frames.js").Mover} [mover]
   */
  animate(mover) {
    this.frames = new Frames(() => this.body && this.paint(), mover);
  }

  paint() {}

  repaint() {
    this.frames?.ask();
  }

  /** @param {boolean} busy */
  mark(busy) {
    this.busy = busy;
    this.node.dataset.busy = String(busy);
    this.halt.textContent = busy ? "Stop" : this.declared.streams ? "Refine" : "Again";
    this.halt.hidden = !busy && !this.declared.streams;
    this.state.textContent = busy ? "computing …" : "";
  }

  /** @param {string | null} sentence */
  say(sentence) {
    this.notice.textContent = sentence ?? ""; // which names settings as addresses do
    this.notice.hidden = !sentence;
  }

  /** @param {import("../shared/types.d.ts").Colors} colors */
  recolor(colors) {
    this.colors = colors;
    if (this.body) this.show(this.body);
    this.repaint();
  }

  /**
   * As a canvas, for the PNG.
   * @returns {HTMLCanvasElement | Promise<HTMLCanvasElement>}
   */
  picture() {
    throw new Error(`${this.declared.name} does not say how its picture is taken`);
  }

  async savePng() {
    if (!this.body) return;
    const settings = JSON.stringify({ show: this.declared.name, ...this.request() });
    download(await pngWithText(await this.picture(), settings), `edm-${this.declared.name}.png`);
  }

  /**
   * The figure as it is drawn, for its numbers.
   * @returns {import("../shared/types.d.ts").Figure | null | undefined}
   */
  get figure() {
    return this.body?.figure;
  }

  /** What computes the same. */
  get python() {
    return this.body?.python ?? "";
  }

  saveCsv() {
    if (this.figure) download(new Blob([csv(this.figure)], { type: "text/csv" }), `edm-${this.declared.name}.csv`);
  }
}
