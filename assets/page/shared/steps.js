// @ts-nocheck
// The timeline of training.
import { Player } from "./player.js";

// A player over checkpoints: each stays for the same time.
export class Steps extends Player {
  advance(share) {
    this.fraction = Math.min(1, this.fraction + share);
  }

  get index() {
    const { images } = this.run();
    return Math.round(this.fraction * (images.length - 1));
  }

  show() {
    const { images } = this.run();
    this.time.value = 1000 * this.fraction;
    this.time.style.setProperty("--fill", `${100 * this.fraction}%`);
    const text = `${Math.round(images[this.index] / 1000)} k images`;
    if (this.output.textContent !== text) {
      this.output.textContent = text;
      this.time.setAttribute("aria-valuetext", text);
    }
  }
}
