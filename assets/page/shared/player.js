// The time slider with its play button, without the server.
import { element } from "./dom.js";
import { positionAt, sigmaAt } from "./levels.js";
import { plain, typeset } from "./mathematics.js";
import { number } from "./numbers.js";

const PLAY_SECONDS = 4.5;
const REST_SECONDS = 1.6; // at the end, before it plays again

/** @typedef {{ play: HTMLButtonElement, time: HTMLInputElement, output: HTMLOutputElement }} Line */

/**
 * Its elements, in a row.
 * @param {string} label
 * @returns {Line & { node: HTMLElement }}
 */
export function timeline(label) {
  const play = element("button", { type: "button", class: "play", "aria-label": "Play" });
  const time = element("input", { type: "range", min: 0, max: 1000, step: 1, value: 0, "aria-label": label });
  const output = element("output", {});
  return { play, time, output, node: element("div", { class: "time" }, play, time, output) };
}

/**
 * What all players have in common; how fast they go on, and what they say, is each one's own.
 * @template Track
 */
export class Player {
  /** Where it stands, from 0 to 1. */
  fraction = 0;
  #marked = "";
  playing = false;
  rest = 0;
  calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  /** @type {number | null} */
  #before = null;
  #line;

  /**
   * @param {Line} line
   * @param {object} what
   * @param {() => Track | null} what.run  What is played, or null.
   * @param {() => void} what.moved  It has to be painted.
   */
  constructor(line, { run, moved }) {
    this.#line = line;
    this.run = run;
    this.moved = moved;
    line.play.addEventListener("click", () => this.play(!this.playing));
    line.time.addEventListener("input", () => {
      this.play(false);
      this.seek(Number(line.time.value) / 1000);
    });
  }

  /** From the beginning on, or for those who want calm, the end. */
  start() {
    if (this.calm) this.seek(1);
    else this.play(true);
  }

  /** @param {boolean} playing */
  play(playing) {
    this.playing = playing && !this.calm;
    if (playing && this.fraction >= 1) this.fraction = 0;
    this.rest = 0;
    this.#before = null;
    this.#line.play.classList.toggle("playing", this.playing);
    this.#line.play.setAttribute("aria-label", this.playing ? "Pause" : "Play");
    if (playing && this.calm) this.seek(1);
    else if (playing) this.moved();
  }

  /** @param {number} fraction */
  seek(fraction) {
    this.fraction = fraction;
    this.moved();
  }

  /**
   * To be called at every frame. Whether time has gone on.
   * @param {number} now
   */
  tick(now) {
    const passed = Math.min((now - (this.#before ?? now)) / 1000, 0.1);
    this.#before = now;
    const track = this.run();
    if (!this.playing || !track) return false;
    if (this.fraction < 1) this.fraction = this.advance(track, passed / PLAY_SECONDS);
    else this.rest += passed;
    if (this.rest > REST_SECONDS) [this.fraction, this.rest] = [0, 0];
    return this.rest === 0 || this.fraction < 1;
  }

  /**
   * Where it stands after a share of the whole time.
   * @param {Track} _track
   * @param {number} share
   */
  advance(_track, share) {
    return Math.min(1, this.fraction + share);
  }

  /**
   * Show where it stands, and what that is in words.
   * @param {string} text
   */
  mark(text) {
    const { time, output } = this.#line;
    time.value = String(1000 * this.fraction);
    time.style.setProperty("--fill", `${100 * this.fraction}%`);
    if (this.#marked === text) return;
    this.#marked = text;
    output.replaceChildren(...typeset(text));
    time.setAttribute("aria-valuetext", plain(text));
  }
}

/**
 * From noise to data, over the levels of a run.
 * @extends {Player<{ levels: number[], sigmaData: number }>}
 */
export class NoisePlayer extends Player {
  /**
   * Even speed in the angle arctan(σ/σ_data): x/√(σ² + σ_data²) turns from noise to data at an even pace.
   * @override
   * @param {{ levels: number[], sigmaData: number }} run
   * @param {number} share
   */
  advance({ levels, sigmaData }, share) {
    const last = levels.length - 1;
    const angle =
      Math.atan(sigmaAt(levels, this.fraction * last) / sigmaData) - share * Math.atan(levels[0] / sigmaData);
    return angle <= 1e-4 ? 1 : positionAt(levels, sigmaData * Math.tan(angle)) / last;
  }

  /**
   * Show where it stands among levels; returns [position among them, σ].
   * @param {number[]} levels
   * @returns {[number, number]}
   */
  show(levels) {
    const position = this.fraction * (levels.length - 1);
    const sigma = sigmaAt(levels, position);
    this.mark(`σ = ${number(Number(sigma.toPrecision(3)))}`);
    return [position, sigma];
  }
}

/**
 * Over checkpoints, or other moments of a training, by the images seen: each stays for the same time.
 * @extends {Player<{ images: number[] }>}
 */
export class StepPlayer extends Player {
  /**
   * Which of the moments it is at.
   * @param {number[]} images
   */
  at(images) {
    return Math.round(this.fraction * (images.length - 1));
  }
}
