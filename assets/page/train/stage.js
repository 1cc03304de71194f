// The chosen runs: how they are, what can be done with the first of them, their losses, and their samples as a film.
import { Chart, panelOf, plotly } from "../shared/chart.js";
import { element, putAt } from "../shared/dom.js";
import { compact, duration } from "../shared/numbers.js";
import { sheet } from "../shared/sheet.js";
import { changeView } from "../shared/stages/switches.js";
import { download, pngWithText } from "../shared/takeaway.js";
import { explained } from "../shared/terms.js";
import { csvOf, lossFigure, meanOf, sigmaFigure, ticksAt, tintsOf } from "./figures.js";
import { Film } from "./film.js";
import { Heading } from "./heading.js";
import { held, isFull } from "./held.js";
import { Notices } from "./notices.js";
import { isOver } from "./states.js";
import { Switches, smoothOf } from "./switches.js";

/** @typedef {import("./types.d.ts").Run} Run */
/** @typedef {import("./types.d.ts").Known} Known */
/** @typedef {import("./types.d.ts").Shown} Shown */

const LOOKING = "Looking for runs …";
const NOTHING = "No runs yet. Press Start: the first samples are here in seconds, and they get better as you watch.";

export class Stage {
  /** @type {Run[]} */
  runs = [];
  /** @type {Map<string, Known>} Of the chosen runs. */
  #known = new Map();
  /** @type {import("../shared/types.d.ts").View} */
  view = {};
  /** @type {Record<string, string>} The colour of each run. */
  tints = {};
  /** @type {import("../shared/types.d.ts").Colors | null} */
  #colors = null;
  #shown = false;
  #stale = false; // something new is not drawn yet
  /** When the figures that were asked for last are painted. */
  painted = Promise.resolve();
  #drawnTints = "";
  #drawnTicks = "";

  /**
   * @param {HTMLElement} box
   * @param {import("./types.d.ts").TrainPage} tab
   */
  constructor(box, tab) {
    this.tab = tab;
    this.heading = new Heading(tab);
    this.switches = new Switches((changes) => this.#setView(changes));
    this.notices = new Notices();
    this.empty = element("p", { class: "empty" }, LOOKING);
    this.early = element("p", { class: "early" });
    this.cursor = element("i", { class: "cursor", hidden: true });
    const [lossBox, sigmaBox] = [element("div", { class: "chartbox" }), element("div", { class: "chartbox" })];
    const curves = element("div", { class: "curves" }, this.switches.node, lossBox, sigmaBox, this.early);
    this.film = new Film(tab, {
      runs: () => this.runs,
      stops: () => this.#stops(),
      ticks: (name) => this.#known.get(name)?.frames ?? [],
      points: (name) => this.#known.get(name)?.cloud ?? null,
      moved: () => this.#seek(),
    });
    this.figure = element("div", { class: "learning" }, curves, this.film.box);
    this.summary = element("p", { class: "summary", "aria-live": "off" });
    const foot = element("div", { class: "foot" }, this.summary);
    box.append(this.heading.node, this.empty, this.figure, this.film.line, foot, this.notices.node);
    this.lossChart = new Chart(lossBox);
    this.sigmaChart = new Chart(sigmaBox);
    lossBox.append(this.cursor);
    this.lossChart.onDrawn = () => this.#placeCursor();
  }

  // ---- what is shown ----

  /** @param {import("../shared/types.d.ts").Values} values  The server has checked them. */
  load(values) {
    const names = Object.keys(this.tab.boot.curves).filter((name) => name in values);
    this.view = Object.fromEntries(names.map((name) => [name, values[name]]));
    this.switches.refresh(this.view, this.measure, this.#copying);
  }

  query() {
    return { ...this.view };
  }

  /** @param {boolean} active */
  set active(active) {
    this.#shown = active;
    this.film.active = active;
    if (active) this.#draw();
  }

  /**
   * @param {Run[]} runs
   * @param {boolean} listed  Whether all runs that there are are known.
   */
  show(runs, listed) {
    const names = runs.map(({ name }) => name);
    const same = names.join() === this.runs.map(({ name }) => name).join();
    this.runs = runs;
    for (const name of this.#known.keys()) if (!names.includes(name)) this.#known.delete(name);
    this.tints = tintsOf(runs);
    this.empty.hidden = runs.length > 0;
    this.empty.textContent = listed ? NOTHING : LOOKING;
    if (runs.length) plotly(); // while the server is asked for their curves
    for (const node of [this.heading.node, this.figure, this.film.line, this.summary]) node.hidden = !runs.length;
    if (!same) this.film.reset();
    this.refresh();
  }

  /**
   * News of one run.
   * @param {string} name
   * @param {import("../shared/messages.d.ts").Closer} news
   */
  take(name, news) {
    const before = this.#known.get(name);
    if (before?.id !== news.id) this.film.forget(name);
    const { known, changed } = held(before, news);
    this.#known.set(name, known);
    if (news.sample) this.film.take(name, news.sample);
    if (changed) this.#stale = true;
  }

  /** @param {string} name */
  isFull(name) {
    return isFull(this.#known.get(name));
  }

  refresh() {
    const tints = JSON.stringify(this.tints);
    if (this.runs.length) this.heading.show(this.runs, this.#known.get(this.runs[0].name));
    this.film.refresh();
    if (this.#stale || tints !== this.#drawnTints) this.#draw();
    else this.#describe();
    this.#drawnTints = tints;
  }

  // ---- figures ----

  /** The chosen runs of which something is held. @returns {Shown[]} */
  get ready() {
    return this.runs.flatMap((run) => {
      const known = this.#known.get(run.name);
      return known ? [{ ...run, ...known, goal: this.tab.boot.goals[run.learns], tint: this.tints[run.name] }] : [];
    });
  }

  /** The training loss means the same only where the designs are the same. */
  get measure() {
    const columns = new Set(this.runs.map(({ column }) => column));
    return this.view.measure ?? (columns.size > 1 ? "same" : "train");
  }

  get #copying() {
    return this.ready.some(({ points }) => points.copies.some((share) => share != null));
  }

  #draw() {
    if (!this.#shown || !this.#colors || !this.runs.length) return;
    this.#stale = false;
    const { measure, view, ready } = this;
    const [logx, logy] = [Boolean(view.logx), Boolean(view.logy)];
    this.switches.refresh(view, measure, this.#copying);
    this.figure.classList.toggle("early", !ready.some(({ frames }) => frames.length));
    this.figure.classList.toggle("told", !this.runs.some(({ learns }) => this.tab.boot.goals[learns].samples));
    this.early.textContent = isOver(this.runs[0])
      ? "It ended before its first tick."
      : "It begins: the first losses and samples are here in seconds.";
    const loss = lossFigure(ready, { measure, smooth: smoothOf(view), logx, logy });
    const drawn = [this.lossChart.show(loss, this.#colors), this.#drawSigma(ready, this.#colors)];
    this.painted = Promise.allSettled(drawn).then(() => {});
    this.#describe();
  }

  /**
   * @param {Shown[]} ready
   * @param {import("../shared/types.d.ts").Colors} colors
   */
  #drawSigma(ready, colors) {
    this.#drawnTicks = ticksAt(ready, this.film.images);
    return this.sigmaChart.show(sigmaFigure(ready, this.film.images), colors);
  }

  /** The timeline was moved. */
  #seek() {
    const { ready } = this;
    if (this.#colors && this.#drawnTicks !== ticksAt(ready, this.film.images)) this.#drawSigma(ready, this.#colors);
    this.#placeCursor();
  }

  #stops() {
    const images = new Set(this.ready.flatMap(({ frames }) => frames.map((frame) => frame.images)));
    return [...images].sort((a, b) => a - b);
  }

  #placeCursor() {
    const panel = panelOf(this.lossChart, 0);
    const at = this.film.images;
    const x = panel && at != null ? panel.left + panel.across(this.view.logx ? Math.log10(at) : at) : Number.NaN;
    this.cursor.hidden = !(panel && x >= panel.left && x <= panel.left + panel.width + 1);
    if (this.cursor.hidden || !panel) return;
    putAt(this.cursor, { left: x, top: panel.top, height: panel.height });
  }

  #describe() {
    const [run, ...others] = this.ready;
    const sentence = run ? told(run, others) : "";
    if (this.summary.dataset.said !== sentence) this.summary.replaceChildren(...explained(sentence));
    this.summary.dataset.said = sentence;
  }

  /** @param {import("../shared/types.d.ts").ViewChanges} changes */
  #setView(changes) {
    changeView(this.view, changes);
    this.tab.page.changed();
    this.#draw();
  }

  // ---- taking away ----

  /** @returns {string | null | undefined} */
  get command() {
    return this.runs[0]?.command;
  }

  get python() {
    const [run] = this.runs;
    return run?.checkpoint ? this.tab.boot.script + SCRIPT(run.name, run.checkpoint) : "";
  }

  async savePng() {
    if (!this.runs.length || !this.#colors) return;
    const picture = await sheet(this.figure, [this.lossChart, this.sigmaChart], this.film.canvases, this.#colors);
    const about = JSON.stringify({ runs: this.runs.map(({ name }) => name) });
    download(await pngWithText(picture, about), `edm-${this.runs[0].name}.png`);
  }

  saveCsv() {
    if (!this.ready.length) return;
    download(new Blob([csvOf(this.ready)], { type: "text/csv" }), `edm-${this.runs[0].name}.csv`);
  }

  /** @param {import("../shared/types.d.ts").Colors} colors */
  recolor(colors) {
    this.#colors = colors;
    this.film.recolor(colors);
    this.#draw();
  }
}

/** @type {(name: string, checkpoint: number) => string} */
const SCRIPT = (name, checkpoint) => `\
experiment = edm.Experiment(model="run-${name}_${checkpoint}")
states = list(edm.runner.states(experiment))
edm.render.picture(edm.models.of(experiment), states).save("${name}.png")
`;

/**
 * How far a run is and how well it does, and others beside it, in a sentence.
 * @param {Shown} run
 * @param {Shown[]} others
 */
function told({ name, images, total, minutes, points, ticks, gaps, nonfinite, goal }, others) {
  const [loss, score, seconds, copies] = [points.loss, points.score, points.seconds, points.copies].map(last);
  const seen = compact(images ?? 0);
  const open = total == null && minutes;
  const words = [
    open
      ? `${name} has seen ${seen} images; how many ${minutes} min are is being measured`
      : `${name} has seen ${seen} of ${compact(total ?? images ?? 0)} images`,
  ];
  if (loss != null) words.push(`mean loss ${loss.toPrecision(3)} since the tick before`);
  if (score != null) words.push(`${meanOf(goal)} ${score.toPrecision(3)} on validation images`);
  if (copies) words.push(`${Math.round(100 * copies)} % of its samples are copies of training samples`);
  if (seconds != null) words.push(`${duration(seconds)} of training`);
  if (gaps) words.push(`${gaps.toLocaleString("en")} of ${ticks.toLocaleString("en")} ticks without a finite loss`);
  if (nonfinite) words.push(`${nonfinite.toLocaleString("en")} steps left out, whose gradients were not finite`);
  const beside = [...new Set(others.map(({ goal }) => meanOf(goal)))].map((mean) => {
    const same = others.filter((other) => meanOf(other.goal) === mean);
    const each = same.map((other) => `${other.name} ${last(other.points.score)?.toPrecision(3) ?? "—"}`);
    return `${mean} of ${each.join(", ")}`;
  });
  return words.join(", ") + (beside.length ? `; beside it ${beside.join("; ")}.` : ".");
}

/** @param {(number | null)[]} values */
const last = (values) => values.findLast((value) => value != null);
