// The Sampler tab: its panel, two pictures (the present one, and one that is pinned beside it), and the time that both share.
import { countUp, watchSize } from "../shared/dom.js";
import { Frames } from "../shared/frames.js";
import { positionAt } from "../shared/levels.js";
import { NoisePlayer } from "../shared/player.js";
import { row } from "../shared/sheet.js";
import { Images } from "../shared/stages/images.js";
import { changeView, readView, showSwitches } from "../shared/stages/switches.js";
import { download, pngWithText } from "../shared/takeaway.js";
import { prefixed } from "../shared/values.js";
import { Asked } from "./asked.js";
import { Finding } from "./finding.js";
import { Ladder } from "./ladder.js";
import { layout } from "./layout.js";
import { Panel } from "./panel.js";
import { Particle } from "./particle.js";
import { HOW_TO_DRAW, Pen } from "./pen.js";
import { Settings } from "./settings.js";
import { Strip } from "./strip.js";
import { describe } from "./summary.js";

/** @typedef {import("../shared/types.d.ts").Tab} Tab */
/** @typedef {import("../shared/types.d.ts").Values} Values */

/** @implements {Tab} */
export class Sampler {
  /** @type {import("../shared/types.d.ts").View} */
  view = {};
  /** @type {Record<string, string>} The last settings that gave a picture. */
  accepted = {};
  /** @type {Record<string, string> | null} */
  pinned = null;
  /** @type {string | null} Of the link: until something changes. */
  notice = null;
  /** @type {import("../shared/types.d.ts").Colors | null} */
  colors = null;
  #shown = false;
  #unasked = false; // something has to be asked for once it is in view

  /**
   * @param {import("../shared/types.d.ts").Page} page
   * @param {import("../shared/messages.d.ts").Tab} _tab
   * @param {HTMLElement} box
   */
  constructor(page, _tab, box) {
    this.page = page;
    this.box = box;
    box.inert = true; // until the settings are here
    this.parts = layout(box);
    this.player = new NoisePlayer(this.parts.time, {
      run: () => this.main.picture.result,
      moved: () => this.repaint(),
    });
    this.frames = new Frames(() => this.paint(), this.player);
    this.settings = new Settings(page.boot, () => this.#changed(), page.visit);
    this.panel = new Panel(this.parts.panel, this);
    this.strip = new Strip(this);
    this.ladder = new Ladder(this.parts.ladder, (sigmas) => this.settings.set({ sigmas }));
    this.main = this.#asked("main", ["ask", "measure"], () => this.settings.changedValues());
    this.pin = this.#asked("pin", ["askPinned", "measurePinned"], () => this.pinned ?? {});
    const common = { picture: this.main.picture, repaint: () => this.repaint() };
    const build = () => this.#wanted(this.settings.changedValues());
    this.particle = new Particle(page, { ...common, player: this.player, build, say: (text) => this.say(text) });
    this.pen = new Pen({ ...common, settings: this.settings, changed: () => this.#drawing() });
    this.finding = new Finding(this);
    this.parts.pinning.addEventListener("click", () => this.#togglePin());
    watchSize(this.parts.stages, () => this.repaint());
  }

  /**
   * @param {"main" | "pin"} name
   * @param {["ask" | "askPinned", "measure" | "measurePinned"]} events
   * @param {() => Record<string, string>} values
   */
  #asked(name, events, values) {
    return new Asked(this.page, {
      events,
      canvas: this.parts[name].canvas,
      options: {
        view: this.view,
        repaint: () => this.repaint(),
        onProbe: (position) => name === "main" && this.particle.drag(position),
        onSelect: (selected) => this.setView({ selected }),
      },
      build: () => this.#wanted(values()),
      sent: (serial) => {
        if (name === "main") this.page.root.dataset.asked = String(serial);
      },
      shown: (wanted) => this.#arrived(name, wanted),
      measured: (serial) => {
        this.page.root.dataset.measured = String(serial);
        if (name === "main") this.finding.measured(serial);
        this.describe();
      },
      say: (sentence) => this.say(sentence),
    });
  }

  /** @param {boolean} active */
  set active(active) {
    this.#shown = active;
    if (active && this.#unasked) this.#askAll();
    this.frames.active = active;
  }

  /** @param {import("../shared/types.d.ts").Opening} opening */
  open({ values, pinned = null, view = {}, notice }) {
    const { known, sentence } = readView(view);
    for (const name of Object.keys(this.view)) delete this.view[name];
    changeView(this.view, known);
    this.pen.stop();
    this.finding.stop();
    this.notice = notice ?? sentence;
    this.settings.load(values);
    this.accepted = this.settings.changedValues();
    this.box.inert = false;
    this.pinned = pinned && this.settings.changedValues({ ...pinned, ...pinned.sampling, sampling: null });
    this.#showPin();
    this.#askAll();
    if (!this.main.picture.result) this.player.start();
    this.repaint();
  }

  /** @returns {import("../shared/types.d.ts").Saved} */
  state() {
    return { values: this.settings.values, pinned: this.pinned, view: { ...this.view } };
  }

  get past() {
    return this.settings.past;
  }

  /**
   * Take over a document of settings that comes from elsewhere on the page.
   * @param {Values} document
   */
  load({ sampling = {}, ...rest }) {
    this.pen.stop();
    this.settings.set({ ...this.settings.defaults, ...rest, ...sampling });
  }

  query() {
    const pinned = this.pinned && { model: this.settings.defaults.model, ...this.pinned };
    return { ...this.accepted, ...prefixed("pin", pinned ?? {}), ...prefixed("view", this.view) };
  }

  /**
   * @param {import("../shared/messages.d.ts").Models["choices"]} _choices
   * @param {string[]} replaced
   */
  offer(_choices, replaced) {
    this.settings.offer();
    if ([this.accepted, this.pinned].some((shown) => shown && replaced.includes(shown.model))) this.#askAll();
  }

  texts() {
    const { result } = this.main.picture;
    return { python: result?.python ?? "", command: result?.command ?? "" };
  }

  async savePng() {
    const { result } = this.main.picture;
    if (!result || !this.colors) return;
    const shown = this.pinned ? [this.main, this.pin] : [this.main];
    const pictures = shown.map(({ picture }) => ({ canvas: picture.canvas }));
    download(await pngWithText(row(pictures, this.colors), result.document), `edm-${result.model}.png`);
  }

  /** @param {string | null} sentence */
  say(sentence) {
    this.parts.notice.textContent = sentence ?? ""; // which names settings as addresses do
    this.parts.notice.hidden = !sentence;
  }

  /** @param {import("../shared/types.d.ts").Colors} colors */
  recolor(colors) {
    this.colors = colors;
    this.panel.models.recolor(colors.data);
    this.repaint();
  }

  /**
   * @param {Record<string, string>} values
   * @returns {import("./asked.js").Wanted}
   */
  #wanted(values) {
    const { width, height } = this.main.picture.canvas.getBoundingClientRect();
    const field = this.view.field ? { aspect: width / height, follow: this.view.coordinates !== "data" } : null;
    return { values, field };
  }

  #changed() {
    this.notice = null;
    this.finding.stop();
    this.page.changed();
    this.particle.letGo();
    this.main.requests.ask();
  }

  #askAll() {
    this.#unasked = !this.#shown;
    if (this.#unasked) return;
    this.main.requests.ask();
    if (this.pinned) this.pin.requests.ask();
  }

  /**
   * A picture has come.
   * @param {"main" | "pin"} name
   * @param {import("./asked.js").Wanted} wanted
   */
  #arrived(name, { values }) {
    if (name === "main") {
      if (this.main.picture.kind !== Images) delete this.view.selected;
      this.#showViews();
    }
    this.paint();
    this.describe();
    if (name === "pin") return;
    if (this.main.picture.result) this.panel.show(this.main.picture.result);
    this.accepted = values;
    this.page.changed();
    this.say(this.notice);
    this.pen.arrive();
  }

  repaint() {
    this.frames.ask();
  }

  paint() {
    const { result } = this.main.picture;
    if (!result || !this.colors) return;
    const [u, sigma] = this.player.show(result.levels);
    this.main.picture.draw(u, this.colors);
    const pinned = this.pinned ? this.pin.picture.result : null;
    if (pinned) this.pin.picture.draw(positionAt(pinned.levels, sigma), this.colors);
    this.strip.show(result, u);
    this.ladder.update(result.levels, u, pinned?.levels ?? null, result.range, this.settings.guided);
    countUp(this.page.root, "paints");
  }

  describe() {
    describe(this.parts, this);
  }

  /** @param {import("../shared/types.d.ts").ViewChanges} changes */
  setView(changes) {
    const arrows = "field" in changes || ("coordinates" in changes && this.view.field);
    changeView(this.view, changes);
    this.page.changed();
    this.#showViews();
    if (arrows) this.#askAll();
    this.repaint();
  }

  #showViews() {
    const { views } = this.parts;
    const { kind } = this.main.picture;
    if (this.pen.drawing) {
      views.dataset.key = "";
      views.replaceChildren(...this.pen.ends());
    } else if (kind) {
      showSwitches(views, this.main.picture.switches, this.view, (changes) => this.setView(changes));
    }
  }

  /** @param {string} name */
  chooseModel(name) {
    if (name === "drawn") {
      this.pen.start();
      return;
    }
    this.pen.stop();
    this.settings.setModel(name);
  }

  /** Somebody begins to draw, or has ended. */
  #drawing() {
    const { drawing } = this.pen;
    this.player.play(!drawing);
    this.say(drawing ? HOW_TO_DRAW : null);
    this.#showViews();
    this.repaint();
  }

  #togglePin() {
    this.pinned = this.pinned ? null : this.accepted;
    this.#showPin();
    this.page.changed();
    if (this.pinned) this.pin.requests.ask();
    this.describe();
    this.repaint();
  }

  #showPin() {
    this.parts.pinning.textContent = this.pinned ? "Unpin" : "Pin for comparison";
    this.parts.stages.classList.toggle("two", this.pinned != null);
  }
}
