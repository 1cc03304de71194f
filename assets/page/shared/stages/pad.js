// A pad to draw a distribution on: with the mouse or a finger, or with the keyboard.
import { fit } from "../canvas.js";
import { clamp } from "../numbers.js";
import { WINDOW } from "./window.js";

/** @typedef {[number, number]} Point */

const MOST = 400; // points
const REACH = 4; // how far from the middle points may lie, across
const APART = 0.035; // the pen's next points, at least

export class Pad {
  /** @type {Point | null} Of the keyboard. */
  cursor = null;
  #ending = new AbortController();
  #pressed = false;

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {object} options
   * @param {Point[]} options.points  That are there already.
   * @param {() => void} options.repaint
   * @param {(points: Point[]) => void} options.onDrawn  The pen was lifted.
   */
  constructor(canvas, { points, repaint, onDrawn }) {
    this.canvas = canvas;
    this.points = points;
    this.repaint = repaint;
    this.onDrawn = onDrawn;
    const { signal } = this.#ending;
    canvas.addEventListener("pointerdown", (event) => this.#press(event), { signal });
    canvas.addEventListener("pointermove", (event) => this.#pressed && this.#stroke(this.#place(event)), { signal });
    for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, () => this.#release(), { signal });
    canvas.addEventListener("keydown", (event) => this.#key(event), { signal });
  }

  /** The canvas is somebody else's again. */
  end() {
    this.#ending.abort();
  }

  /** @param {import("../types.d.ts").Colors} colors */
  draw(colors) {
    const { context, width, height } = fit(this.canvas);
    const scale = height / 2 / WINDOW;
    context.strokeStyle = colors.line;
    context.strokeRect(width / 2 - scale, height / 2 - scale, 2 * scale, 2 * scale);
    context.fillStyle = colors.data;
    for (const [x, y] of this.points) {
      context.beginPath();
      context.arc(width / 2 + x * scale, height / 2 - y * scale, 3, 0, 7);
      context.fill();
    }
    if (!this.cursor) return;
    const [x, y] = [width / 2 + this.cursor[0] * scale, height / 2 - this.cursor[1] * scale];
    context.strokeStyle = colors.ink;
    context.strokeRect(x - 6, y - 6, 12, 12);
  }

  /**
   * @param {PointerEvent} event
   * @returns {Point}
   */
  #place(event) {
    const box = this.canvas.getBoundingClientRect();
    const scale = box.height / 2 / WINDOW;
    return [(event.clientX - box.left - box.width / 2) / scale, (box.height / 2 - event.clientY + box.top) / scale];
  }

  /** @param {PointerEvent} event */
  #press(event) {
    if (event.button) return;
    this.#pressed = true;
    this.canvas.setPointerCapture(event.pointerId);
    this.#stroke(this.#place(event));
  }

  #release() {
    if (this.#pressed) this.onDrawn(this.points);
    this.#pressed = false;
  }

  /**
   * A brush of some width, so that a line drawn is a ridge of points.
   * @param {Point} place
   */
  #stroke([x, y]) {
    const last = this.points[this.points.length - 1];
    if (last && Math.hypot(last[0] - x, last[1] - y) < APART) return;
    const blur = () => (last ? (Math.random() + Math.random() + Math.random() - 1.5) * 0.03 : 0);
    /** @type {(value: number, most: number) => number} */
    const coordinate = (value, most) => +clamp(value + blur(), -most, most).toFixed(3);
    for (let i = 0; i < (last ? 2 : 1) && this.points.length < MOST; i++)
      this.points.push([coordinate(x, REACH), coordinate(y, WINDOW)]);
    this.repaint();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.key === " " || event.key === "Enter") {
      event.preventDefault();
      if (this.cursor) this.#stroke(this.cursor);
      this.onDrawn(this.points);
      return;
    }
    const step = arrowKey(event);
    if (!step) return;
    event.preventDefault();
    const [x, y] = this.cursor ?? [0, 0];
    this.cursor = [clamp(x + step[0] * 0.05, -1.25, 1.25), clamp(y + step[1] * 0.05, -1.25, 1.25)];
    this.repaint();
  }
}

/**
 * Where an arrow key points, as a step across and up; null of any other key.
 * @param {KeyboardEvent} event
 * @returns {Point | null}
 */
export function arrowKey({ key }) {
  /** @type {Record<string, Point>} */
  const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
  return steps[key] ?? null;
}
