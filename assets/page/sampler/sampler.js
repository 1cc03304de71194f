// @ts-nocheck
// The Sampler tab: wires panel, stages, time slider and noise levels to the server.
import { element } from "../shared/dom.js";
import { Latest } from "../shared/latest.js";
import { positionAt, sigmaAt } from "../shared/levels.js";
import { Player } from "../shared/player.js";
import { Images } from "../shared/stages/images.js";
import { stageOf } from "../shared/stages/kinds.js";
import { Plane } from "../shared/stages/plane.js";
import { isView, viewControls } from "../shared/stages/switches.js";
import { download, pngWithText } from "../shared/takeaway.js";
import { Ladder } from "./ladder.js";
import { skeleton } from "./layout.js";
import { Panel } from "./panel.js";
import { differences, metrics, summary } from "./summary.js";

export class Sampler {
  // root: .explorer, whose data-… tell what is shown; box: the tab's own element. changed(): the address should follow.
  constructor(root, box, boot, server, changed) {
    Object.assign(this, {
      root,
      box,
      boot,
      server,
      changed,
      view: {},
      results: {},
      measures: {},
      pinned: null,
      notice: null,
    });
    this.parts = skeleton(box);
    const player = { run: () => this.results.main, moved: () => this.repaint() };
    this.player = new Player({ ...this.parts, output: this.parts.sigmaNow }, player);
    box.inert = true; // until the settings are here
    this.stages = { main: {}, pin: {} };
    this.panel = new Panel(this.parts.panel, boot, {
      changed: () => this.ask(),
      draw: (on) => (on ? this.startDrawing() : this.stopDrawing()),
    });
    this.ladder = new Ladder(this.parts.ladder, { changed: (sigmas) => this.panel.set({ sigmas }) });
    this.requests = {
      main: this.asking("main", server.ask, server.measure),
      pin: this.asking("pin", server.askPinned, server.measurePinned),
    };
    this.probes = new Latest({
      send: (serial, payload) => server.probe({ serial, ...payload }),
      build: () => this.probeRequest,
      silent: () => this.say("The server does not answer. Is it still running?"),
    });
    this.listen();
    addEventListener("edm-askPinned", (event) => this.receive("pin", event.detail));
    addEventListener("edm-measure", (event) => this.receiveMeasures("main", event.detail));
    addEventListener("edm-measurePinned", (event) => this.receiveMeasures("pin", event.detail));
    addEventListener("edm-probe", (event) => this.receiveProbe(event.detail));
    requestAnimationFrame((now) => this.tick(now));
  }

  asking(name, ask, measure) {
    const requests = new Latest({
      send: (serial, payload) => {
        if (name === "main") this.root.dataset.asked = serial;
        requests.payload = payload;
        ask({ serial, ...payload });
      },
      build: () => this.request(name),
      silent: () => this.say("The server does not answer. Is it still running?"),
    });
    requests.measure = (serial) => measure({ serial, ...requests.payload });
    return requests;
  }

  listen() {
    const { pin } = this.parts;
    pin.addEventListener("click", () => this.pin());
    new ResizeObserver(() => this.repaint()).observe(this.parts.stages);
  }

  // The tab comes into view, or goes.
  set active(active) {
    this.shown = active;
    if (active && this.unasked) this.askAll();
    this.repaint();
  }

  // ---- asking ----

  request(name) {
    const values = name === "pin" ? this.pinned : this.panel.changedValues();
    const box = this.parts.canvases.main.getBoundingClientRect();
    const field = this.view.field ? { aspect: box.width / box.height, follow: this.view.coordinates !== "data" } : null;
    return { values, field };
  }

  ask() {
    this.notice = null; // of the link: something has changed
    if (this.probeRequest) this.probe(null);
    this.requests.main.ask();
  }

  askAll() {
    this.unasked = !this.shown;
    if (this.unasked) return;
    this.requests.main.ask();
    if (this.pinned) this.requests.pin.ask();
  }

  // What the address says of this tab: the last settings that gave a picture.
  query() {
    const query = { ...this.accepted };
    if (this.pinned) {
      for (const [name, value] of Object.entries(this.pinned)) query[`pin.${name}`] = value;
      query["pin.model"] ??= this.boot.knobs.model.default;
    }
    for (const [name, value] of Object.entries(this.view)) if (name !== "drawing") query[`view.${name}`] = value;
    return query;
  }

  // Models have come, or gone, or have made room for others of their names.
  offer(_choices, replaced) {
    this.panel.offer();
    if ([this.accepted, this.pinned].some((shown) => replaced.includes(shown?.model))) this.askAll();
  }

  // ---- receiving ----

  receive(name, message) {
    const requests = this.requests[name];
    if (!requests.accept(message.serial)) return;
    if (message.error) {
      this.say(message.error);
      this.root.dataset.asked = this.root.dataset.serial;
    } else {
      this.show(name, message);
      if (name === "main") {
        this.accepted = requests.payload.values;
        this.changed();
        this.say(this.notice);
      }
    }
    requests.settle();
    if (message.finished && !message.error && requests.answered) requests.measure(message.serial);
  }

  open({ values, pinned, view, notice }) {
    const unread = Object.entries(view).filter(([name, value]) => !isView(name, value));
    for (const [name, value] of Object.entries(view)) if (isView(name, value)) this.view[name] = value;
    this.notice =
      notice ??
      (unread.length
        ? `This link could not be read whole. Left out: ${unread
            .map(([name]) => `view.${name}`.slice(0, 40))
            .slice(0, 4)
            .join("; ")}.`
        : null);
    this.panel.load(values);
    this.accepted = this.panel.changedValues();
    this.box.inert = false;
    if (pinned) {
      const { sampling, ...rest } = pinned;
      this.pinned = this.panel.changedValues({ ...rest, ...sampling });
    }
    this.showPin();
    this.askAll();
    this.player.start();
  }

  // Take over settings that came from elsewhere on the page.
  load({ sampling = {}, ...rest }) {
    this.stopDrawing();
    this.panel.set({ ...this.panel.defaults, ...rest, ...sampling });
  }

  show(name, { serial, body, finished }) {
    const model = this.boot.models.find((m) => m.name === body.model);
    const result = { id: `${name}${serial}${finished}${body.run.index.length}`, finished, ...body };
    result.components = body.components ?? model.components;
    result.range = model.range;
    const Kind = stageOf(result.run.shape);
    if (this.stages[name].constructor !== Kind) this.stages[name] = this.stage(name, Kind);
    const stage = this.stages[name];
    if (name === "main" && Kind !== Images) delete this.view.selected;
    stage.setResult(result);
    this.results[name] = result;
    if (name === "main") viewControls(this.parts.views, Kind.name, this.view, (changes) => this.setView(changes));
    this.paint();
    this.root.dataset.serial = serial;
    this.root.dataset.finished = finished;
    this.describe();
  }

  // A stage on a canvas of its own, so that no listener of another kind of stage stays behind.
  stage(name, Kind) {
    const fresh = this.parts.canvases[name].cloneNode();
    this.parts.canvases[name].replaceWith(fresh);
    this.parts.canvases[name] = fresh;
    const stage = new Kind(fresh, {
      view: this.view,
      onProbe: (position) => this.probe(position),
      onDrawn: (points) => points.length && this.panel.set({ model: "drawn", points: [...points], label: null }),
      onSelect: (selected) => this.setView({ selected }),
      repaint: () => this.repaint(),
    });
    return stage;
  }

  receiveMeasures(name, { serial, body, error }) {
    if (serial !== this.requests[name].shown) return;
    if (error) return this.say(error);
    this.measures[name] = body;
    this.root.dataset.measured = serial;
    this.describe();
  }

  // ---- painting ----

  tick(now) {
    if (this.shown && this.player.tick(now)) this.dirty = true;
    if (this.dirty && this.shown) this.paint();
    requestAnimationFrame((time) => this.tick(time));
  }

  repaint() {
    this.dirty = true;
  }

  paint() {
    this.dirty = false;
    const { main, pin } = this.results;
    if (!main) return;
    const { colors } = this;
    const [u, sigma] = this.player.show();
    this.stages.main.draw(u, colors);
    if (pin && this.pinned) this.stages.pin.draw(positionAt(pin.levels, sigma), colors);
    this.ladder.update(main.levels, u, this.pinned && pin ? pin.levels : null, main.range);
    this.root.dataset.paints = Number(this.root.dataset.paints ?? 0) + 1;
  }

  // ---- words ----

  say(sentence) {
    this.parts.notice.textContent = sentence ?? "";
    this.parts.notice.hidden = !sentence;
  }

  describe() {
    const { main } = this.results;
    if (!main) return;
    for (const name of ["main", "pin"]) {
      const box = this.parts.metrics[name];
      box.hidden = name === "pin" && !this.pinned;
      const label = name === "pin" ? "pinned" : this.pinned ? "now" : null;
      if (this.results[name] && !box.hidden)
        box.replaceChildren(...metrics(label, this.results[name], this.measures[name]));
    }
    const sentence = summary(main, this.measures.main, this.panel.values, this.panel.boot.knobs);
    if (this.parts.summary.textContent !== sentence) this.parts.summary.textContent = sentence;
    const { caption } = this.parts;
    caption.main.hidden = caption.pin.hidden = !this.pinned;
    if (!this.pinned) return;
    const [now, pinned] = differences(this.panel.changedValues(), this.pinned, this.boot.knobs);
    caption.main.textContent = `now: ${now}`;
    caption.pin.textContent = `pinned: ${pinned}`;
  }

  texts() {
    const { main } = this.results;
    return { python: main?.python ?? "", command: main?.command ?? "" };
  }

  // ---- what else one can do ----

  setView(changes) {
    const arrows = "field" in changes || ("coordinates" in changes && this.view.field);
    Object.assign(this.view, changes);
    for (const [name, value] of Object.entries(this.view)) if (value == null) delete this.view[name];
    this.changed();
    if (changes.drawing === "off") {
      this.view.drawing = "on";
      this.stopDrawing();
    }
    viewControls(this.parts.views, this.stages.main.constructor.name, this.view, (c) => this.setView(c));
    if (arrows) this.askAll();
    this.repaint();
  }

  pin() {
    this.pinned = this.pinned ? null : this.accepted;
    this.showPin();
    this.changed();
    if (this.pinned) this.requests.pin.ask();
    this.describe();
    this.repaint();
  }

  showPin() {
    this.parts.pin.textContent = this.pinned ? "Unpin" : "Pin for comparison";
    this.parts.stages.classList.toggle("two", this.pinned != null);
  }

  probe(position) {
    const stage = this.stages.main;
    if (!(stage instanceof Plane)) return;
    if (!position) {
      stage.probe = this.probeRequest = null;
      return this.repaint();
    }
    this.player.play(false);
    const { levels } = this.results.main;
    const u = this.player.fraction * (levels.length - 1);
    if (sigmaAt(levels, u) === 0)
      return this.say("At σ = 0 nothing is left to solve: move the time slider back, then drag a particle.");
    this.player.fraction = Math.floor(u + 1e-9) / (levels.length - 1);
    this.probeRequest = { ...this.request("main"), position, level: Math.floor(u + 1e-9) };
    this.probes.ask();
  }

  receiveProbe(message) {
    if (!this.probes.accept(message.serial)) return;
    if (message.error) this.say(message.error);
    else if (this.probeRequest && this.stages.main instanceof Plane) {
      this.stages.main.probe = message.body;
      this.root.dataset.probe = message.serial;
      this.repaint();
    }
    this.probes.settle();
  }

  startDrawing() {
    const { points } = this.panel.values;
    if (!(this.stages.main instanceof Plane))
      this.panel.set({ model: "eight_gaussians", points: null, label: null, count: null });
    this.whenPlane(() => {
      this.player.play(false);
      this.stages.main.drawing = points ? [...points] : [];
      this.view.drawing = "on";
      viewControls(this.parts.views, "Plane", this.view, (changes) => this.setView(changes));
      this.say("Draw with the mouse or a finger, then press Done. (Keyboard: arrows move, space sets points.)");
      this.parts.canvases.main.focus();
      this.repaint();
    });
  }

  whenPlane(then) {
    if (this.stages.main instanceof Plane) then();
    else setTimeout(() => this.whenPlane(then), 30);
  }

  stopDrawing() {
    if (!this.view.drawing) return;
    delete this.view.drawing;
    this.stages.main.drawing = null;
    this.say(null);
    this.player.play(true);
  }

  recolor(colors) {
    this.colors = colors;
    this.panel.paintThumbnails(colors.data);
    this.repaint();
  }

  async savePng() {
    const shown = this.pinned ? ["main", "pin"] : ["main"];
    const canvases = shown.map((name) => this.parts.canvases[name]);
    const sheet = element("canvas", {
      width: canvases.reduce((sum, c) => sum + c.width, 0),
      height: canvases[0].height,
    });
    const context = sheet.getContext("2d");
    context.fillStyle = this.colors.bg;
    context.fillRect(0, 0, sheet.width, sheet.height);
    let x = 0;
    for (const canvas of canvases) {
      context.drawImage(canvas, x, 0);
      x += canvas.width;
    }
    download(await pngWithText(sheet, this.results.main.document), `edm-${this.results.main.model}.png`);
  }
}
