// @ts-nocheck
// One instrument: a chart that the server fills, a sentence about it, and what can be taken away from it.
import { Chart, csv } from "../shared/chart.js";
import { element } from "../shared/dom.js";
import { Latest } from "../shared/latest.js";
import { download, pngWithText } from "../shared/takeaway.js";

export class Instrument {
  // declared: {name, title, question, streams}; bench: the workbench, which knows the values.
  constructor(declared, bench) {
    Object.assign(this, { declared, bench, body: null, ofLink: null });
    const { name } = declared;
    const { server } = bench.page;
    this.requests = new Latest({
      send: (serial, payload) => server[name]({ serial, ...payload }),
      build: () => this.request(),
      silent: () => this.say("The server does not answer. Is it still running?"),
    });
    addEventListener(`edm-${name}`, (event) => this.receive(event.detail));
    this.build();
  }

  // The frame; kinds of instruments fill `this.stage` as they need.
  build() {
    this.stage = element("div", { class: "figure" });
    this.notice = element("p", { class: "notice", role: "alert", hidden: true });
    this.halt = element("button", { type: "button", class: "pin", "data-action": "halt" });
    this.halt.addEventListener("click", () => this.press());
    this.state = element("span", { class: "state" });
    this.summary = element("p", { class: "summary", "aria-live": "polite" });
    const heading = element(
      "div",
      { class: "heading" },
      element("h2", {}, this.declared.title),
      element("p", {}, this.declared.question),
    );
    const foot = element("div", { class: "foot" }, this.summary, element("div", {}, this.state, this.halt));
    this.node = element(
      "div",
      { class: "instrument", "data-show": this.declared.name, "data-streams": String(this.declared.streams) },
      heading,
      this.stage,
      this.notice,
      foot,
    );
    this.fill();
    this.mark(false);
  }

  fill() {
    this.chart = new Chart(this.stage);
  }

  get values() {
    return this.bench.values[this.declared.name];
  }

  // Change values as a knob does.
  set(changes) {
    this.bench.set(changes);
  }

  request() {
    return { values: this.bench.changedValues(this.declared.name), yours: this.bench.page.yours() };
  }

  // Whether a knob changes nothing now: it is dimmed, and still works.
  idle() {
    return false;
  }

  set active(active) {
    this.shown = active;
    if (active) this.ask();
    else if (this.busy) this.stop();
  }

  changed() {
    this.ofLink = null;
    this.ask();
  }

  ask() {
    if (!this.shown) return;
    this.mark(true);
    this.requests.ask();
  }

  // The button beside the summary.
  press() {
    if (this.busy) this.stop();
    else this.ask();
  }

  // End the computing; what is there stays.
  stop() {
    this.requests.serial += 1;
    this.requests.answered = true;
    this.requests.waiting = false;
    clearTimeout(this.requests.timer);
    this.bench.page.server.halt({ serial: this.requests.serial, topic: this.declared.name });
    this.mark(false);
  }

  receive(message) {
    if (!this.requests.accept(message.serial)) return;
    if (message.error) this.say(message.error);
    else {
      this.say(this.ofLink);
      this.body = message.body;
      this.show(message.body);
      this.summary.textContent = message.body.summary ?? "";
      this.node.dataset.serial = message.serial;
      this.node.dataset.messages = Number(this.node.dataset.messages ?? 0) + 1;
    }
    if (message.serial === this.requests.serial) this.mark(!message.finished);
    this.requests.settle();
  }

  show(body) {
    this.chart.show(body.figure, this.colors);
  }

  // For instruments with a player: paint in each frame for which something has changed.
  animate(now) {
    if (this.shown && this.player.tick(now)) this.dirty = true;
    if (this.dirty && this.shown && this.body) this.paint();
    requestAnimationFrame((time) => this.animate(time));
  }

  mark(busy) {
    this.busy = busy;
    this.node.dataset.busy = busy;
    this.halt.textContent = busy ? "Stop" : this.declared.streams ? "Refine" : "Again";
    this.halt.hidden = !busy && !this.declared.streams;
    this.state.textContent = busy ? "computing …" : "";
  }

  say(sentence) {
    this.notice.textContent = sentence ?? "";
    this.notice.hidden = !sentence;
  }

  recolor(colors) {
    this.colors = colors;
    if (this.body && colors) this.show(this.body);
  }

  // The picture as a canvas, for the PNG.
  picture() {
    return this.chart.picture();
  }

  async savePng() {
    if (!this.body) return;
    const settings = JSON.stringify({ show: this.declared.name, ...this.request() });
    download(await pngWithText(await this.picture(), settings), `edm-${this.declared.name}.png`);
  }

  saveCsv() {
    if (this.body?.figure)
      download(new Blob([csv(this.body.figure)], { type: "text/csv" }), `edm-${this.declared.name}.csv`);
  }
}
