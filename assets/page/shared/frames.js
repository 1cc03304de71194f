// Painting at most once in a frame of the screen, while it is in view, and only where something has changed or moves.

import { attempt } from "./attempt.js";

/**
 * What moves by itself. tick: to be called at every frame while it plays; whether it has moved.
 * @typedef {{ playing: boolean, tick(now: number): boolean }} Mover
 */

export class Frames {
  #requested = 0;
  #dirty = false;
  #active = false;
  #paint;
  #mover;

  /**
   * @param {() => void} paint
   * @param {Mover} [mover]
   */
  constructor(paint, mover) {
    this.#paint = paint;
    this.#mover = mover;
  }

  /** Paint in the next frame in which it is in view. */
  ask() {
    this.#dirty = true;
    this.#request();
  }

  /** @param {boolean} active  It comes into view, or goes. */
  set active(active) {
    this.#active = active;
    if (active) this.ask();
  }

  #request() {
    if (this.#active) this.#requested ||= requestAnimationFrame((now) => this.#frame(now));
  }

  /** @param {number} now */
  #frame(now) {
    this.#requested = 0;
    if (!this.#active) return;
    const moved = this.#mover?.tick(now);
    if (this.#dirty || moved) {
      this.#dirty = false;
      attempt(this.#paint);
    }
    if (this.#dirty || this.#mover?.playing) this.#request();
  }
}
