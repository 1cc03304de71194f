// The Train tab: the form and the list of runs at the left, the chosen runs at the right, and what is new every second.
import { countUp, element } from "../shared/dom.js";
import { Latest } from "../shared/latest.js";
import { Asking } from "./asking.js";
import { Form } from "./form.js";
import { RunList } from "./list.js";
import { Stage } from "./stage.js";
import { Starting } from "./starting.js";

/** @typedef {import("../shared/types.d.ts").Tab} Tab */
/** @typedef {import("../shared/messages.d.ts").Seen} Seen */
/** @typedef {import("../shared/messages.d.ts").Poll} Poll */
/** @typedef {import("./types.d.ts").Run} Run */

const PACE = { near: 1000, far: 3000 }; // ms between two looks: while one watches runs that go on, and otherwise
const MOST = 6; // runs looked at closely
const SILENT = "The server does not answer. Runs go on without it, and this page will catch up.";

/** @implements {Tab} */
export class Train {
  /** @type {Map<string, Run>} */
  #runs = new Map();
  /** @type {string[]} Names of all runs. */
  #order = [];
  /** @type {string[]} Names of those that are shown. */
  #chosen = [];
  /** @type {Map<string, Seen>} What is known of those that are looked at closely. */
  #seen = new Map();
  /** Up to when the list is known. */
  #clock = "";
  /** @type {string | null} The same of datasets. */
  #datasets = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #shown = false;
  #painted = false;

  /**
   * @param {import("../shared/types.d.ts").Page} page
   * @param {import("./types.d.ts").TrainBoot} boot
   * @param {HTMLElement} box
   */
  constructor(page, boot, box) {
    this.page = page;
    const panel = element("aside", { class: "train", "aria-label": "Training" });
    const section = element("section", { class: "train" });
    this.asking = new Asking(box, page.server);
    this.starting = new Starting(this.asking);
    const tab = {
      page,
      boot,
      asking: this.asking,
      say: this.say.bind(this),
      changed: () => this.stage?.notices.over("start", "opened", "page"),
      start: (/** @type {boolean} */ contrast) => this.#start(contrast),
      act: this.#act.bind(this),
      attempt: this.#attempt.bind(this),
    };
    this.form = new Form(panel, tab);
    this.list = new RunList(panel, (name, more) => page.visit(() => this.#choose(name, more)));
    this.stage = new Stage(section, tab);
    section.prepend(this.form.own.sources.brought.node);
    box.append(element("div", { class: "room" }, panel, section));
    page.root.dataset.polls = "0";
    /** @type {Latest<"poll">} */
    this.requests = new Latest(page.server, "poll", {
      build: () => this.#question(),
      show: (reply) => this.#receive(reply),
      silent: () => this.say(SILENT, "poll"),
    });
    document.addEventListener("visibilitychange", () => !document.hidden && this.#soon(0));
  }

  // ---- the tab ----

  /** @param {boolean} active */
  set active(active) {
    this.#shown = this.stage.active = active;
    this.form.active = active && this.#painted;
    this.#soon(0);
  }

  /** @param {import("../shared/types.d.ts").Opening} opening */
  open({ values, notice }) {
    const { runs, ...rest } = values;
    if (runs) this.#chosen = runs.split(",").slice(0, MOST);
    this.stage.load(rest);
    this.form.load(rest);
    this.#show();
    this.say(notice, "opened");
  }

  /** @returns {import("../shared/types.d.ts").Saved} */
  state() {
    const runs = this.#chosen.length ? { runs: this.#chosen.join(",") } : {};
    return { values: { ...this.form.query(), ...this.stage.query(), ...runs } };
  }

  get past() {
    return this.form.past;
  }

  query() {
    const named = Object.entries(this.state().values).map(([name, value]) => [`train.${name}`, value]);
    return { tab: "train", ...Object.fromEntries(named) };
  }

  /** Models are not of this tab: it has runs. */
  offer() {}

  texts() {
    return { python: this.stage.python, command: this.stage.command ?? this.form.estimate.command };
  }

  savePng() {
    this.stage.savePng();
  }

  saveCsv() {
    this.stage.saveCsv();
  }

  /**
   * @param {string | null} sentence
   * @param {import("./notices.js").Cause} [cause]
   */
  say(sentence, cause = "page") {
    this.stage.notices.say(cause, sentence);
  }

  /** @param {import("../shared/gathered.js").Given[]} files  That were dropped or pasted. */
  bring(files) {
    return this.form.own.sources.bring(files);
  }

  /** @param {import("../shared/gathered.js").Given} picture */
  paste(picture) {
    return this.form.own.sources.paste(picture);
  }

  /** @param {import("../shared/types.d.ts").Colors} colors */
  recolor(colors) {
    this.form.recolor(colors);
    this.stage.recolor(colors);
    this.#show();
  }

  // ---- what is new ----

  /**
   * Ask after so many ms, or sooner if that was agreed.
   * @param {number} delay
   */
  #soon(delay) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => !document.hidden && this.requests.ask(), delay);
  }

  /** @returns {import("../shared/messages.d.ts").PollRequest} */
  #question() {
    const close = this.#shown ? this.#chosen : [];
    const runs = Object.fromEntries(close.map((name) => [name, this.#seen.get(name) ?? null]));
    for (const name of this.#chosen) if (this.stage.isFull(name)) this.#seen.delete(name);
    return { clock: this.#clock, datasets: this.#datasets, models: this.page.clock, runs };
  }

  /** @param {import("../shared/messages.d.ts").Reply<"poll">} reply */
  #receive(reply) {
    if (reply.error != null) {
      this.say(reply.error, "poll");
      this.#ready();
      this.#soon(this.#shown ? PACE.near : PACE.far);
      return;
    }
    this.stage.notices.over("poll");
    const { more, live } = reply.body;
    this.#soon(more ? 0 : this.#shown && live ? PACE.near : PACE.far); // whatever becomes of this one
    this.#take(reply.body);
    if (this.#chosen.every((name) => this.#seen.has(name))) this.stage.painted.then(() => this.#ready());
  }

  /** What is looked at is there: now an estimate may take the processor. */
  #ready() {
    this.#painted = true;
    this.form.active = this.#shown;
  }

  /** @param {Poll} news */
  #take({ clock, rows, order, locked, runs, models, room, datasets, devices }) {
    this.#clock = clock;
    for (const row of rows) this.#runs.set(row.name, { ...row, locked: locked.includes(row.name) });
    if (order) {
      this.#order = order;
      for (const name of this.#runs.keys()) if (!order.includes(name)) this.#runs.delete(name);
    }
    if (models) this.page.takeModels(models);
    if (datasets) {
      this.#datasets = datasets.clock;
      this.form.datasets.offer(datasets.list);
    }
    if (devices) {
      this.form.device.offer(devices);
      this.page.takeDevice(devices.page, (device) => this.#move(device));
    }
    this.form.room = room;
    this.#chosen = this.#chosen.filter((name) => this.#runs.has(name));
    if (!this.#chosen.length && this.#order.length) this.#choose(this.#order[0]);
    for (const [name, closer] of Object.entries(runs)) if (closer) this.#look(name, closer);
    if (rows.length || order) this.#show();
    else this.stage.refresh();
    countUp(this.page.root, "polls");
  }

  /**
   * A closer look at one run has come.
   * @param {string} name
   * @param {import("../shared/messages.d.ts").Closer} news
   */
  #look(name, news) {
    if (!this.#chosen.includes(name)) return;
    this.#seen.set(name, { cursor: news.cursor, sample: news.sample?.images ?? this.#seen.get(name)?.sample });
    this.stage.take(name, news);
  }

  // ---- choosing ----

  /**
   * @param {string} name
   * @param {boolean} [more]  Beside those that are shown, or no more.
   */
  #choose(name, more = false) {
    const others = this.#chosen.filter((other) => other !== name);
    if (!more) this.#chosen = [name];
    else if (others.length === this.#chosen.length) this.#chosen = [...others, name].slice(-MOST);
    else if (others.length) this.#chosen = others;
    for (const known of this.#seen.keys()) if (!this.#chosen.includes(known)) this.#seen.delete(known);
    this.stage.notices.over("run", "page");
    this.#show();
    this.page.changed();
    this.#soon(0);
  }

  #show() {
    const known = (/** @type {string} */ name) => this.#runs.get(name) ?? [];
    this.stage.show(this.#chosen.flatMap(known), this.#clock !== "");
    this.list.show(this.#order.flatMap(known), this.#chosen, this.stage.tints);
  }

  // ---- doing ----

  /** @param {boolean} contrast */
  async #start(contrast) {
    const answer = await this.starting.start(contrast, this.form.text(), (on) => {
      this.form.starting = on;
    });
    if (!answer) return;
    this.say(answer.error, "start");
    if (!answer.body) return;
    this.#chosen = answer.body.runs;
    this.#seen.clear();
    this.page.changed();
    this.#soon(0);
  }

  /**
   * Have the page compute on another device.
   * @param {string} device
   */
  async #move(device) {
    const { error } = await this.asking.ask("act", { do: "device", device });
    this.page.say(error);
    this.#soon(0);
  }

  /**
   * Do something to a run.
   * @param {string} action
   * @param {string} run
   * @param {Partial<import("../shared/messages.d.ts").ActRequest>} [more]
   */
  async #act(action, run, more = {}) {
    this.say(await this.#attempt(action, run, more), "run");
  }

  /**
   * The same; says why it could not be done, or null.
   * @param {string} action
   * @param {string} run
   * @param {Partial<import("../shared/messages.d.ts").ActRequest>} [more]
   */
  async #attempt(action, run, more = {}) {
    const { error } = await this.asking.ask("act", { ...more, do: action, run });
    if (!error) this.#soon(0);
    return error;
  }
}
