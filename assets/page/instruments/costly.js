// An instrument whose computing may take long: it says how long, and waits for a click.
import { Instrument } from "./instrument.js";

/**
 * @template {import("../shared/messages.d.ts").Drawing & { waiting?: boolean | null }} Drawn
 * @extends {Instrument<Drawn>}
 */
export class Costly extends Instrument {
  /**
   * @override
   * @param {string[]} names
   */
  changed(names) {
    // what was allowed to take long was that one, not the next
    if (!names.includes("run") && this.values.run) this.store.set({ run: false });
    super.changed(names);
  }

  /**
   * @override
   * @param {boolean} busy
   */
  mark(busy) {
    super.mark(busy);
    const waiting = !busy && this.body?.waiting;
    this.halt.hidden = !busy && !waiting && !this.body;
    this.halt.textContent = busy ? "Stop" : waiting ? "Run" : "Again";
  }

  /** @override */
  press() {
    if (!this.busy && this.body?.waiting) this.set({ run: true });
    else super.press();
  }
}
