// The one way in which controls, panels and pictures keep in step: what several of them show is the state of a store, and
// each follows it, until its signal ends.
//
// A library of templates would draw a whole panel anew at each change. Most of ours is sliders that are being dragged and
// canvases that are painted, which have to stay the elements that they are: so elements are made once, and what changes
// of them is a function that is run again.
import { attempt } from "./attempt.js";

/** @template {object} State */
export class Store {
  /** @type {Set<() => void>} */
  #followers = new Set();

  /** @param {State} state */
  constructor(state) {
    this.state = state;
  }

  /**
   * Take over some of the state.
   * @param {Partial<State>} changes
   */
  set(changes) {
    this.replace({ ...this.state, ...changes });
  }

  /** @param {State} state */
  replace(state) {
    this.state = state;
    this.tell();
  }

  /** Something beside the state that followers look at has changed. One that fails is in nobody's way. */
  tell() {
    for (const refresh of [...this.#followers]) if (this.#followers.has(refresh)) attempt(refresh);
  }

  /**
   * Run it now and after each change.
   * @param {() => void} refresh
   * @param {AbortSignal} [signal]
   */
  follow(refresh, signal) {
    if (signal?.aborted) return;
    this.#followers.add(refresh);
    signal?.addEventListener("abort", () => this.#followers.delete(refresh), { once: true });
    refresh();
  }
}
