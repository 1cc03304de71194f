// @ts-nocheck
// The time slider with its play button: from noise to data, without the server.
import { element } from "./dom.js";
import { positionAt, sigmaAt } from "./levels.js";
import { number } from "./numbers.js";

const PLAY_SECONDS = 4.5;
const REST_SECONDS = 1.6; // at the end, before it plays again

// Its elements, in a row: {node, play, time, output}.
export function timeline(label) {
  const play = element("button", { type: "button", class: "play", "aria-label": "Play" });
  const time = element("input", { type: "range", min: 0, max: 1000, step: 1, value: 0, "aria-label": label });
  const output = element("output", {});
  return { play, time, output, node: element("div", { class: "time" }, play, time, output) };
}

export class Player {
  // Elements play, time, output. run(): {levels, sigmaData} of what is shown, or null. moved(): it has to be painted.
  constructor({ play, time, output }, { run, moved }) {
    Object.assign(this, { button: play, time, output, run, moved, fraction: 0, rest: 0, playing: false });
    this.calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    play.addEventListener("click", () => this.play(!this.playing));
    time.addEventListener("input", () => {
      this.play(false);
      this.seek(Number(time.value) / 1000);
    });
  }

  // From the first noise on, or for those who want calm, the result.
  start() {
    if (this.calm) this.seek(1);
    else this.play(true);
  }

  play(playing) {
    this.playing = playing && !this.calm;
    if (playing && this.fraction >= 1) this.fraction = 0;
    this.rest = 0;
    this.button.classList.toggle("playing", this.playing);
    this.button.setAttribute("aria-label", this.playing ? "Pause" : "Play");
    if (playing && this.calm) this.seek(1);
  }

  seek(fraction) {
    this.fraction = fraction;
    this.moved();
  }

  // To be called at every frame. Whether time has gone on.
  tick(now) {
    const passed = Math.min((now - (this.before ?? now)) / 1000, 0.1);
    this.before = now;
    if (!this.playing || !this.run()) return false;
    if (this.fraction < 1) this.advance(passed / PLAY_SECONDS);
    else this.rest += passed;
    if (this.rest > REST_SECONDS) [this.fraction, this.rest] = [0, 0];
    return this.rest === 0 || this.fraction < 1;
  }

  // Even speed in the angle arctan(σ/σ_data): x/√(σ² + σ_data²) turns from noise to data at an even pace.
  advance(share) {
    const { levels, sigmaData } = this.run();
    const [last, spread] = [levels.length - 1, sigmaData || 0.5];
    const angle = Math.atan(sigmaAt(levels, this.fraction * last) / spread) - share * Math.atan(levels[0] / spread);
    this.fraction = angle <= 1e-4 ? 1 : positionAt(levels, spread * Math.tan(angle)) / last;
  }

  // Show where it stands; returns [position among the levels, σ].
  show() {
    const { levels } = this.run();
    const position = this.fraction * (levels.length - 1);
    const sigma = sigmaAt(levels, position);
    this.time.value = 1000 * this.fraction;
    this.time.style.setProperty("--fill", `${100 * this.fraction}%`);
    const text = `σ = ${number(Number(sigma.toPrecision(3)))}`;
    if (this.output.textContent !== text) {
      this.output.textContent = text;
      this.time.setAttribute("aria-valuetext", text);
    }
    return [position, sigma];
  }
}
