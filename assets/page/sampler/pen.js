// Drawing a distribution of one's own, on the stage of the plane.
import { button } from "../shared/dom.js";
import { Pad } from "../shared/stages/pad.js";
import { Plane } from "../shared/stages/plane.js";

/** @typedef {[number, number]} Point */

export const HOW_TO_DRAW =
  "Draw with the mouse or a finger, then press Done. (Keyboard: arrows move, space sets points.)";

export class Pen {
  /** @type {Point[] | null} To begin with, while the plane is on its way. */
  #waiting = null;
  /** @type {Plane | null} Which it draws on. */
  #plane = null;
  /** @type {import("../shared/types.d.ts").Values | null} What was chosen before. */
  #before = null;

  /**
   * @param {object} parts
   * @param {import("./settings.js").Settings} parts.settings
   * @param {import("../shared/stages/picture.js").Picture} parts.picture
   * @param {() => void} parts.changed  It has begun, or ended.
   * @param {() => void} parts.repaint
   */
  constructor({ settings, picture, changed, repaint }) {
    this.settings = settings;
    this.picture = picture;
    this.changed = changed;
    this.repaint = repaint;
  }

  get drawing() {
    return this.#plane != null;
  }

  start() {
    const { model, points, label, count } = this.settings.values;
    this.#before ??= { model, points, label, count };
    this.#waiting = [...(points ?? [])];
    if (!(this.picture.stage instanceof Plane)) this.settings.setModel("eight_gaussians");
    this.arrive();
  }

  /** Another picture is shown: perhaps one to draw on. */
  arrive() {
    const { stage, canvas } = this.picture;
    if (!this.#waiting || !(stage instanceof Plane)) return;
    stage.pad?.end();
    stage.pad = new Pad(canvas, {
      points: this.#waiting,
      repaint: this.repaint,
      onDrawn: (points) => {
        if (points.length) this.settings.set({ model: "drawn", points: [...points], label: null });
      },
    });
    this.#plane = stage;
    this.#waiting = null;
    canvas.focus();
    this.changed();
  }

  stop() {
    this.#waiting = this.#before = null;
    if (!this.#plane) return;
    this.#plane.pad?.end();
    this.#plane.pad = null;
    this.#plane = null;
    this.changed();
  }

  /** What was there before is there again. */
  cancel() {
    const before = this.#before;
    this.stop();
    if (before) this.settings.set(before);
  }

  /** What ends it, in place of the switches. */
  ends() {
    const done = button({ class: "done" }, "Done");
    const cancel = button({ class: "cancel plain" }, "Cancel");
    done.addEventListener("click", () => this.stop());
    cancel.addEventListener("click", () => this.cancel());
    return [cancel, done];
  }
}
