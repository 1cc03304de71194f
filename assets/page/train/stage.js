// @ts-nocheck
// The chosen runs: how they are, what can be done with the first of them, their losses, and their samples as a film.
import { Chart, panelOf } from "../shared/chart.js";
import { element } from "../shared/dom.js";
import { compact, duration } from "../shared/numbers.js";
import { float32 } from "../shared/packed.js";
import { sheet } from "../shared/sheet.js";
import { download, pngWithText } from "../shared/takeaway.js";
import { csvOf, lossFigure, SigmaFigure, tintsOf } from "./figures.js";
import { Film } from "./film.js";
import { Heading } from "./heading.js";
import { OVER } from "./states.js";

const MOST_POINTS = 6000,
  MOST_FRAMES = 400; // held of one run, before it is asked for anew or thinned

export class Stage {
  // page: {asking, act(action, run, more), sample(model), changed, boot}.
  constructor(box, page) {
    Object.assign(this, { page, runs: [], known: new Map(), view: {}, tints: {} });
    this.heading = new Heading(page);
    this.notice = element("p", { class: "notice", role: "alert", hidden: true });
    this.empty = element(
      "p",
      { class: "empty" },
      "No runs yet. Press Start: the first samples are here in seconds, and they get better as you watch.",
    );
    this.lossBox = element("div", { class: "chartbox" });
    this.sigmaBox = element("div", { class: "chartbox" });
    this.cursor = element("i", { class: "cursor", hidden: true });
    this.early = element("p", { class: "early" });
    const left = element("div", { class: "curves" }, this.switches(), this.lossBox, this.sigmaBox, this.early);
    this.film = new Film(
      { ...page, points: (name) => this.known.get(name)?.design?.cloud },
      {
        stops: () => this.stops(),
        moved: () => this.seek(),
        runs: () => this.runs,
        frames: (name) => this.known.get(name)?.frames ?? [],
      },
    );
    this.figure = element("div", { class: "learning" }, left, this.film.box);
    this.summary = element("p", { class: "summary", "aria-live": "off" });
    box.append(
      this.heading.node,
      this.empty,
      this.figure,
      this.film.line,
      element("div", { class: "foot" }, this.summary),
      this.notice,
    );
    this.lossChart = new Chart(this.lossBox);
    this.sigmaChart = new Chart(this.sigmaBox);
    this.lossBox.append(this.cursor);
    this.lossChart.onDrawn = () => this.placeCursor();
    this.sigma = new SigmaFigure();
  }

  // ---- what is shown ----

  load(values) {
    this.view = {};
    for (const name of Object.keys(this.page.boot.train.curves)) if (name in values) this.view[name] = values[name]; // the server has checked them
    this.refreshSwitches();
  }

  query() {
    return { ...this.view };
  }

  set active(active) {
    this.shown = active;
    this.film.active = active;
    if (active) this.draw();
  }

  show(runs) {
    const before = this.runs.map(({ name }) => name).join();
    this.runs = runs;
    for (const name of [...this.known.keys()]) if (!runs.some((run) => run.name === name)) this.known.delete(name);
    this.tints = tintsOf(runs);
    this.empty.hidden = runs.length > 0;
    for (const node of [this.heading.node, this.figure, this.film.line, this.summary]) node.hidden = !runs.length;
    if (before !== runs.map(({ name }) => name).join()) this.film.reset();
    this.refresh();
  }

  // News of one run.
  take(name, news) {
    if (this.known.get(name)?.id !== news.id) this.film.films.delete(name); // another run of that name
    if (news.anew || !this.known.has(name))
      this.known.set(name, {
        points: { images: [], loss: [], score: [], seconds: [], low: [], high: [] },
        frames: [],
        sigmas: [],
        stride: 1,
      });
    const known = this.known.get(name);
    const count = news.points.images.length;
    for (const [column, held] of Object.entries(known.points))
      held.push(...(news.points[column] ?? Array(count).fill(null)));
    const kept = known.frames.filter(({ index, last }) => !last || index % known.stride === 0);
    known.frames = news.frames.length ? [...kept, ...news.frames] : known.frames;
    if (known.frames.length > MOST_FRAMES) {
      known.stride *= 2;
      known.frames = known.frames.filter(({ index }, k) => index % known.stride === 0 || k === known.frames.length - 1);
    }
    if (news.sigmas.length) known.sigmas = news.sigmas;
    if (news.design) known.design = { ...news.design, cloud: news.design.points && float32(news.design.points) };
    Object.assign(known, { log: news.log, disk: news.disk, id: news.id });
    if (news.sample) this.film.take(name, news.sample);
    if (count || news.anew) this.stale = true;
  }

  // Whether so much of a run is held that it should be asked for anew.
  isFull(name) {
    return (this.known.get(name)?.points.images.length ?? 0) > MOST_POINTS;
  }

  refresh() {
    const key = JSON.stringify(this.tints);
    if (this.runs.length) this.heading.show(this.runs, this.known.get(this.runs[0].name) ?? {}, this.tints);
    this.film.refresh();
    if (this.stale || key !== this.drawn) this.draw();
    else this.describe();
    this.drawn = key;
  }

  get command() {
    return this.runs[0]?.command;
  }

  // ---- figures ----

  get ready() {
    return this.runs
      .filter(({ name }) => this.known.has(name))
      .map((run) => ({ ...run, ...this.known.get(run.name), tint: this.tints[run.name] }));
  }

  // The training loss means the same only where the designs are the same.
  get measure() {
    const columns = new Set(this.runs.map(({ column }) => column));
    return this.view.measure ?? (columns.size > 1 ? "same" : "train");
  }

  draw() {
    if (!this.shown || !this.colors || !this.runs.length) return;
    this.stale = false;
    const smooth = Number(this.view.smooth ?? 0.3);
    this.lossFigure = lossFigure(this.ready, {
      measure: this.measure,
      smooth,
      logx: this.view.logx,
      logy: this.view.logy,
    });
    this.refreshSwitches();
    this.figure.classList.toggle("early", !this.ready.some(({ frames }) => frames.length));
    this.early.textContent = OVER.includes(this.runs[0].state)
      ? "It ended before its first tick."
      : "The first losses and samples come with the first tick.";
    this.lossChart.show(this.lossFigure, this.colors);
    this.drawSigma();
    this.describe();
  }

  drawSigma() {
    this.sigmaFigure = this.sigma.at(this.ready, this.film.images);
    this.sigmaChart.show(this.sigmaFigure, this.colors);
  }

  // The timeline was moved.
  seek() {
    if (this.sigma.isNew(this.ready, this.film.images)) this.drawSigma();
    this.placeCursor();
  }

  stops() {
    const images = new Set(this.ready.flatMap(({ frames }) => frames.map((frame) => frame.images)));
    return [...images].sort((a, b) => a - b);
  }

  placeCursor() {
    const panel = panelOf(this.lossChart, 0);
    const at = this.film.images;
    const x = panel && at != null ? panel.left + panel.across(this.view.logx ? Math.log10(at) : at) : NaN;
    this.cursor.hidden = !(x >= panel?.left && x <= panel.left + panel.width + 1);
    if (!this.cursor.hidden)
      Object.assign(this.cursor.style, { left: `${x}px`, top: `${panel.top}px`, height: `${panel.height}px` });
  }

  describe() {
    const [run] = this.ready;
    if (!run) {
      this.summary.textContent = "";
      return;
    }
    const last = (column) => run.points[column].findLast((value) => value != null);
    const words = [`${run.name} has seen ${compact(run.images)} of ${compact(run.total ?? run.images)} images`];
    if (last("loss") != null) words.push(`mean loss ${last("loss").toPrecision(3)} since the tick before`);
    if (last("score") != null) words.push(`E[λ·error] ${last("score").toPrecision(3)} on validation images`);
    if (last("seconds") != null) words.push(`${duration(last("seconds"))} of training`);
    const others = this.ready
      .slice(1)
      .map((other) => `${other.name} ${other.points.score.findLast((value) => value != null)?.toPrecision(3) ?? "—"}`);
    const sentence = words.join(", ") + (others.length ? `; beside it E[λ·error] of ${others.join(", ")}.` : ".");
    if (this.summary.textContent !== sentence) this.summary.textContent = sentence;
  }

  // ---- switches ----

  switches() {
    const button = (name, value, title, help) => {
      const node = element(
        "button",
        { type: "button", role: "radio", "data-view": `${name}:${value}`, title: help },
        title,
      );
      node.addEventListener("click", () =>
        this.setView({ [name]: name === "measure" ? value : this.view[name] ? null : value }),
      );
      return node;
    };
    this.buttons = [
      button("measure", "train", "training loss", "The loss as it is trained, with the design's own weight λ(σ)"),
      button(
        "measure",
        "same",
        "validation error",
        "E[λ·error] of the averaged weights on validation images, with EDM's λ and p_train for every design: only this compares designs",
      ),
      button("logx", "on", "log x", "Logarithmic axis of images"),
      button("logy", "on", "log y", "Logarithmic axis of losses"),
    ];
    for (const node of this.buttons.slice(2)) [node.removeAttribute("role"), node.classList.add("flip")];
    this.smooth = element("input", {
      type: "range",
      min: 0,
      max: 0.98,
      step: 0.02,
      "aria-label": "Smoothing",
      title: "Smoothing: how much of the curve before counts",
    });
    this.smooth.addEventListener("input", () => this.setView({ smooth: this.smooth.value }));
    const seg = (...nodes) => element("div", { class: "seg" }, ...nodes);
    return element(
      "div",
      { class: "switches" },
      seg(...this.buttons.slice(0, 2)),
      seg(...this.buttons.slice(2)),
      element("label", { class: "smooth" }, "smooth", this.smooth),
    );
  }

  setView(changes) {
    Object.assign(this.view, changes);
    for (const [name, value] of Object.entries(this.view)) if (value == null) delete this.view[name];
    this.page.changed();
    this.draw();
  }

  refreshSwitches() {
    for (const node of this.buttons) {
      const [name, value] = node.dataset.view.split(":");
      const on = name === "measure" ? this.measure === value : this.view[name] === value;
      node.setAttribute(name === "measure" ? "aria-checked" : "aria-pressed", String(on));
    }
    const smooth = Number(this.view.smooth ?? 0.3);
    if (document.activeElement !== this.smooth) this.smooth.value = smooth;
    this.smooth.style.setProperty("--fill", `${(100 * smooth) / 0.98}%`);
  }

  say(sentence) {
    this.notice.textContent = sentence ?? "";
    this.notice.hidden = !sentence;
  }

  // ---- taking away ----

  python() {
    const [run] = this.runs;
    if (!run?.checkpoint) return "";
    return `${this.page.script}experiment = edm.Experiment(model="run-${run.name}_${run.checkpoint}")\nstates = list(edm.runner.states(experiment))\nedm.render.picture(edm.models.of(experiment), states).save("${run.name}.png")\n`;
  }

  async savePng() {
    if (!this.runs.length) return;
    const picture = await sheet(this.figure, [this.lossChart, this.sigmaChart], this.film.canvases, this.colors);
    download(
      await pngWithText(picture, JSON.stringify({ runs: this.runs.map(({ name }) => name) })),
      `edm-${this.runs[0].name}.png`,
    );
  }

  saveCsv() {
    if (this.ready.length)
      download(new Blob([csvOf(this.ready)], { type: "text/csv" }), `edm-${this.runs[0].name}.csv`);
  }

  recolor(colors) {
    this.colors = colors;
    this.film.recolor(colors);
    this.draw();
  }
}
