// @ts-nocheck
// The Train tab: the form and the list of runs at the left, the chosen runs at the right, and what is new every second.

import { countUp, element } from "../shared/dom.js";
import { Latest } from "../shared/latest.js";
import { Asking } from "./asking.js";
import { Form } from "./form.js";
import { RunList } from "./list.js";
import { Stage } from "./stage.js";

const PACE = { near: 1000, far: 3000 }; // ms between two looks: while one watches runs that go on, and otherwise
const MOST = 6; // runs looked at closely

export class Train {
  constructor(page, boot, box) {
    Object.assign(this, {
      box,
      boot,
      page,
      rows: new Map(),
      order: [],
      chosen: [],
      seen: {},
      clock: "",
      datasets: null,
    });
    this.build();
    this.requests = new Latest(page.server, "poll", {
      build: () => this.question(),
      show: (answer) => this.receive(answer),
      silent: () => this.silent(),
    });
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
      curves: this.boot.curves,
      act: (action, run, more) => this.act(action, run, more),
    });
    this.box.append(element("main", {}, panel, section));
    root.dataset.polls = "0";
  }

  // ---- the address ----

  open({ values, notice }) {
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
    return { clock: this.clock, datasets: this.datasets, models: this.page.clock, runs };
  }

  receive(message) {
    if (message.error) this.ail(message.error);
    else {
      if (this.ailing) this.ail(null);
      this.take(message.body);
    }
    const body = message.body ?? {};
    this.soon(body.more ? 0 : this.shown && body.live !== false ? PACE.near : PACE.far);
  }

  take({ clock, rows, order, locked, runs, models, room, datasets }) {
    this.clock = clock;
    for (const row of rows) this.rows.set(row.name, { ...row, locked: locked.includes(row.name) });
    if (order) this.order = order;
    for (const name of [...this.rows.keys()]) if (order && !order.includes(name)) this.rows.delete(name);
    if (models) this.page.takeModels(models);
    if (datasets) {
      this.datasets = datasets.clock;
      this.form.datasets.offer(datasets.list);
    }
    this.form.room = room;
    this.chosen = this.chosen.filter((name) => this.rows.has(name));
    if (!this.chosen.length && this.order.length) this.choose(this.order[0]);
    for (const [name, news] of Object.entries(runs)) this.look(name, news);
    if (rows.length || order) this.show();
    else this.stage.refresh();
    countUp(this.page.root, "polls");
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
    return { python: this.stage.python(), command: this.stage.command ?? this.form.estimate.command };
  }

  savePng() {
    return this.stage.savePng();
  }

  saveCsv() {
    return this.stage.saveCsv();
  }

  // Models are not of this tab: it has runs.
  offer() {}

  recolor(colors) {
    this.form.recolor(colors);
    this.stage.recolor(colors);
    this.show();
  }
}
