// The Sampler tab: wires panel, stages, time slider and noise levels to the server.
import { Images } from "./images.js";
import { Ladder } from "./ladder.js";
import { element, number, palette, positionAt, sigmaAt } from "./lib.js";
import { Line } from "./line.js";
import { Panel } from "./panel.js";
import { Plane } from "./plane.js";
import { Lane } from "./requests.js";
import { download, pngWithText, Share } from "./share.js";
import { isView, skeleton, viewControls } from "./shell.js";
import { differences, metrics, summary } from "./words.js";

const PLAY_SECONDS = 4.5;
const REST_SECONDS = 1.6; // at the end, before it plays again
const STAGES = { 1: { 1: Line, 2: Plane }, 3: Images };

export function mount(root, boot, server) {
  return new Sampler(root, boot, server);
}

class Sampler {
  constructor(root, boot, server) {
    Object.assign(this, { root, boot, server, view: {}, fraction: 0, results: {}, measures: {}, pinned: null });
    this.calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.parts = skeleton(root);
    root.inert = true; // until the settings are here
    this.stages = { main: {}, pin: {} };
    this.panel = new Panel(this.parts.panel, boot, { changed: () => this.ask(), draw: (on) => (on ? this.startDrawing() : this.stopDrawing()) });
    this.ladder = new Ladder(this.parts.ladder, { changed: (sigmas) => this.panel.set({ sigmas }) });
    this.share = new Share(this.parts.share, () => this.texts());
    this.lanes = {
      main: this.lane("main", server.ask, server.measure),
      pin: this.lane("pin", server.askPinned, server.measurePinned),
    };
    this.probes = new Lane({
      send: (serial, payload) => server.probe({ serial, ...payload }),
      build: () => this.probeRequest,
      silent: () => this.say("The server does not answer. Is it still running?"),
    });
    this.listen();
    server.onMessage((message) => (message.opened ? this.open(message.opened) : this.receive("main", message)));
    addEventListener("edm-pinned", (event) => this.receive("pin", event.detail));
    addEventListener("edm-measured", (event) => this.receiveMeasures("main", event.detail));
    addEventListener("edm-measured-pinned", (event) => this.receiveMeasures("pin", event.detail));
    addEventListener("edm-probed", (event) => this.receiveProbe(event.detail));
    requestAnimationFrame((now) => this.tick(now));
  }

  lane(name, ask, measure) {
    const lane = new Lane({
      send: (serial, payload) => ask({ serial, ...(lane.payload = payload) }),
      build: () => this.request(name),
      silent: () => this.say("The server does not answer. Is it still running?"),
    });
    lane.measure = (serial) => measure({ serial, ...lane.payload });
    return lane;
  }

  listen() {
    const { play, time, pin, link, png, theme } = this.parts;
    play.addEventListener("click", () => this.play(!this.playing));
    time.addEventListener("input", () => {
      this.play(false);
      this.seek(Number(time.value) / 1000);
    });
    pin.addEventListener("click", () => this.pin());
    link.addEventListener("click", () => this.share.open());
    png.addEventListener("click", () => this.savePng());
    theme.addEventListener("click", () => this.switchTheme());
    new ResizeObserver(() => this.repaint()).observe(this.parts.stages);
    const saved = localStorage.getItem("edm-theme");
    if (saved) document.body.classList.toggle("dark", saved === "dark");
    new MutationObserver(() => this.recolor()).observe(document.body, { attributeFilter: ["class"] });
    this.recolor();
  }

  // ---- asking ----

  request(lane) {
    const values = lane === "pin" ? this.pinned : this.panel.changedValues();
    const box = this.parts.canvases.main.getBoundingClientRect();
    const field = this.view.field ? { aspect: box.width / box.height, follow: this.view.coordinates !== "data" } : null;
    return { values, field };
  }

  ask() {
    if (this.probeRequest) this.probe(null);
    this.lanes.main.ask();
  }

  askAll() {
    this.lanes.main.ask();
    if (this.pinned) this.lanes.pin.ask();
  }

  // Not at every move of a slider: browsers limit how often the address may change.
  rememberSoon() {
    clearTimeout(this.remembering);
    this.remembering = setTimeout(() => this.remember(), 200);
  }

  // The whole state in the address, without a new page: the last settings that gave a picture.
  remember() {
    const query = new URLSearchParams(this.accepted);
    if (this.pinned) {
      for (const [name, value] of Object.entries(this.pinned)) query.set(`pin.${name}`, value);
      if (!query.has("pin.model")) query.set("pin.model", this.boot.knobs.model.default);
    }
    for (const [name, value] of Object.entries(this.view)) if (name !== "drawing") query.set(`view.${name}`, value);
    const text = query.toString().replaceAll("%2C", ",").replaceAll("%3B", ";");
    history.replaceState(null, "", text ? `?${text}` : location.pathname);
  }

  // ---- receiving ----

  receive(name, message) {
    const lane = this.lanes[name];
    if (!lane.accept(message.serial)) return;
    if (message.error) this.say(message.error);
    else {
      this.show(name, message);
      if (name === "main") {
        this.accepted = lane.payload.values;
        this.rememberSoon();
        this.say(this.notice ?? null);
        this.notice = null;
      }
    }
    lane.settle();
    if (message.finished && !message.error && lane.answered) lane.measure(message.serial);
  }

  open({ values, pinned, notice }) {
    const query = new URLSearchParams(location.search);
    for (const [name, value] of query)
      if (name.startsWith("view.") && isView(name.slice(5), value)) this.view[name.slice(5)] = value;
    this.notice = notice;
    this.panel.load(values);
    this.root.inert = false;
    if (pinned) {
      const { sampling, ...rest } = pinned;
      this.pinned = this.panel.changedValues({ ...rest, ...sampling });
    }
    this.showPin();
    this.askAll();
    if (this.calm) this.seek(1);
    else this.play(true);
  }

  show(lane, { serial, body, finished }) {
    const model = this.boot.models.find((m) => m.name === body.model);
    const result = { id: `${lane}${serial}${finished}${body.run.index.length}`, finished, ...body };
    result.components = body.components ?? model.components;
    const [rank, size] = [result.run.shape.length, result.run.shape[0]];
    const Kind = rank === 1 ? STAGES[1][size] : STAGES[3];
    if (this.stages[lane].constructor !== Kind) this.stages[lane] = this.stage(lane, Kind);
    const stage = this.stages[lane];
    if (lane === "main" && Kind !== Images) delete this.view.selected;
    stage.setResult(result);
    this.results[lane] = result;
    if (lane === "main") viewControls(this.parts.views, Kind.name, this.view, (changes) => this.setView(changes));
    this.paint();
    this.root.dataset.serial = serial;
    this.root.dataset.finished = finished;
    this.describe();
  }

  // A stage on a canvas of its own, so that no listener of another kind of stage stays behind.
  stage(lane, Kind) {
    const fresh = this.parts.canvases[lane].cloneNode();
    this.parts.canvases[lane].replaceWith(fresh);
    this.parts.canvases[lane] = fresh;
    const stage = new Kind(fresh, {
      view: this.view,
      onProbe: (position) => this.probe(position),
      onDrawn: (points) => points.length && this.panel.set({ model: "drawn", points: [...points], label: null }),
      onSelect: (selected) => this.setView({ selected }),
      repaint: () => this.repaint(),
    });
    return stage;
  }

  receiveMeasures(lane, { serial, body, error }) {
    if (serial !== this.lanes[lane].shown) return;
    if (error) return this.say(error);
    this.measures[lane] = body;
    this.root.dataset.measured = serial;
    this.describe();
  }

  // ---- the time slider ----

  play(playing) {
    this.playing = playing && !this.calm;
    if (playing && this.fraction >= 1) this.fraction = 0;
    this.rest = 0;
    const { play } = this.parts;
    play.classList.toggle("playing", this.playing);
    play.setAttribute("aria-label", this.playing ? "Pause" : "Play");
    if (playing && this.calm) this.seek(1);
  }

  seek(fraction) {
    this.fraction = fraction;
    this.repaint();
  }

  tick(now) {
    const passed = Math.min((now - (this.before ?? now)) / 1000, 0.1);
    this.before = now;
    if (this.playing && this.results.main) {
      if (this.fraction < 1) this.advance(passed / PLAY_SECONDS);
      else if ((this.rest += passed) > REST_SECONDS) [this.fraction, this.rest] = [0, 0];
      if (this.rest === 0 || this.fraction < 1) this.dirty = true;
    }
    if (this.dirty) this.paint();
    requestAnimationFrame((time) => this.tick(time));
  }

  // Even speed in the angle arctan(σ/σ_data): x/√(σ² + σ_data²) turns from noise to data at an even pace.
  advance(share) {
    const { levels, sigmaData } = this.results.main;
    const [last, spread] = [levels.length - 1, sigmaData || 0.5];
    const angle = Math.atan(sigmaAt(levels, this.fraction * last) / spread) - share * Math.atan(levels[0] / spread);
    this.fraction = angle <= 1e-4 ? 1 : positionAt(levels, spread * Math.tan(angle)) / last;
  }

  repaint() {
    this.dirty = true;
  }

  paint() {
    this.dirty = false;
    const { main, pin } = this.results;
    if (!main) return;
    const { colors } = this;
    const u = this.fraction * (main.levels.length - 1);
    const sigma = sigmaAt(main.levels, u);
    this.stages.main.draw(u, colors);
    if (pin && this.pinned) this.stages.pin.draw(positionAt(pin.levels, sigma), colors);
    const { time, sigmaNow } = this.parts;
    time.value = 1000 * this.fraction;
    time.style.setProperty("--fill", `${100 * this.fraction}%`);
    const text = `σ = ${number(Number(sigma.toPrecision(3)))}`;
    if (sigmaNow.textContent !== text) {
      sigmaNow.textContent = text;
      time.setAttribute("aria-valuetext", text);
    }
    this.ladder.update(main.levels, u, this.pinned && pin ? pin.levels : null);
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
    for (const lane of ["main", "pin"]) {
      const box = this.parts.metrics[lane];
      box.hidden = lane === "pin" && !this.pinned;
      const label = lane === "pin" ? "pinned" : this.pinned ? "now" : null;
      if (this.results[lane] && !box.hidden) box.replaceChildren(...metrics(label, this.results[lane], this.measures[lane]));
    }
    const sentence = summary(main, this.measures.main, this.panel.values);
    if (this.parts.summary.textContent !== sentence) this.parts.summary.textContent = sentence;
    const { caption } = this.parts;
    caption.main.hidden = caption.pin.hidden = !this.pinned;
    if (!this.pinned) return;
    const [now, pinned] = differences(this.panel.changedValues(), this.pinned, this.boot.knobs);
    caption.main.textContent = `now: ${now}`;
    caption.pin.textContent = `pinned: ${pinned}`;
  }

  texts() {
    this.remember();
    const { main } = this.results;
    return { link: location.href, python: main?.python ?? "", command: main?.command ?? "" };
  }

  // ---- what else one can do ----

  setView(changes) {
    const arrows = "field" in changes || ("coordinates" in changes && this.view.field);
    Object.assign(this.view, changes);
    for (const [name, value] of Object.entries(this.view)) if (value == null) delete this.view[name];
    this.remember();
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
    this.remember();
    if (this.pinned) this.lanes.pin.ask();
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
    this.play(false);
    const { levels } = this.results.main;
    const u = this.fraction * (levels.length - 1);
    if (sigmaAt(levels, u) === 0) return this.say("At σ = 0 nothing is left to solve: move the time slider back, then drag a particle.");
    this.fraction = Math.floor(u + 1e-9) / (levels.length - 1);
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
    if (!(this.stages.main instanceof Plane)) this.panel.set({ model: "eight_gaussians", points: null, label: null, count: null });
    this.whenPlane(() => {
      this.play(false);
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
    this.play(true);
  }

  // The theme has changed, by our button or by Gradio.
  recolor() {
    this.colors = palette(this.root);
    this.panel.paintThumbnails(this.colors.data);
    this.repaint();
  }

  switchTheme() {
    const dark = document.body.classList.toggle("dark");
    localStorage.setItem("edm-theme", dark ? "dark" : "light");
  }

  async savePng() {
    const lanes = this.pinned ? ["main", "pin"] : ["main"];
    const canvases = lanes.map((lane) => this.parts.canvases[lane]);
    const sheet = element("canvas", { width: canvases.reduce((sum, c) => sum + c.width, 0), height: canvases[0].height });
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
