// @ts-nocheck
// The Train tab: the form and the list of runs at the left, the chosen runs at the right, and what is new every second.

import { element } from "../shared/dom.js";
import { Latest } from "../shared/latest.js";
import { Asking } from "./asking.js";
import { Form } from "./form.js";
import { RunList } from "./list.js";
import { Stage } from "./stage.js";

const PACE = { near: 1000, far: 3000 }; // ms between two looks: while one watches runs that go on, and otherwise
const MOST = 6; // runs looked at closely

export class Train {
  // page: {server, root, changed, models(news), sample(model name), boot}.
  constructor(box, boot, page) {
    Object.assign(this, {
      box,
      boot,
      page,
      rows: new Map(),
      order: [],
      chosen: [],
      seen: {},
      clock: "",
      models: "",
      datasets: null,
    });
    this.build();
    this.requests = new Latest({
      send: (serial, payload) => page.server.poll({ serial, ...payload }),
      build: () => this.question(),
      silent: () => this.silent(),
    });
    addEventListener("edm-poll", (event) => this.receive(event.detail));
    document.addEventListener("visibilitychange", () => !document.hidden && this.soon(0));
  }

  build() {
    const panel = element("aside", { class: "train", "aria-label": "Training" });
    const section = element("section", { class: "train" });
    this.asking = new Asking(this.box, this.page.server);
    const { root } = this.page;
    this.form = new Form(panel, this.boot, {
      ...this.page,
      asking: this.asking,
      say: (sentence) => this.say(sentence),
      start: (contrast) => this.start(contrast),
    });
    this.list = new RunList(panel, { choose: (name, more) => this.choose(name, more) });
    this.stage = new Stage(section, {
      ...this.page,
      asking: this.asking,
      say: (sentence) => this.say(sentence),
      script: this.boot.script,
      act: (action, run, more) => this.act(action, run, more),
    });
    this.box.append(element("main", {}, panel, section));
    root.dataset.polls = 0;
  }

  // ---- the address ----

  open(_name, values = {}, notice = null) {
    const { runs, ...rest } = values;
    if (runs) this.chosen = runs.split(",").slice(0, MOST);
    this.stage.load(rest);
    this.form.load(rest);
    this.show();
    if (notice) this.say(notice);
  }

  query() {
    const values = { ...this.form.query(), ...this.stage.query() };
    if (this.chosen.length) values.runs = this.chosen.join(",");
    return {
      tab: "train",
      ...Object.fromEntries(Object.entries(values).map(([name, value]) => [`train.${name}`, value])),
    };
  }

  set active(active) {
    this.shown = active;
    this.stage.active = this.form.active = active;
    this.soon(0);
  }

  // ---- what is new ----

  // Ask after so many ms, or sooner if that was agreed.
  soon(delay) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => !document.hidden && this.requests.ask(), delay);
  }

  question() {
    const runs = this.shown ? Object.fromEntries(this.chosen.map((name) => [name, this.seen[name] ?? null])) : {};
    for (const name of this.chosen) if (this.stage.isFull(name)) delete this.seen[name];
    return { clock: this.clock, datasets: this.datasets, models: this.models, runs };
  }

  receive(message) {
    if (!this.requests.accept(message.serial)) return;
    if (message.error) this.ail(message.error);
    else {
      if (this.ailing) this.ail(null);
      this.take(message.body);
    }
    this.requests.settle();
    const body = message.body ?? {};
    this.soon(body.more ? 0 : this.shown && body.live !== false ? PACE.near : PACE.far);
  }

  take({ clock, rows, order, locked, runs, models, room, datasets }) {
    this.clock = clock;
    for (const row of rows) this.rows.set(row.name, { ...row, locked: locked.includes(row.name) });
    if (order) this.order = order;
    for (const name of [...this.rows.keys()]) if (order && !order.includes(name)) this.rows.delete(name);
    if (models) {
      this.models = models.clock;
      this.page.models(models);
    }
    if (datasets) {
      this.datasets = datasets.clock;
      this.form.offer(datasets.list);
    }
    this.form.room = room;
    this.chosen = this.chosen.filter((name) => this.rows.has(name));
    if (!this.chosen.length && this.order.length) this.choose(this.order[0]);
    for (const [name, news] of Object.entries(runs)) this.look(name, news);
    if (rows.length || order) this.show();
    else this.stage.refresh();
    this.page.root.dataset.polls = Number(this.page.root.dataset.polls) + 1;
  }

  // sentence: what keeps it from learning what is new; null: nothing any more.
  ail(sentence) {
    this.ailing = sentence;
    this.say(sentence);
  }

  silent() {
    this.ail("The server does not answer. Runs go on without it, and this page will catch up.");
    this.soon(PACE.far);
  }

  // A closer look at one run has come.
  look(name, news) {
    if (!news || !this.chosen.includes(name)) return;
    this.seen[name] = { cursor: news.cursor, sample: news.sample?.images ?? this.seen[name]?.sample };
    this.stage.take(name, news);
  }

  // ---- choosing ----

  // more: beside those that are shown, or no more.
  choose(name, more = false) {
    const others = this.chosen.filter((other) => other !== name);
    if (!more) this.chosen = [name];
    else if (others.length === this.chosen.length) this.chosen = [...others, name].slice(-MOST);
    else if (others.length) this.chosen = others;
    for (const known of Object.keys(this.seen)) if (!this.chosen.includes(known)) delete this.seen[known];
    this.show();
    this.page.changed();
    this.soon(0);
  }

  show() {
    const present = this.chosen.filter((name) => this.rows.has(name)).map((name) => this.rows.get(name));
    this.stage.show(present);
    this.list.show(this.order.map((name) => this.rows.get(name)).filter(Boolean), this.chosen, this.stage.tints);
  }

  say(sentence) {
    this.stage.say(sentence);
  }

  // ---- doing ----

  // Pressed again before there is an answer, or after none came, it is the same start: by its token.
  async start(contrast) {
    if (this.starting) return;
    const [action, values] = [contrast ? "contrast" : "start", this.form.text()];
    const wanted = JSON.stringify([action, values]);
    if (this.unanswered?.wanted !== wanted) this.unanswered = { wanted, token: String(Math.random()) + Date.now() };
    this.starting = true;
    const {
      body: done,
      error,
      silent,
    } = await this.asking.ask("act", { do: action, values, token: this.unanswered.token });
    this.starting = false;
    if (!silent) this.unanswered = null;
    this.say(error ?? null);
    if (!done) return;
    this.chosen = done.runs;
    this.seen = {};
    this.page.changed();
    this.soon(0);
  }

  async act(action, run, more = {}) {
    const answer = await this.asking.ask("act", { do: action, run, ...more });
    this.say(answer.error ?? null);
    if (answer.error) return null;
    this.soon(0);
    return answer.body;
  }

  // ---- like every tab ----

  texts() {
    return { python: this.stage.python(), command: this.stage.command ?? this.form.command };
  }

  savePng() {
    return this.stage.savePng();
  }

  saveCsv() {
    return this.stage.saveCsv();
  }

  recolor(colors) {
    this.form.recolor(colors);
    this.stage.recolor(colors);
    this.show();
  }
}
