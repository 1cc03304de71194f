// The samples of the chosen runs at each tick, from the same latents: a film with one timeline for all.
import { fit } from "../shared/canvas.js";
import { element, watchSize } from "../shared/dom.js";
import { Frames } from "../shared/frames.js";
import { compact } from "../shared/numbers.js";
import { arrowsOf, float32, mixture } from "../shared/packed.js";
import { StepPlayer, timeline } from "../shared/player.js";
import { paintCloud, paintGrid } from "../shared/samples.js";

/** @typedef {import("./types.d.ts").Points} Points */
/** @typedef {import("./types.d.ts").Pictures} Pictures */
/** @typedef {Map<number, Points | Pictures | null>} Reel  Samples by images seen; null: there are none. */
/** @typedef {{ name: string, canvas: HTMLCanvasElement, caption: HTMLElement, box: HTMLElement }} Box */

const REELS = 4; // runs whose samples are shown side by side
const AT_ONCE = 8; // frames in one answer
const UNASKED = 24; // frames that are fetched before anybody moves the timeline

export class Film {
  /** @type {Map<string, Reel>} By run. */
  #reels = new Map();
  /** @type {Box[]} */
  #boxes = [];
  /** @type {number | null} Where the timeline stands. */
  images = null;
  /** @type {{ images: number[] } | null} */
  #track = null;
  /** @type {import("../shared/types.d.ts").Colors | null} */
  #colors = null;
  /** @type {Map<string, import("../shared/types.d.ts").Component[]>} Densities of datasets, unpacked once. */
  #densities = new Map();
  #following = true; // the newest ticks
  #touched = false;
  #fetching = false;
  #shown = false;

  /**
   * @param {import("./types.d.ts").TrainPage} tab
   * @param {object} chosen
   * @param {() => import("./types.d.ts").Run[]} chosen.runs
   * @param {() => number[]} chosen.stops  Images of all ticks.
   * @param {(name: string) => { images: number }[]} chosen.ticks  Of a run.
   * @param {(name: string) => Float32Array | null} chosen.points  Of its data.
   * @param {() => void} chosen.moved  The timeline was moved.
   */
  constructor(tab, chosen) {
    this.tab = tab;
    this.chosen = chosen;
    this.box = element("div", { class: "film" });
    const line = timeline("Training time: images seen");
    this.line = line.node;
    this.player = new StepPlayer(line, { run: () => this.#track, moved: () => this.#move() });
    this.player.fraction = 1;
    this.frames = new Frames(() => this.#paint(), this);
    watchSize(this.box, () => this.frames.ask());
  }

  get canvases() {
    return this.#boxes.map(({ canvas }) => canvas);
  }

  /** Other runs were chosen. */
  reset() {
    this.#following = true;
    this.player.play(false);
    this.player.fraction = 1;
    const runs = this.chosen.runs();
    for (const name of this.#reels.keys()) if (!runs.some((run) => run.name === name)) this.#reels.delete(name);
    this.#boxes = runs.slice(0, REELS).map(({ name }) => {
      const canvas = element("canvas", { "aria-label": `Samples of ${name}; a summary follows below` });
      const caption = element("span", { class: "caption" });
      return { name, canvas, caption, box: element("div", { class: "reel" }, caption, element("div", {}, canvas)) };
    });
    this.box.dataset.reels = String(this.#boxes.length);
    this.box.replaceChildren(...this.#boxes.map(({ box }) => box));
  }

  /**
   * It is another run that has this name now.
   * @param {string} name
   */
  forget(name) {
    this.#reels.delete(name);
  }

  /** New ticks have come: stay at the end, or at the same moment. */
  refresh() {
    const stops = this.chosen.stops();
    this.#track = stops.length ? { images: stops } : null;
    this.line.classList.toggle("idle", stops.length < 2);
    if (!this.#track) this.images = null;
    else if (this.#following && !this.player.playing) this.player.fraction = 1;
    else if (!this.player.playing) this.player.fraction = place(stops, this.images ?? 0);
    this.#settle();
    this.#fetch();
    this.frames.ask();
  }

  #move() {
    this.#touched = true;
    this.#settle();
    this.#following = this.player.fraction >= 1;
    this.frames.ask();
    this.#fetch();
  }

  /** Where the timeline stands, in images. */
  #settle() {
    const images = this.#track ? this.#track.images[this.player.at(this.#track.images)] : null;
    if (images === this.images) return;
    this.images = images;
    this.chosen.moved();
  }

  /** @param {boolean} active */
  set active(active) {
    this.#shown = active;
    this.frames.active = active;
    this.#fetch();
  }

  get playing() {
    return this.player.playing;
  }

  /**
   * At every frame of the screen, while it plays.
   * @param {number} now
   */
  tick(now) {
    const moved = this.player.tick(now);
    if (moved) this.#move();
    return moved;
  }

  // ---- frames ----

  /** @param {string} name */
  #reel(name) {
    const reel = this.#reels.get(name) ?? new Map();
    this.#reels.set(name, reel);
    return reel;
  }

  /**
   * Samples of a run at a tick have come.
   * @param {string} name
   * @param {import("../shared/messages.d.ts").Frame} frame
   */
  take(name, { images, png, count, columns, tile, gap, x, dimension, field }) {
    const reel = this.#reel(name);
    if (png) {
      const image = new Image();
      image.onload = () => this.frames.ask();
      image.src = `data:image/png;base64,${png}`;
      reel.set(images, { images, image, count: count ?? 0, columns: columns ?? 1, tile: tile ?? 0, gap: gap ?? 0 });
    } else {
      reel.set(images, {
        images,
        x: float32(x ?? ""),
        dimension: dimension ?? 2,
        field: field ? arrowsOf(field) : null,
      });
    }
    this.frames.ask();
  }

  /**
   * The ticks whose frames are missing, those nearest to the present moment first.
   * @param {string} name
   */
  #missing(name) {
    const reel = this.#reel(name);
    /** @param {{ images: number }} tick */
    const away = ({ images }) => Math.abs(images - (this.images ?? images));
    const ticks = this.chosen.ticks(name).filter(({ images }) => !reel.has(images));
    const wanted = ticks.sort((a, b) => away(a) - away(b)).map(({ images }) => images);
    return this.#touched ? wanted : wanted.slice(0, Math.max(0, UNASKED - reel.size));
  }

  async #fetch() {
    if (this.#fetching || !this.#shown) return;
    this.#fetching = true;
    await this.#fetchAll().finally(() => {
      this.#fetching = false;
    });
  }

  async #fetchAll() {
    for (;;) {
      const next = this.#boxes.find(({ name }) => this.#missing(name).length);
      if (!next || !this.#shown) break;
      const images = this.#missing(next.name).slice(0, AT_ONCE);
      const { body } = await this.tab.asking.ask("film", { run: next.name, images });
      if (!body) break;
      const reel = this.#reel(next.name);
      for (const one of images) if (!reel.has(one)) reel.set(one, null); // drawn by nobody, or deleted since
      for (const frame of body.frames) this.take(next.name, frame);
    }
  }

  // ---- painting ----

  #paint() {
    if (!this.#colors) return;
    if (this.#track) this.player.mark(`${compact(this.#track.images[this.player.at(this.#track.images)])} images`);
    for (const box of this.#boxes) this.#paintBox(box, this.#colors);
  }

  /**
   * The newest frame at or before the present moment that is here already.
   * @param {string} name
   * @returns {Points | Pictures | null}
   */
  #frameOf(name) {
    const here = [...this.#reel(name).values()].filter((frame) => frame != null);
    const known = here.filter(({ images }) => this.images == null || images <= this.images);
    return known.sort((a, b) => b.images - a.images)[0] ?? null;
  }

  /**
   * @param {Box} box
   * @param {import("../shared/types.d.ts").Colors} colors
   */
  #paintBox({ name, canvas, caption, box }, colors) {
    const frame = this.#frameOf(name);
    const whose = this.#boxes.length > 1 ? `${name} · ` : "samples ";
    caption.textContent = frame ? `${whose}after ${compact(frame.images)} images` : "";
    const drawing = fit(canvas);
    box.dataset.images = String(frame?.images ?? "");
    if (!frame) return;
    if ("image" in frame) paintPictures(drawing, frame, colors);
    else paintCloud(drawing, { ...frame, components: this.#density(name), data: this.chosen.points(name) }, colors);
  }

  /**
   * Of the run's data, where that is known.
   * @param {string} name
   */
  #density(name) {
    const dataset = this.chosen.runs().find((run) => run.name === name)?.dataset;
    const model = this.tab.page.boot.models.find((known) => known.name === dataset);
    if (!dataset || !model?.components) return null;
    const density = this.#densities.get(dataset) ?? mixture(model.components, model.shape[0]);
    this.#densities.set(dataset, density);
    return density;
  }

  /** @param {import("../shared/types.d.ts").Colors} colors */
  recolor(colors) {
    this.#colors = colors;
    this.frames.ask();
  }
}

/**
 * @param {import("../shared/canvas.js").Drawing} drawing
 * @param {Pictures} frame
 * @param {import("../shared/types.d.ts").Colors} colors
 */
function paintPictures(drawing, { image, count, columns, tile, gap }, colors) {
  if (!image.complete || !image.naturalWidth) return;
  paintGrid(drawing, count, colors, (k, x, y, size) => {
    const [left, top] = [k % columns, Math.floor(k / columns)].map((at) => gap + at * (tile + gap));
    drawing.context.drawImage(image, left, top, tile, tile, x, y, size, size);
  });
}

/**
 * The place of a moment among the stops, from 0 to 1.
 * @param {number[]} stops
 * @param {number} images
 */
function place(stops, images) {
  const at = stops.findLastIndex((stop) => stop <= images);
  return stops.length > 1 ? Math.max(at, 0) / (stops.length - 1) : 1;
}
