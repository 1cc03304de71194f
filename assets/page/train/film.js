// @ts-nocheck
// The samples of the chosen runs at each tick, from the same latents: a film with one timeline for all.
import { fit } from "../shared/canvas.js";
import { element } from "../shared/dom.js";
import { compact } from "../shared/numbers.js";
import { float32, mixture } from "../shared/packed.js";
import { timeline } from "../shared/player.js";
import { paintCloud, paintGrid } from "../shared/samples.js";
import { Steps } from "../shared/steps.js";

const REELS = 4; // runs whose samples are shown side by side
const AT_ONCE = 8; // frames in one answer
const UNASKED = 24; // frames that are fetched before anybody moves the timeline

export class Film {
  // stops(): images of all ticks; runs(): the chosen ones; frames(name): {images} of a run; moved(): of the timeline.
  constructor(page, { stops, runs, frames, moved }) {
    Object.assign(this, {
      page,
      stops,
      runs,
      frames,
      moved,
      films: new Map(),
      reels: [],
      images: null,
      following: true,
    });
    this.box = element("div", { class: "film" });
    const line = timeline("Training time: images seen");
    this.line = line.node;
    this.player = new Timeline(line, { run: () => this.track, moved: () => this.move() });
    this.player.fraction = 1;
    new ResizeObserver(() => (this.dirty = true)).observe(this.box);
    requestAnimationFrame((now) => this.tick(now));
  }

  get canvases() {
    return this.reels.map(({ canvas }) => canvas);
  }

  reset() {
    this.following = true;
    this.player.play(false);
    this.player.fraction = 1;
    for (const name of [...this.films.keys()])
      if (!this.runs().some((run) => run.name === name)) this.films.delete(name);
    this.reels = this.runs()
      .slice(0, REELS)
      .map(({ name }) => {
        const canvas = element("canvas", { "aria-label": `Samples of ${name}; a summary follows below` });
        const caption = element("span", { class: "caption" });
        return { name, canvas, caption, box: element("div", { class: "reel" }, caption, element("div", {}, canvas)) };
      });
    this.box.dataset.lanes = this.reels.length;
    this.box.replaceChildren(...this.reels.map(({ box }) => box));
  }

  // New ticks have come: stay at the end, or at the same moment.
  refresh() {
    const stops = this.stops();
    this.track = stops.length ? { images: stops } : null;
    this.line.classList.toggle("idle", stops.length < 2);
    if (!this.track) this.images = null;
    else if (this.following && !this.player.playing) this.player.fraction = 1;
    else if (!this.player.playing) this.player.fraction = place(stops, this.images);
    this.settle();
    this.fetch();
    this.dirty = true;
  }

  move() {
    this.touched = true;
    this.settle();
    this.following = this.player.fraction >= 1;
    this.dirty = true;
    this.fetch();
  }

  // Where the timeline stands, in images.
  settle() {
    const images = this.track ? this.track.images[this.player.index] : null;
    if (images === this.images) return;
    this.images = images;
    this.moved();
  }

  set active(active) {
    this.shown = active;
    this.dirty = true;
    this.fetch();
  }

  tick(now) {
    if (this.shown && this.player.tick(now)) {
      this.settle();
      this.touched = this.dirty = true;
      this.following = this.player.fraction >= 1;
      this.fetch();
    }
    if (this.dirty && this.shown && this.colors) this.paint();
    requestAnimationFrame((time) => this.tick(time));
  }

  // ---- frames ----

  film(name) {
    if (!this.films.has(name)) this.films.set(name, new Map());
    return this.films.get(name);
  }

  take(name, frame) {
    const film = this.film(name);
    if (!frame.png) {
      const field = frame.field && { positions: float32(frame.field.positions), arrows: float32(frame.field.arrows) };
      film.set(frame.images, { ...frame, x: float32(frame.x), field });
    } else {
      const image = new Image();
      image.onload = () => (this.dirty = true);
      image.src = `data:image/png;base64,${frame.png}`;
      film.set(frame.images, { ...frame, png: null, image });
    }
    this.dirty = true;
  }

  // The frames that are missing, those nearest to the present moment first.
  missing(name) {
    const film = this.film(name);
    const away = ({ images }) => Math.abs(images - (this.images ?? images));
    const wanted = this.frames(name)
      .filter(({ images }) => !film.has(images))
      .sort((a, b) => away(a) - away(b));
    return this.touched ? wanted : wanted.slice(0, Math.max(0, UNASKED - film.size));
  }

  async fetch() {
    if (this.fetching || !this.shown) return;
    this.fetching = true;
    for (;;) {
      const reel = this.reels.find(({ name }) => this.missing(name).length);
      if (!reel || !this.shown) break;
      const images = this.missing(reel.name)
        .slice(0, AT_ONCE)
        .map((frame) => frame.images);
      const { error, body } = await this.page.asking.ask("film", { run: reel.name, images });
      if (error) break;
      const film = this.film(reel.name);
      for (const one of images) if (!film.has(one)) film.set(one, null); // drawn by nobody, or deleted since
      for (const frame of body.frames) this.take(reel.name, frame);
    }
    this.fetching = false;
  }

  // ---- painting ----

  paint() {
    this.dirty = false;
    if (this.track) this.player.show();
    for (const reel of this.reels) this.paintReel(reel);
  }

  // The newest frame at or before the present moment that is here already.
  frameOf(name) {
    const known = [...this.film(name)].filter(
      ([images, frame]) => frame && (this.images == null || images <= this.images),
    );
    return known.sort(([a], [b]) => b - a)[0]?.[1] ?? null;
  }

  paintReel({ name, canvas, caption, box }) {
    const frame = this.frameOf(name);
    const several = this.reels.length > 1;
    caption.textContent = frame ? `${several ? `${name} · ` : "samples "}after ${compact(frame.images)} images` : "";
    const drawing = fit(canvas);
    box.dataset.images = frame?.images ?? "";
    if (!frame) return;
    if (frame.image) this.paintPictures(drawing, frame);
    else paintCloud(drawing, { ...frame, components: this.density(name), data: this.page.points(name) }, this.colors);
  }

  paintPictures(drawing, { image, count, columns, tile, gap }) {
    if (!image.complete || !image.naturalWidth) return;
    paintGrid(drawing, count, this.colors, (k, x, y, size) => {
      const [left, top] = [k % columns, Math.floor(k / columns)].map((place) => gap + place * (tile + gap));
      drawing.context.drawImage(image, left, top, tile, tile, x, y, size, size);
    });
  }

  density(name) {
    const { dataset } = this.runs().find((run) => run.name === name) ?? {};
    const model = this.page.boot.models.find((known) => known.name === dataset);
    this.densities ??= {};
    if (!model?.components) return null;
    this.densities[dataset] ??= mixture(model.components, model.shape[0]);
    return this.densities[dataset];
  }

  recolor(colors) {
    this.colors = colors;
    this.dirty = true;
  }
}

class Timeline extends Steps {
  show() {
    super.show();
    const text = `${compact(this.run().images[this.index])} images`;
    if (this.output.textContent !== text) this.output.textContent = text;
    this.time.setAttribute("aria-valuetext", text);
  }
}

// The place of a moment among the stops, from 0 to 1.
function place(stops, images) {
  const at = stops.findLastIndex((stop) => stop <= images);
  return stops.length > 1 ? Math.max(at, 0) / (stops.length - 1) : 1;
}
